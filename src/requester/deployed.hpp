// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "market/code.hpp"
#include "requester/session.hpp"

namespace avow::requester {

struct DeployedContract {
  market::Contract contract{};
  chain::Address address;
  market::CodeState state = market::CodeState::kNone;
};

struct MarketStatus {
  std::vector<DeployedContract> contracts;
  market::MarketTerms terms;
  chain::U256 supply, burned;          ///< of the token; of what there was at first
  chain::U256 escrow;                  ///< for requests that name this program's verifier
  std::uint64_t epoch = 0;             ///< of the emission
  chain::U256 epoch_amount;            ///< shared by its payees
  std::optional<std::string> problem;  ///< why these are not the contracts of this program
};
/// kChain. Where contracts are missing, `problem` says so, and the rest is zero.
[[nodiscard]] Result<MarketStatus> market_status(const Session& session);

/// Whether the deployment's contracts are this program's, all of their code: whoever is about to give a market money,
/// or an allowance, asks. kChain, also where they are others.
[[nodiscard]] std::optional<Error> check_contracts_are_ours(const Session& session);

}  // namespace avow::requester
