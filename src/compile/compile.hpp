// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "compile/plan.hpp"
#include "statement/error.hpp"
#include "statement/statement.hpp"

namespace avow::compile {

/// The statement of spec/integer_models.md: that the public chosen words are those that the model of this plan chooses
/// after the public tokens. Needs a plan that passes check_plan; refused (statement::validate) are sizes beyond the
/// limits of statements.
[[nodiscard]] base::Result<statement::Statement, statement::Error> compile(const Plan& plan);

}  // namespace avow::compile
