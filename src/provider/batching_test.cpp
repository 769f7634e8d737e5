// SPDX-License-Identifier: Apache-2.0
#include "provider/batching.hpp"

#include <gtest/gtest.h>

#include "provider/job_testing.hpp"

namespace avow::provider {
namespace {

using testing::digest_of;
using testing::kMoment;
using Places = std::vector<std::size_t>;

struct Queue {
  std::vector<Waiting> waiting;
  Estimates estimates;
  Policy policy;
  BatchLimits limits;

  Queue() {
    estimates.add({64, 40, 800, 124'132, 0});
    limits.most = 4;
    limits.transaction = {131'000, 16'000'000};
    limits.now.time = kMoment;
  }
  Queue& add(std::uint8_t model, bool is_locked, std::uint64_t seconds = 600) {
    const auto number = static_cast<std::uint8_t>(waiting.size());
    waiting.push_back({digest_of(number), digest_of(model), 60, 30, kMoment + seconds, is_locked});
    return *this;
  }
  [[nodiscard]] Places choose() {
    limits.policy = &policy;
    return choose_batch(waiting, estimates, limits);
  }
};

TEST(Batching, TakesWhatWaitsForOneModel) {
  EXPECT_EQ(Queue().add(1, true).choose(), Places{0});
  EXPECT_EQ(Queue().add(1, true).add(2, true).add(1, true).choose(), (Places{0, 2}));
  Queue many;
  for (int i = 0; i < 6; ++i) many.add(1, true);
  EXPECT_EQ(many.choose(), (Places{0, 1, 2, 3})) << "at most four";
}

TEST(Batching, ShowsNoAnswerThatIsNotLocked) {
  EXPECT_EQ(Queue().add(1, false).add(1, false).choose(), Places{0}) << "two would take steps";
  EXPECT_EQ(Queue().add(1, true).add(1, false).add(1, true).choose(), (Places{0, 2}));
  Queue small;
  small.estimates.add({128, 60, 900, 126'000, 15'000'000});
  EXPECT_EQ(small.add(1, false).add(1, false).choose(), (Places{0, 1})) << "these fit one transaction";
}

TEST(Batching, MakesNobodyLate) {
  // Two take 1.6 s and half on top, and four blocks; four twice as long.
  EXPECT_EQ(Queue().add(1, true, 10).add(1, true, 10).choose(), (Places{0, 1}));
  EXPECT_EQ(Queue().add(1, true, 9).add(1, true, 600).choose(), (Places{0, 1}));
  EXPECT_EQ(Queue().add(1, true, 8).add(1, true, 600).choose(), Places{0}) << "it goes alone, late or not";
  EXPECT_EQ(Queue().add(1, true).add(1, true, 1).add(1, true).choose(), (Places{0, 2}));
}

TEST(Batching, StaysWithinTheLargestProof) {
  Queue long_ones;
  long_ones.add(1, true).add(1, true);
  long_ones.limits.most_places = 64;
  EXPECT_EQ(long_ones.choose(), Places{0});
  long_ones.limits.most_places = 128;
  EXPECT_EQ(long_ones.choose(), (Places{0, 1}));
  for (Waiting& one : long_ones.waiting) one.tokens = std::uint64_t{1} << 17;
  long_ones.limits.most_places = 0;
  for (Waiting& one : long_ones.waiting) one.last_moment = kMoment + 1'000'000;
  EXPECT_EQ(long_ones.choose(), (Places{0, 1}));
  for (Waiting& one : long_ones.waiting) one.tokens = (std::uint64_t{1} << 17) + 1;
  EXPECT_EQ(long_ones.choose(), Places{0}) << "beyond what deliveries may have";
}

}  // namespace
}  // namespace avow::provider
