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

}  // namespace
}  // namespace avow::compile
