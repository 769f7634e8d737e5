// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "statement/examples_building_testing.hpp"

/// Helpers of the analysis's tests.
namespace avow::statement {

using Names = std::vector<std::string>;

/// check_uniqueness() accepts; or refuses with that cause, in a text that has all of `texts`.
void expect_unique(const Builder& b);
void expect_refused(const Builder& b, Cause cause, const Names& texts);

/// The statement `make(part)` lacks a part, and is refused for it; make("") is whole and unique.
struct Missing {
  std::string part;
  Cause cause;
  Names texts;
};
void expect_each_needed(Builder (*make)(const std::string&), const std::vector<Missing>& parts);

}  // namespace avow::statement
