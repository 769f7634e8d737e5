// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/witness.hpp"

namespace avow::runtime::testing {

using Numbers = std::vector<std::int64_t>;

/// What a witness must be, by spec/integer_models.md alone: plain loops in its order, nothing shared with the runtime.
struct Reference {
  std::map<std::string, Numbers> tensors;
  std::map<std::string, Numbers> values;
};

[[nodiscard]] Reference run_reference(const compile::IntegerModel& model, const WitnessRequest& request);

}  // namespace avow::runtime::testing
