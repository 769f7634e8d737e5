// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "chain/address.hpp"

namespace avow::requester {

/// What happens to a request, as whoever waits for it hears it.
enum class UpdateKind : std::uint8_t {
  kAccountBusy,  ///< another process sends for the account: its turn comes first
  kApproving,    ///< the token takes no permit: an allowance is sent first
  kSending,      ///< a transaction about it is sent: `text` says which
  kOpen,         ///< it waits for an answer; until: the deadline
  kPrice,        ///< amount: what an answer is paid now
  kLocked,       ///< account: who alone is paid, amount: the price, until: the last moment of it
  kProving,      ///< the lock has taken effect
  kStep,         ///< number: parts of the proof that the contract has accepted
  kLockOver,     ///< the locker is late: now everybody may answer
  kCancelling,   ///< until: the block from which on no answer is paid
  kFulfilled,    ///< account: the payee, amount: the payment, number: the gas of the payment
  kRefunded,     ///< amount: what came back
  kExpired,      ///< the deadline has passed
  kReorganised,  ///< the chain took back what was told before
  kNodeLost,     ///< text: why no node answers; it is tried again
  kNodeBack,
  kRaising,  ///< nobody wants it at this price: it is taken back, and posted with a higher one, amount
};

struct Update {
  UpdateKind kind;
  base::Digest id{};
  std::uint64_t block = 0, timestamp = 0;
  chain::U256 amount{};
  chain::Address account{};
  std::uint64_t until = 0, number = 0;
  base::Digest transaction{};
  std::string text{};
};

/// "locked", "node_lost": for programs.
[[nodiscard]] const char* name(UpdateKind kind) noexcept;

}  // namespace avow::requester
