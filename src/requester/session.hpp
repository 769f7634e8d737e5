// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "market/client.hpp"
#include "requester/book.hpp"
#include "requester/sending.hpp"
#include "requester/update.hpp"

namespace avow::requester {

/// What everything here is done with. All that it points to outlives what is done. One thread at a time.
struct Session {
  market::MarketClient* market = nullptr;
  const RequestBook* book = nullptr;
  chain::ChainProfile profile;
  chain::SendPolicy sending{};  ///< its patience is how long a transaction's wait cannot be stopped
  unsigned sending_parts = 1;   ///< Sending::parts
  std::chrono::milliseconds poll{1'000};
  /// Set from elsewhere, a signal's handler for one: what waits returns kCancelled within a poll.
  const std::atomic<bool>* cancelled = nullptr;
  /// Told of everything that happens, as it happens.
  std::function<void(const Update&)> on_update{};
  /// How long nodes may be out of reach before waiting ends.
  std::chrono::seconds outage{1'800};
  /// Seconds since 1970, by this machine; tests give their own.
  std::function<std::uint64_t()> now = system_seconds;

  static std::uint64_t system_seconds();
  void tell(const Update& update) const {
    if (on_update) on_update(update);
  }
  [[nodiscard]] chain::Client& chain() const { return market->chain(); }
  [[nodiscard]] chain::Sender sender(const chain::PrivateKey& key) const {
    return {market->chain(), key, profile, sending};
  }
  [[nodiscard]] Sending sending_by(chain::Sender& by, BeforeSend before_send = {}) const {
    return {&market->chain(), &by, cancelled, std::move(before_send), sending_parts};
  }
};

/// The account's nonces are this process's until the lock ends. While another process has them it is told
/// (kAccountBusy), once, and waited for. kFile, kCancelled.
[[nodiscard]] Result<FileLock> lock_account(const Session& session, std::uint64_t chain_id,
                                            const chain::Address& account);
/// The latest block. kChain.
[[nodiscard]] Result<chain::Block> head_of(const Session& session);
/// The moment that a transaction sent now is included at, as far as one can say: the later of the latest block's and
/// this machine's, as the blocks of a chain without transactions stay old.
[[nodiscard]] std::uint64_t next_moment(const Session& session, const chain::Block& head);

}  // namespace avow::requester
