// SPDX-License-Identifier: Apache-2.0
#include "market/contracts.hpp"

#include "base/check.hpp"
#include "market/texts.hpp"

namespace avow::market {
namespace {

constexpr std::array<const char*, kContracts> kNames = {
    "ModelRegistry", "LookupVerifier", "ReductionVerifier", "WeightVerifier", "OpeningVerifier", "AnswerVerifier",
    "Emission",      "Genesis",        "AvowToken",         "Market",         "Erc7992"};

std::vector<chain::Interface> parse_artifacts() {
  std::vector<chain::Interface> interfaces;
  for (const char* contract : kNames) {
    auto parsed = chain::Interface::parse(embedded_text("contracts/artifacts/" + std::string(contract) + ".json"));
    AVOW_CHECK(parsed.ok());  // ours, and tested
    interfaces.push_back(std::move(parsed).value());
  }
  return interfaces;
}

const std::vector<chain::Interface>& interfaces() {
  static const std::vector<chain::Interface> kAll = parse_artifacts();
  return kAll;
}

}  // namespace

const char* name(Contract contract) noexcept { return kNames[static_cast<std::size_t>(contract)]; }

const chain::Interface& interface_of(Contract contract) { return interfaces()[static_cast<std::size_t>(contract)]; }

std::vector<const chain::Interface*> all_interfaces() {
  std::vector<const chain::Interface*> all;
  for (const chain::Interface& one : interfaces()) all.push_back(&one);
  return all;
}

}  // namespace avow::market
