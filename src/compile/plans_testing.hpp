// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "compile/plan.hpp"

// Plans for tests, whose numbers no model has given.
namespace avow::compile {

/// LLaMA, 12 layers, 768 wide, 50,257 words.
[[nodiscard]] Plan plan_of_124m();
/// Small ones of every kind, by name.
[[nodiscard]] std::vector<std::pair<std::string, Plan>> small_plans();

}  // namespace avow::compile
