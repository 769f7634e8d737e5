// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "compile/instance.hpp"
#include "compile/plan.hpp"
#include "statement/statement.hpp"

/// The requests that a model's sizes are chosen for. Others are proven all the same.
namespace avow::compile {

/// What is expected to be proven at once: so many requests of so many tokens each, half of them chosen.
struct UsualProof {
  std::uint64_t requests = 1, tokens = 64;
  friend bool operator==(const UsualProof&, const UsualProof&) = default;
};
/// Of such a proof, with as many tokens as the context has at most.
[[nodiscard]] Lengths usual_lengths(const Plan& plan, const UsualProof& usual = {});

/// Cells of all tensors of a kind. The statement is compile()'s.
[[nodiscard]] std::uint64_t count_cells(const statement::Statement& statement, statement::TensorKind kind,
                                        const Lengths& lengths);
/// Cells of all lookups and tables.
[[nodiscard]] std::uint64_t count_lookups(const statement::Statement& statement, const Lengths& lengths);

/// The digit_bits with which the usual request has the fewest committed cells and lookups. The plan is complete but for
/// them and passes check_plan.
[[nodiscard]] unsigned choose_digit_bits(Plan plan);

}  // namespace avow::compile
