// SPDX-License-Identifier: Apache-2.0
#include "statement/analysis_testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statement/analysis.hpp"

namespace avow::statement {

using ::testing::HasSubstr;

void expect_unique(const Builder& b) {
  const auto error = check_uniqueness(built(b));
  EXPECT_FALSE(error) << name(error->cause) << ": " << error->text;
}

void expect_refused(const Builder& b, Cause cause, const Names& texts) {
  const auto error = check_uniqueness(built(b));
  ASSERT_TRUE(error);
  EXPECT_STREQ(name(error->cause), name(cause)) << error->text;
  for (const std::string& text : texts) EXPECT_THAT(error->text, HasSubstr(text));
}

void expect_each_needed(Builder (*make)(const std::string&), const std::vector<Missing>& parts) {
  expect_unique(make(""));
  for (const Missing& missing : parts) {
    SCOPED_TRACE(missing.part);
    expect_refused(make(missing.part), missing.cause, missing.texts);
  }
}

}  // namespace avow::statement
