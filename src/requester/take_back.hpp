// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "requester/session.hpp"

namespace avow::requester {

/// What can be done to get a request's money back (spec/market.md, section 2).
enum class Way : std::uint8_t {
  kCancel,   ///< open: `cancel`, and some blocks later `refund`
  kRefund,   ///< the cancellation is effective, or the model frozen
  kExpire,   ///< the deadline has passed
  kWait,     ///< nothing yet
  kNothing,  ///< nothing any more: it was paid, came back, or never was there
};
struct Possible {
  Way way = Way::kNothing;
  std::string text;              ///< why, and what has to be waited for
  std::uint64_t from_block = 0;  ///< of kWait: when there is something; 0 if a moment decides
  std::uint64_t from_time = 0;   ///< likewise, the moment after which
};

/// What holds for a transaction that is included in the next block, at `now`.
struct Surroundings {
  std::uint64_t head = 0;  ///< the latest block, by its number in contracts
  std::uint64_t now = 0;   ///< a timestamp
  std::uint64_t delay_blocks = 0;
  bool is_frozen = false;
};
[[nodiscard]] Possible what_is_possible(const market::RequestState& state, const market::Offer& offer,
                                        const Surroundings& around);

/// The same, asked of the chain.
[[nodiscard]] Result<Possible> what_is_possible(const Session& session, const market::Request& request);

/// Sends `cancel`; written into the record first. kState where that is not possible. The answer of somebody who was
/// faster is still paid: look where the request stands.
[[nodiscard]] Result<chain::Receipt> cancel(const Session& session, const chain::PrivateKey& key, Record record);
/// Sends `refund` or `expire`, whatever is possible. kState where nothing is: the text says what to wait for.
[[nodiscard]] Result<chain::Receipt> refund(const Session& session, const chain::PrivateKey& key, Record record);

/// The record of a request by its id: of this machine, or else, as where its file cannot be read, from the event that
/// it was posted with, which is looked for from its last change back. kUnknown; kRecord and kFile of a file that cannot
/// be read, of a request that the chain does not know. kCancelled: a year of a fast chain has many blocks.
[[nodiscard]] Result<Record> find_request(const Session& session, const base::Digest& id);

}  // namespace avow::requester
