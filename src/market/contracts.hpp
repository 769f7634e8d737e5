// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "chain/interface.hpp"

/// The contracts of spec/market.md and spec/chain.md as clients of a chain see them: what they understand, where they
/// lie, what they say, and how proofs get to them.
namespace avow::market {

enum class Contract : std::uint8_t {
  kRegistry,
  kLookupVerifier,
  kReductionVerifier,
  kWeightVerifier,
  kOpeningVerifier,
  kAnswerVerifier,
  kEmission,
  kGenesis,
  kToken,
  kMarket,
  kErc7992,
};
inline constexpr std::size_t kContracts = 11;

/// "ModelRegistry", as in contracts/artifacts.
[[nodiscard]] const char* name(Contract contract) noexcept;

/// Of the committed artifacts, which are part of this program.
[[nodiscard]] const chain::Interface& interface_of(Contract contract);
/// All of them: for chain::Client::name_errors_of.
[[nodiscard]] std::vector<const chain::Interface*> all_interfaces();

}  // namespace avow::market
