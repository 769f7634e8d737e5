// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "chain/uint256.hpp"

namespace avow::provider {

/// When a request is locked before it is answered.
enum class LockPolicy : std::uint8_t {
  kWhenNeeded,  ///< where its proof takes several transactions, which show the answer before they are paid
  kAlways,
  kNever,
};

/// What work costs whoever does it. Amounts of the token and the coin are in units of 10^-18.
struct Prices {
  chain::U256 compute_hour;              ///< of the token, for an hour of running and proving
  std::uint64_t microtokens_a_coin = 0;  ///< millionths of the token that one coin of the chain is worth
  chain::U256 most_gas_price;            ///< wei for each gas: what is paid at most, and so reckoned with
  std::uint32_t margin_percent = 20;     ///< on top of all of it
};

/// What a provider takes on. Bonds are in units of the token.
struct Policy {
  Prices prices;
  LockPolicy lock = LockPolicy::kWhenNeeded;
  chain::U256 most_bond;   ///< for one lock
  chain::U256 most_bonds;  ///< of all locks at a time
  std::uint32_t most_batch = 16;
  std::uint32_t most_tokens = 0;  ///< of a request, prompt and answer; 0: as many as its model's context
  std::uint64_t depth = 1;        ///< blocks, its own included, from which on a request is worked at
  /// On top of measured times, wherever something has to be done by a certain moment.
  std::uint32_t time_margin_percent = 50;
  bool rescues = true;  ///< answers what others have locked and not answered in time
};

/// What a transaction of the chain may have, less what is no proof.
struct TransactionLimits {
  std::uint64_t bytes = 0;
  std::uint64_t gas = 0;
};

}  // namespace avow::provider
