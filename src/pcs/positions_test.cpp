// SPDX-License-Identifier: Apache-2.0
#include "pcs/positions.hpp"

#include <gtest/gtest.h>

#include <set>

namespace avow::pcs {
namespace {

transcript::Transcript after_message() {
  transcript::Transcript t({}, {}, {});
  t.absorb_bytes({1, "test"}, {});
  return t;
}

Config config_with(std::uint32_t log_rows, std::uint32_t queries) {
  Config config;
  config.log_rows = log_rows;
  config.oracles = {{.log_inv_rate = 2, .log_fold = 0, .queries = 3},
                    {.log_inv_rate = 1, .log_fold = 2, .queries = queries}};
  return config;
}

TEST(Positions, AreTheSetThatTheTranscriptDraws) {
  for (const std::uint32_t queries : {1u, 7u, 8u, 9u, 40u, 1024u}) {
    const Config config = config_with(8, queries);
    auto drawn_by_us = after_message();
    auto drawn_by_hand = after_message();
    const auto positions = draw_positions(drawn_by_us, config, 1);
    const auto raw = drawn_by_hand.positions({0x0118, ""}, 8 - 2 + 1, queries);
    EXPECT_EQ(drawn_by_us.state(), drawn_by_hand.state());
    const std::set<std::uint32_t> set(raw.begin(), raw.end());
    EXPECT_EQ(positions, std::vector<std::uint32_t>(set.begin(), set.end()));
    EXPECT_LT(positions.back(), 1u << 7);
  }
}

TEST(Positions, OfOracleZeroLieInTheColumnsDomain) {
  const Config config = config_with(8, 5);
  auto ours = after_message();
  auto by_hand = after_message();
  const auto positions = draw_positions(ours, config, 0);
  const auto raw = by_hand.positions({0x0118, ""}, 8 + 2, 3);
  EXPECT_EQ(std::set<std::uint32_t>(positions.begin(), positions.end()),
            std::set<std::uint32_t>(raw.begin(), raw.end()));
}

TEST(Positions, MoreQueriesThanLeavesOpenEachLeafOnce) {
  const Config config = config_with(2, 200);  // two leaves
  auto t = after_message();
  EXPECT_EQ(draw_positions(t, config, 1), (std::vector<std::uint32_t>{0, 1}));
}

}  // namespace
}  // namespace avow::pcs
