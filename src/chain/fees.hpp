// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/client.hpp"

namespace avow::chain {

/// Wei for each gas (EIP-1559).
struct Fees {
  U256 max_priority_fee;
  U256 max_fee;

  friend bool operator==(const Fees&, const Fees&) = default;
};

inline constexpr std::uint64_t kMostPriorityFee = 5'000'000'000;

struct FeePolicy {
  U256 most_fee = 200'000'000'000;      ///< max_fee is never above it
  U256 least_priority_fee = 1'000'000;  ///< where blocks are empty and nobody tips
  /// Whatever tips a node names: they are all paid, where of max_fee only what the block asks for. In place of the
  /// profile's, without which it is kMostPriorityFee.
  std::optional<U256> most_priority_fee{};
  /// For all the gas that a transaction may use; geth's nodes relay none above it, either (--rpc.txfeecap).
  U256 most_total_fee = 1'000'000'000'000'000'000;
  std::uint64_t history_blocks = 10;
  unsigned percentile = 50;  ///< of the tips in each of these blocks
};

/// A tip that half of the last blocks' transactions were content with, as far as the policy goes, and room for the base
/// fee to double: it can grow by an eighth a block. kFeeCap where even the present base fee and the tip are above the
/// cap.
[[nodiscard]] Result<Fees> propose_fees(Client& client, const FeePolicy& policy);
[[nodiscard]] Result<Fees> fees_after(const FeeHistory& history, const FeePolicy& policy);

/// Raised by 12.5% and a wei, so that nodes replace the transaction that paid `old`; or `wanted` where it is more.
/// kReplacement where a cap leaves no room for it.
[[nodiscard]] Result<Fees> raise_fees(const Fees& old, const Fees& wanted, const FeePolicy& policy);

/// Why the transaction may cost too much (kFeeCap); nothing if it may not.
[[nodiscard]] std::optional<Error> check_total_fee(const Fees& fees, std::uint64_t gas, const FeePolicy& policy);

}  // namespace avow::chain
