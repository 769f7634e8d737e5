// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compile/plan.hpp"

namespace avow::compile {

/// Bytes of a plan: spec/model_file.md.
[[nodiscard]] base::Bytes to_bytes(const Plan& plan);

/// The plan that has exactly these bytes, if it passes check_plan; otherwise why not. Untrusted bytes.
[[nodiscard]] base::Result<Plan, std::string> plan_from_bytes(base::ByteView bytes);

}  // namespace avow::compile
