// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "compile/instance.hpp"
#include "compile/plan.hpp"
#include "statement/statement.hpp"

/// The request that a model's sizes are chosen for. Others are proven all the same.
namespace avow::compile {

/// 64 tokens, half of them chosen, or as many as the context has.
[[nodiscard]] Lengths usual_lengths(const Plan& plan);

/// Cells of all tensors of a kind. The statement is compile()'s.
[[nodiscard]] std::uint64_t count_cells(const statement::Statement& statement, statement::TensorKind kind,
                                        const Lengths& lengths);
/// Cells of all lookups and tables.
[[nodiscard]] std::uint64_t count_lookups(const statement::Statement& statement, const Lengths& lengths);

/// The digit_bits with which the usual request has the fewest committed cells and lookups. The plan is complete but for
/// them and passes check_plan.
[[nodiscard]] unsigned choose_digit_bits(Plan plan);

}  // namespace avow::compile
