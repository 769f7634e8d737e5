// SPDX-License-Identifier: Apache-2.0
#include "compile/usual.hpp"

#include <algorithm>

#include "compile/compile.hpp"

namespace avow::compile {
namespace {

using statement::AxisKind;
using statement::Statement;

std::uint64_t axis_length(const Statement& statement, statement::AxisId id, const Lengths& lengths) {
  const auto& axis = statement.axes[statement.root(id)];
  if (axis.kind == AxisKind::kFixed) return axis.length;
  if (axis.name == "request") return lengths.requests;
  return axis.name == "token" ? lengths.tokens : lengths.steps;
}

std::uint64_t cells_of_axes(const Statement& statement, const std::vector<statement::AxisId>& axes,
                            const Lengths& lengths) {
  std::uint64_t cells = 1;
  for (const auto axis : axes) cells *= axis_length(statement, axis, lengths);
  return cells;
}

}  // namespace

Lengths usual_lengths(const Plan& plan, const UsualProof& usual) {
  const std::uint64_t tokens = std::min(usual.tokens, plan.context);
  return instance_lengths({usual.requests, tokens, std::max<std::uint64_t>(tokens / 2, 1)});
}

std::uint64_t count_cells(const Statement& statement, statement::TensorKind kind, const Lengths& lengths) {
  std::uint64_t sum = 0;
  for (const auto& tensor : statement.tensors) {
    if (tensor.kind == kind) sum += cells_of_axes(statement, tensor.axes, lengths);
  }
  return sum;
}

std::uint64_t count_lookups(const Statement& statement, const Lengths& lengths) {
  std::uint64_t sum = 0;
  for (const auto& table : statement.tables) sum += cells_of_axes(statement, table.axes, lengths);
  for (const auto& lookup : statement.lookups) sum += cells_of_axes(statement, lookup.axes, lengths);
  return sum;
}

unsigned choose_digit_bits(Plan plan) {
  constexpr unsigned kLeast = 16, kLargest = 20;
  const Lengths lengths = usual_lengths(plan);
  unsigned best = kLeast;
  std::uint64_t least = 0;
  for (plan.digit_bits = kLeast; plan.digit_bits <= kLargest; ++plan.digit_bits) {
    const auto statement = compile(plan);
    if (!statement.ok()) return kLeast;
    const std::uint64_t cost = count_cells(statement.value(), statement::TensorKind::kWitness, lengths) +
                               count_lookups(statement.value(), lengths);
    if (plan.digit_bits != kLeast && cost >= least) continue;
    best = plan.digit_bits;
    least = cost;
  }
  return best;
}

}  // namespace avow::compile
