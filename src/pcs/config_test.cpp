// SPDX-License-Identifier: Apache-2.0
#include "pcs/config.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace avow::pcs {
namespace {

Config valid_config() {
  Config config;
  config.level = 128;
  config.log_rows = 19;
  config.oracles = {
      {.log_inv_rate = 3, .log_fold = 0, .queries = 72, .query_grinding_bits = 22, .fold_grinding_bits = 0},
      {.log_inv_rate = 5, .log_fold = 5, .queries = 44, .query_grinding_bits = 21, .fold_grinding_bits = 2},
      {.log_inv_rate = 8, .log_fold = 6, .queries = 28, .query_grinding_bits = 20, .fold_grinding_bits = 1}};
  return config;
}

TEST(Config, AccessorsFollowTheFolds) {
  const Config config = valid_config();
  ASSERT_EQ(validate(config), ConfigError::kNone);
  EXPECT_EQ(config.log_len(1), 19u);
  EXPECT_EQ(config.log_len(2), 14u);
  EXPECT_EQ(config.log_len(3), 8u);
  EXPECT_EQ(config.final_log_len(), 8u);
  EXPECT_EQ(config.log_domain(0), 19u + 3);
  EXPECT_EQ(config.log_domain(1), 19u - 5 + 5);
  EXPECT_EQ(config.log_domain(2), 14u - 6 + 8);
}

struct InvalidCase {
  const char* name;
  std::function<void(Config&)> corrupt;
  ConfigError expected;
};

TEST(Config, EveryReasonToRefuseIsReachable) {
  const InvalidCase cases[] = {
      {"no oracle", [](Config& c) { c.oracles.clear(); }, ConfigError::kNoOracles},
      {"one oracle", [](Config& c) { c.oracles.resize(1); }, ConfigError::kNoOracles},
      {"17 oracles", [](Config& c) { c.oracles.resize(17, c.oracles[2]); }, ConfigError::kNoOracles},
      {"fold 0", [](Config& c) { c.oracles[2].log_fold = 0; }, ConfigError::kFoldTooLarge},
      {"fold 9", [](Config& c) { c.oracles[2].log_fold = 9; }, ConfigError::kFoldTooLarge},
      {"2^17 columns", [](Config& c) { c.max_log_columns = 17; }, ConfigError::kColumns},
      {"folds above log_rows", [](Config& c) { c.log_rows = 10; }, ConfigError::kFoldTooLarge},
      {"domain of 2^31, oracle 0", [](Config& c) { c.oracles[0].log_inv_rate = 12; }, ConfigError::kDomainTooLarge},
      {"domain of 2^31, oracle 1", [](Config& c) { c.oracles[1].log_inv_rate = 17; }, ConfigError::kDomainTooLarge},
      {"2^31 rows", [](Config& c) { c.log_rows = 31; }, ConfigError::kDomainTooLarge},
      {"2^(2^32-1) rows", [](Config& c) { c.log_rows = 0xffffffff; }, ConfigError::kDomainTooLarge},
      {"no queries", [](Config& c) { c.oracles[1].queries = 0; }, ConfigError::kQueries},
      {"1025 queries", [](Config& c) { c.oracles[0].queries = 1025; }, ConfigError::kQueries},
      {"25 bits before queries", [](Config& c) { c.oracles[2].query_grinding_bits = 25; }, ConfigError::kGrinding},
      {"25 bits before folds", [](Config& c) { c.oracles[0].fold_grinding_bits = 25; }, ConfigError::kGrinding},
      {"2^11 final coefficients", [](Config& c) { c.log_rows = 22; }, ConfigError::kFinalTooLong},
      {"salt", [](Config& c) { c.salt_bytes = 32; }, ConfigError::kReserved},
      {"random column", [](Config& c) { c.random_columns = 1; }, ConfigError::kReserved},
      {"fold of oracle 0", [](Config& c) { c.oracles[0].log_fold = 5; }, ConfigError::kReserved},
      {"rate 1", [](Config& c) { c.oracles[0].log_inv_rate = 0; }, ConfigError::kRate},
      {"rate 2^-21", [](Config& c) { c.oracles[2].log_inv_rate = 21; }, ConfigError::kRate},
  };
  std::set<ConfigError> reached;
  for (const InvalidCase& invalid : cases) {
    Config config = valid_config();
    invalid.corrupt(config);
    EXPECT_EQ(validate(config), invalid.expected) << invalid.name;
    reached.insert(invalid.expected);
  }
  EXPECT_EQ(reached.size(), 9u) << "an enumerator of ConfigError has no case here";
}

TEST(Config, LimitsThemselvesAreAllowed) {
  Config config = valid_config();
  config.log_rows = 21;  // 2^10 final coefficients
  config.oracles[0] = {
      .log_inv_rate = 9, .log_fold = 0, .queries = 1024, .query_grinding_bits = 24, .fold_grinding_bits = 24};
  EXPECT_EQ(validate(config), ConfigError::kNone);
  config.oracles[2] = {
      .log_inv_rate = 20, .log_fold = 8, .queries = 1, .query_grinding_bits = 0, .fold_grinding_bits = 0};
  EXPECT_EQ(validate(config), ConfigError::kNone);
  EXPECT_EQ(config.log_domain(2), 28u);
}

TEST(Config, SerializationIsVersionFirstAndFixed) {
  const base::Bytes bytes = serialize(valid_config());
  EXPECT_EQ(base::load_be32(bytes.data()), 1u);
  // Version, the counted name, five integers, the oracle count, five integers an oracle.
  EXPECT_EQ(bytes.size(), 4u + 4 + 31 + 5 * 4 + 4 + 3 * 20);
  EXPECT_EQ(bytes, serialize(valid_config()));
  EXPECT_EQ(protocol_id(valid_config()), protocol_id(valid_config()));
}

TEST(Config, EveryParameterChangesTheId) {
  const std::function<void(Config&)> changes[] = {
      [](Config&) {},
      [](Config& c) { c.level = 100; },
      [](Config& c) { ++c.log_rows; },
      [](Config& c) { ++c.max_log_columns; },
      [](Config& c) { c.salt_bytes = 1; },
      [](Config& c) { c.random_columns = 1; },
      [](Config& c) { c.oracles.pop_back(); },
      [](Config& c) { c.oracles.push_back(c.oracles.back()); },
      [](Config& c) { std::swap(c.oracles[0], c.oracles[1]); },
      [](Config& c) { ++c.oracles[1].log_inv_rate; },
      [](Config& c) { ++c.oracles[1].log_fold; },
      [](Config& c) { ++c.oracles[1].queries; },
      [](Config& c) { ++c.oracles[1].query_grinding_bits; },
      [](Config& c) { ++c.oracles[1].fold_grinding_bits; },
      [](Config& c) { ++c.oracles[0].log_inv_rate; },
      [](Config& c) { ++c.oracles[2].fold_grinding_bits; },
  };
  std::set<base::Digest> ids;
  for (const auto& change : changes) {
    Config config = valid_config();
    change(config);
    ids.insert(protocol_id(config));
  }
  EXPECT_EQ(ids.size(), std::size(changes));
}

}  // namespace
}  // namespace avow::pcs
