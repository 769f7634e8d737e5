// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "compile/tensors.hpp"
#include "statement/error.hpp"

namespace avow::compile {

/// Whether integers could wrap modulo p for the cells that this model has (statement::check_no_wrap): nothing if they
/// cannot, whatever the prompt. The plan passes check_plan and has a statement.
[[nodiscard]] std::optional<statement::Error> check_no_wrap(const IntegerModel& model);

}  // namespace avow::compile
