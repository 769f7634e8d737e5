// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "chain/transaction.hpp"

namespace avow::chain {

/// What a chain takes. A local node may take more: what works there must work on the chain that it stands for.
struct ChainProfile {
  std::uint64_t chain_id = 0;
  const char* name = "";
  std::size_t most_bytes = 0;           ///< of a transaction that its nodes relay
  std::uint64_t most_gas = 0;           ///< of a transaction
  std::uint64_t confirmations = 1;      ///< blocks, its own included, after which a transaction is taken as settled
  std::uint64_t most_priority_fee = 0;  ///< wei for each gas: above what any tip gains
};

/// Ethereum's limits for chains that are not known.
[[nodiscard]] ChainProfile profile_of(std::uint64_t chain_id);

/// Why the chain would not take the transaction; nothing if it would.
[[nodiscard]] std::optional<Error> check_limits(const SignedTransaction& transaction, const ChainProfile& profile);

}  // namespace avow::chain
