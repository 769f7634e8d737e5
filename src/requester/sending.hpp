// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "chain/sender.hpp"
#include "requester/error.hpp"

namespace avow::requester {

/// Told of each transaction before it is sent, replacements too: what is not written down is not sent.
using BeforeSend = std::function<std::optional<Error>(const chain::SignedTransaction&)>;

/// How a transaction is seen through.
struct Sending {
  chain::Client* chain = nullptr;
  chain::Sender* sender = nullptr;  ///< on this chain
  const std::atomic<bool>* cancelled = nullptr;
  BeforeSend before_send{};
  /// Waiting is cut into parts of the sender's patience, between which it can be stopped; so many of them, and the
  /// transaction is replaced by one with higher fees.
  unsigned parts = 1;
  unsigned most_replacements = 3;
};

/// The transactions of one call: whoever waits for it again needs all of them.
using Candidates = std::vector<chain::SignedTransaction>;

/// Makes the call's transaction and sends it. Errors with `chain->unsettled` leave it open whether it comes to the
/// chain; `candidates` has it then, too. What was not written down is not sent, and leaves `candidates` empty.
[[nodiscard]] std::optional<Error> start(const Sending& sending, const chain::CallRequest& call,
                                         Candidates& candidates);
/// Waits until one of them is settled, and replaces what waits too long with higher fees. kCancelled: they stand.
[[nodiscard]] Result<chain::Receipt> finish(const Sending& sending, Candidates& candidates);
/// Both.
[[nodiscard]] Result<chain::Receipt> send(const Sending& sending, const chain::CallRequest& call);

/// Whether `flag` is there and set.
[[nodiscard]] inline bool is_set(const std::atomic<bool>* flag) { return flag != nullptr && *flag; }

}  // namespace avow::requester
