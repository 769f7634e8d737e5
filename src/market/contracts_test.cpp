// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"
#include "market/code.hpp"
#include "market/texts.hpp"

namespace avow::market {
namespace {

using chain::testing::good;
using chain::testing::verdict;

constexpr const char* kAddresses = "contracts/deployments/31337.json";
constexpr const char* kParameters = "contracts/script/parameters/31337.json";

TEST(Contracts, AreThoseOfTheCommittedArtifacts) {
  for (std::size_t i = 0; i < kContracts; ++i) {
    const auto contract = static_cast<Contract>(i);
    EXPECT_EQ(embedded_text("contracts/artifacts/" + std::string(name(contract)) + ".json"),
              chain::testing::artifact(name(contract)));
  }
  EXPECT_EQ(all_interfaces().size(), kContracts);
  EXPECT_TRUE(interface_of(Contract::kMarket).function("fulfilSteps").ok());
  EXPECT_TRUE(interface_of(Contract::kRegistry).function("register").ok());
}

TEST(Deployment, OfALocalChainIsKnown) {
  const auto known = known_deployment(31337);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->chain_id, 31337U);
  EXPECT_EQ(to_json(*known), embedded_text(kAddresses));
  EXPECT_FALSE(known_deployment(1));
  const auto parameters = known_parameters(31337);
  ASSERT_TRUE(parameters);
  EXPECT_EQ(parameters->delay_blocks, 2U);
  ASSERT_EQ(parameters->allocations.size(), 2U);
  EXPECT_EQ(parameters->allocations[1].amount, good(chain::parse_units("100000000", 18)));
  EXPECT_FALSE(known_parameters(1));
}

TEST(Deployment, RefusesOtherTexts) {
  const std::string text(embedded_text(kAddresses));
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    EXPECT_EQ(verdict(parse_deployment(text.substr(0, size))), "text.json") << size;
  }
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    return verdict(parse_deployment(changed.replace(changed.find(from), from.size(), to)));
  };
  EXPECT_EQ(with("\"version\": 1", "\"version\": 2"), "text.json");
  EXPECT_EQ(with("31337", "-1"), "text.json");
  EXPECT_EQ(with("\"market\"", "\"markt\""), "text.json");
  EXPECT_EQ(with("0x5FbDB", "0x5fbDB"), "text.address") << "another checksum";
  EXPECT_EQ(with("\"version\": 1", "\"version\": 1, \"more\": 1"), "text.json");
}

TEST(Deployment, RefusesOtherParameters) {
  const std::string text(embedded_text(kParameters));
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    EXPECT_EQ(verdict(parse_parameters(text.substr(0, size))), "text.json") << size;
  }
  for (const char* key : {"emitted", "start", "epochSeconds", "halvingEpochs", "feeBasisPoints", "delayBlocks",
                          "escrowCap", "recipients", "amounts"}) {
    std::string changed = text;
    changed.replace(changed.find("\"" + std::string(key) + "\"") + 1, 1, "_");
    EXPECT_EQ(verdict(parse_parameters(changed)), "text.json") << key;
  }
  std::string fewer = text;
  fewer.replace(fewer.find("\"100000000000000000000000000\", "), 31, "");
  EXPECT_EQ(verdict(parse_parameters(fewer)), "text.json");
}

TEST(Deployed, CodeIsComparedButForItsImmutables) {
  base::Bytes runtime = {0x60, 0x80, 0x7f};
  runtime.resize(runtime.size() + 32);
  runtime.insert(runtime.end(), {0x50, 0x00, 0xfe});
  base::Bytes creation = {0x60, 0x01, 0x60, 0x02, 0xf3, 0xfe};
  creation.insert(creation.end(), runtime.begin(), runtime.end());
  EXPECT_TRUE(is_code_of(creation, runtime));
  base::Bytes filled = runtime;
  std::fill(filled.begin() + 3, filled.begin() + 35, std::uint8_t{0xab});
  EXPECT_TRUE(is_code_of(creation, filled));
  for (std::size_t i = 0; i < runtime.size(); ++i) {
    if (i >= 3 && i < 35) continue;
    base::Bytes other = filled;
    other[i] ^= 1;
    EXPECT_FALSE(is_code_of(creation, other)) << i;
  }
  EXPECT_FALSE(is_code_of(creation, {}));
  EXPECT_FALSE(is_code_of(creation, base::Bytes{0x50})) << "a part of it";
  EXPECT_FALSE(is_code_of(creation, base::ByteView(creation).last(runtime.size() - 1)));
  EXPECT_FALSE(is_code_of(creation, creation));
  base::Bytes longer = creation;
  longer.push_back(0);
  EXPECT_FALSE(is_code_of(creation, longer));
}

}  // namespace
}  // namespace avow::market
