// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <variant>

#include "market/deployment.hpp"
#include "market/request.hpp"

namespace avow::market {

enum class Status : std::uint8_t { kUnknown, kOpen, kLocked, kCancelling, kFulfilled, kRefunded };
[[nodiscard]] const char* name(Status status) noexcept;

/// Why an answer of a delivery was not paid (Types.sol).
enum class Reason : std::uint8_t {
  kNone,
  kOtherModel,
  kOtherVerifier,
  kUnknown,
  kFulfilled,
  kRefunded,
  kExpired,
  kCancelled,
  kLockedByAnother,
  kRepeated,
};
[[nodiscard]] const char* name(Reason reason) noexcept;

// Events of the market that say where requests stand.
struct Requested {
  base::Digest id{};
  Request request;
};
struct Locked {
  base::Digest id{};
  chain::Address locker;
  chain::U256 price;
  std::uint64_t until = 0;  ///< the last moment at which only the locker is paid
};
struct Cancelling {
  base::Digest id{};
  std::uint64_t effective_block = 0;
};
struct Fulfilled {
  base::Digest id{};
  chain::Address payee;
  chain::U256 payment, fee;
  std::uint8_t end = 0;
  base::Bytes output;
};
struct ItemSkipped {
  base::Digest id{};
  Reason reason = Reason::kNone;
};
struct Refunded {
  base::Digest id{};
  chain::Address requester;
  chain::U256 amount;
  Status before = Status::kUnknown;
};
struct BondReturned {
  base::Digest id{};
  chain::Address locker;
  chain::U256 amount;
};
struct BondSlashed {
  base::Digest id{};
  chain::Address locker;
  chain::U256 bounty, burned;
};
struct Frozen {
  chain::Address verifier;
  base::Digest model_id{};
};

using Event =
    std::variant<Requested, Locked, Cancelling, Fulfilled, ItemSkipped, Refunded, BondReturned, BondSlashed, Frozen>;

/// All logs of the market.
[[nodiscard]] chain::LogFilter events_of(const Deployment& deployment);
/// Those about one request.
[[nodiscard]] chain::LogFilter events_about(const Deployment& deployment, const base::Digest& id);

/// The event that a log of the market is; nothing if it is one of its other events. kReply and ABI errors: a node that
/// says what the market does not.
[[nodiscard]] chain::Result<std::optional<Event>> event_of(const chain::Log& log);

/// The request that the event is about; nothing of Frozen.
[[nodiscard]] const base::Digest* request_id(const Event& event);

}  // namespace avow::market
