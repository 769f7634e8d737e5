// SPDX-License-Identifier: Apache-2.0
#include "base/threads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace avow::base {
namespace {

/// Restores the default of all cores, so that tests do not depend on their order.
class Threads : public ::testing::Test {
 protected:
  ~Threads() override { set_thread_count(0); }
};
using ThreadsDeathTest = Threads;

/// How often parallel_for visits each index; also checks each range against the contract.
std::vector<int> visits(std::size_t count, std::size_t grain) {
  std::vector<std::atomic<int>> hits(count);
  std::atomic<int> bad_ranges{0};
  parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
    if (begin >= end || end > count || end - begin > grain || begin % grain != 0) ++bad_ranges;
    for (std::size_t i = begin; i < std::min(end, count); ++i) ++hits[i];
  });
  EXPECT_EQ(bad_ranges, 0) << "count " << count << " grain " << grain;
  return {hits.begin(), hits.end()};
}

TEST_F(Threads, UsesAtLeastOneThreadByDefault) { EXPECT_GE(thread_count(), 1u); }

TEST_F(Threads, CountCanBeSetAndReset) {
  const std::size_t all = thread_count();
  set_thread_count(3);
  EXPECT_EQ(thread_count(), 3u);
  set_thread_count(0);
  EXPECT_EQ(thread_count(), all);
}

TEST_F(Threads, VisitsEveryIndexOnceForAnyCountGrainAndThreads) {
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
    set_thread_count(threads);
    for (const std::size_t count : {0u, 1u, 2u, 7u, 64u, 1000u}) {
      for (const std::size_t grain : {1u, 2u, 3u, 64u, 999u, 1000u, 5000u}) {
        EXPECT_EQ(visits(count, grain), std::vector<int>(count, 1))
            << "threads " << threads << " count " << count << " grain " << grain;
      }
    }
  }
}

TEST_F(Threads, WritesAreVisibleAfterwards) {
  std::vector<std::uint64_t> squares(10000);
  parallel_for(squares.size(), 17, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) squares[i] = i * i;
  });
  for (std::size_t i = 0; i < squares.size(); ++i) ASSERT_EQ(squares[i], i * i);
}

TEST_F(Threads, LoopsMayNest) {
  std::atomic<std::size_t> sum{0};
  parallel_for(8, 1, [&](std::size_t outer, std::size_t) {
    parallel_for(100, 9, [&](std::size_t begin, std::size_t end) { sum += (end - begin) * outer; });
  });
  EXPECT_EQ(sum, 100u * 28u);
}

TEST_F(ThreadsDeathTest, RejectsAGrainOfZero) {
  EXPECT_DEATH(parallel_for(1, 0, [](std::size_t, std::size_t) {}), "check failed: grain >= 1");
}

}  // namespace
}  // namespace avow::base
