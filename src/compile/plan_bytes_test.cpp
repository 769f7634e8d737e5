// SPDX-License-Identifier: Apache-2.0
#include "compile/plan_bytes.hpp"

#include <gtest/gtest.h>

#include "compile/plans_testing.hpp"

namespace avow::compile {
namespace {

TEST(PlanBytes, ComeBackAndAreChecked) {
  for (const auto& [name, plan] : small_plans()) {
    const base::Bytes bytes = to_bytes(plan);
    EXPECT_EQ(plan_from_bytes(bytes).value(), plan);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(plan_from_bytes({bytes.data(), length}).ok());
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      base::Bytes changed = bytes;
      changed[i] ^= 0x80;
      const auto parsed = plan_from_bytes(changed);
      if (parsed) {
        EXPECT_EQ(to_bytes(parsed.value()), changed);
      }
    }
  }
}

// A mixture is below 2^62 in integers, not modulo 2^64.
TEST(Plans, BoundMixturesForEveryContext) {
  const auto is_allowed = [](std::uint64_t context, unsigned mix_shift) {
    Plan plan = small_plans().front().second;
    plan.context = context;
    plan.mix_shift = mix_shift;
    return !check_plan(plan).has_value();
  };
  EXPECT_TRUE(is_allowed(1024, 37));
  EXPECT_TRUE(is_allowed(1 << 16, 31));
  for (unsigned mix_shift = 20; mix_shift <= 37; ++mix_shift) {
    for (unsigned log_context = 3; log_context <= 16; ++log_context) {
      EXPECT_EQ(is_allowed(std::uint64_t{1} << log_context, mix_shift), log_context + mix_shift + 15 <= 62);
      EXPECT_EQ(is_allowed(std::uint64_t{3} << (log_context - 2), mix_shift), log_context + mix_shift + 15 <= 62);
    }
  }
}

}  // namespace
}  // namespace avow::compile
