// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/runs.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace avow::lookup {
namespace {

// For every place below `size` whether it lies in a run.
std::vector<bool> marks(const Runs& runs, std::uint64_t size) {
  std::vector<bool> held(size);
  for (std::uint64_t run = 0; run < runs.count(); ++run) {
    for (std::uint64_t i = 0; i < runs.length; ++i) {
      EXPECT_FALSE(held.at(runs.place(run) + i)) << "runs overlap";
      held.at(runs.place(run) + i) = true;
    }
  }
  return held;
}

const Runs kRuns[] = {{5, {}},
                      {8, {}},
                      {3, {{2, 3}}},
                      {1, {{1, 4}}},
                      {12, {{4, 3}}},
                      {1, {{0, 1}, {5, 3}}},
                      {6, {{3, 3}, {5, 2}}},
                      {8, {{4, 3}, {6, 4}, {9, 3}}},
                      {24, {{5, 12}, {9, 5}}}};

TEST(Runs, FindsAndCountsWhatTheyHold) {
  for (const Runs& runs : kRuns) {
    const std::uint64_t size = runs.size() + 3;
    const auto held = marks(runs, size);
    EXPECT_EQ(static_cast<std::uint64_t>(std::count(held.begin(), held.end(), true)), runs.stored());
    std::uint64_t before = 0;
    for (std::uint64_t x = 0; x < size; ++x) {
      std::uint64_t expected = 0;
      while (expected < runs.count() && runs.place(expected) + runs.length <= x) ++expected;
      EXPECT_EQ(runs.find(x), expected) << x;
      if (!held[x]) continue;
      EXPECT_EQ(runs.index(x), before++);
    }
  }
}

TEST(Runs, JoinGapsThatAreShort) {
  for (const Runs& runs : kRuns) {
    for (const std::uint64_t gap : {0u, 1u, 2u, 4u, 9u, 100u}) {
      const Runs joined = join_gaps(runs, gap);
      EXPECT_EQ(joined.size(), runs.size());
      const auto before = marks(runs, runs.size());
      const auto after = marks(joined, runs.size());
      for (std::uint64_t x = 0; x < runs.size(); ++x) EXPECT_TRUE(after[x] || !before[x]) << x;
      for (std::uint64_t run = 0; run + 1 < joined.count(); ++run) {
        EXPECT_GE(joined.place(run + 1) - joined.place(run) - joined.length, gap);
      }
    }
  }
  EXPECT_EQ(join_gaps({768, {{10, 64}}}, 256), (Runs{768, {{10, 64}}}));
  EXPECT_EQ(join_gaps({768, {{10, 64}, {20, 12}}}, 257), (Runs{65280, {{20, 12}}}));
}

TEST(Runs, HalvesHoldEveryPair) {
  for (const Runs& runs : kRuns) {
    const Runs wide = join_gaps(runs, 4);
    const Runs half = halve(wide);
    EXPECT_EQ(half.length % 2, 0u);
    EXPECT_EQ(half.count(), wide.count());
    const auto before = marks(wide, 2 * half.size());
    const auto after = marks(half, half.size());
    for (std::uint64_t x = 0; x < before.size(); ++x) EXPECT_TRUE(after[x / 2] || !before[x]) << x;
  }
}

}  // namespace
}  // namespace avow::lookup
