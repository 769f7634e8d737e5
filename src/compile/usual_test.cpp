// SPDX-License-Identifier: Apache-2.0
#include "compile/usual.hpp"

#include <gtest/gtest.h>

namespace avow::compile {
namespace {

TEST(UsualProofs, HaveTheLengthsThatAreExpected) {
  Plan plan;
  plan.context = 512;
  EXPECT_EQ(usual_lengths(plan), (Lengths{1, 64, 32}));
  EXPECT_EQ(usual_lengths(plan, {16, 64}), (Lengths{16, 64, 32}));
  // The least lengths that instances have.
  EXPECT_EQ(usual_lengths(plan, {5, 100}), (Lengths{6, 128, 64}));
  // Not above the context.
  EXPECT_EQ(usual_lengths(plan, {1, 4096}), (Lengths{1, 512, 256}));
  plan.context = 1;
  EXPECT_EQ(usual_lengths(plan), (Lengths{1, 1, 1}));
}

}  // namespace
}  // namespace avow::compile
