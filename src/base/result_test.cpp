// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace avow::base {
namespace {

enum class Error : unsigned char { kTruncated = 1, kTrailing = 2 };

Result<int, Error> parse(int x) {
  if (x < 0) return Err{Error::kTruncated};
  return x;
}

TEST(Result, HoldsAValue) {
  const auto result = parse(7);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(static_cast<bool>(result));
  EXPECT_EQ(result.value(), 7);
}

TEST(Result, HoldsAnError) {
  const auto result = parse(-1);
  ASSERT_FALSE(result.ok());
  EXPECT_FALSE(static_cast<bool>(result));
  EXPECT_EQ(result.error(), Error::kTruncated);
}

TEST(Result, TellsValueFromErrorWhenBothHaveTheSameType) {
  const Result<std::string, std::string> good = std::string("text");
  const Result<std::string, std::string> bad = Err{std::string("text")};
  EXPECT_TRUE(good.ok());
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(good.value(), bad.error());
}

TEST(Result, MovesOutWhatCannotBeCopied) {
  Result<std::unique_ptr<int>, Error> result = std::make_unique<int>(5);
  *result.value() += 1;
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 6);
}

TEST(Result, ConvertsToBoolOnlyWhenAsked) {
  EXPECT_FALSE((std::is_convertible_v<Result<int, Error>, bool>));
  EXPECT_TRUE((std::is_constructible_v<bool, Result<int, Error>>));
}

TEST(ResultDeathTest, AbortsOnTheSideThatIsNotThere) {
  const auto good = parse(1);
  const auto bad = parse(-1);
  EXPECT_DEATH(static_cast<void>(bad.value()), "check failed: ok\\(\\)");
  EXPECT_DEATH(static_cast<void>(good.error()), "check failed: !ok\\(\\)");
}

}  // namespace
}  // namespace avow::base
