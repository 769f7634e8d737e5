// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace avow::base {
namespace {

TEST(Check, PassesSilentlyAndEvaluatesOnce) {
  int calls = 0;
  AVOW_CHECK(++calls == 1);
  EXPECT_EQ(calls, 1);
}

TEST(Check, IsOneStatement) {
  if (true)
    AVOW_CHECK(true);
  else
    FAIL();
}

TEST(CheckDeathTest, AbortsInEveryBuildWithFileLineAndText) {
  EXPECT_EXIT(AVOW_CHECK(1 + 1 == 3), ::testing::KilledBySignal(SIGABRT),
              "check_test\\.cpp:[0-9]+: check failed: 1 \\+ 1 == 3");
}

#ifdef NDEBUG
TEST(Dcheck, IsNotEvaluatedInReleaseBuilds) {
  [[maybe_unused]] int calls = 0;
  AVOW_DCHECK(++calls == 2);
  EXPECT_EQ(calls, 0);
}
#else
TEST(CheckDeathTest, DcheckAbortsInDebugBuilds) {
  EXPECT_EXIT(AVOW_DCHECK(1 + 1 == 3), ::testing::KilledBySignal(SIGABRT), "check failed: 1 \\+ 1 == 3");
}
#endif

}  // namespace
}  // namespace avow::base
