// SPDX-License-Identifier: Apache-2.0
#include "provider/contract_check.hpp"

#include <fmt/format.h>

namespace avow::provider {
namespace {

using market::Contract;

std::optional<chain::Error> check_code(market::MarketClient& market, Contract contract,
                                       const std::vector<Contract>& arguments) {
  chain::Value::List addresses;
  for (const Contract argument : arguments) addresses.emplace_back(market.address(argument));
  auto creation = market::interface_of(contract).encode_creation(addresses);
  if (!creation) return creation.error();
  chain::CallRequest create;
  create.data = std::move(creation).value();
  const auto expected = market.chain().call(create);
  if (!expected) return expected.error();
  const auto there = market.chain().code(market.address(contract));
  if (!there) return there.error();
  if (!expected.value().empty() && expected.value() == there.value()) return std::nullopt;
  return chain::Error{chain::Cause::kReply, fmt::format("the {} at {} is not the one of this program", name(contract),
                                                        to_string(market.address(contract)))};
}

}  // namespace

std::optional<chain::Error> check_verifier(market::MarketClient& market) {
  const std::pair<Contract, std::vector<Contract>> contracts[] = {
      {Contract::kRegistry, {}},
      {Contract::kLookupVerifier, {}},
      {Contract::kReductionVerifier, {Contract::kLookupVerifier}},
      {Contract::kWeightVerifier, {}},
      {Contract::kOpeningVerifier, {Contract::kWeightVerifier}},
      {Contract::kAnswerVerifier, {Contract::kRegistry, Contract::kReductionVerifier, Contract::kOpeningVerifier}}};
  for (const auto& [contract, arguments] : contracts) {
    if (auto error = check_code(market, contract, arguments)) return error;
  }
  return std::nullopt;
}

}  // namespace avow::provider
