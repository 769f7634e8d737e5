// SPDX-License-Identifier: Apache-2.0
#include "statement/plan.hpp"

#include <algorithm>

namespace avow::statement {
namespace {

AxisUse& use_of(std::vector<AxisUse>& uses, AxisId axis) {
  const auto it = std::find_if(uses.begin(), uses.end(), [&](const AxisUse& use) { return use.axis == axis; });
  if (it != uses.end()) return *it;
  return uses.emplace_back(AxisUse{.axis = axis, .is_free = false, .needs_extent = true});
}

}  // namespace

std::vector<AxisUse> axis_uses(const Statement& statement, std::span<const AxisId> free_axes, const Term& term) {
  std::vector<AxisUse> uses;
  for (const AxisId axis : free_axes) uses.push_back({.axis = axis, .is_free = true, .needs_extent = true});
  for (const Access& factor : term.factors) {
    const Tensor& tensor = statement.tensors[factor.tensor];
    for (std::size_t i = 0; i < factor.indices.size(); ++i) {
      if (factor.indices[i].kind != Index::Kind::kAxis) continue;
      const auto axis = static_cast<AxisId>(factor.indices[i].value);
      AxisUse& use = use_of(uses, axis);
      ++use.occurrences;
      if (same_length(statement, axis, tensor.axes[i])) use.needs_extent = false;
    }
  }
  for (AxisUse& use : uses) {
    const std::uint32_t factors = use.occurrences + (use.needs_extent ? 1 : 0);
    use.is_variable = factors > 1;
    if (use.is_variable) use.degree = factors + (use.is_free ? 1 : 0);
  }
  return uses;
}

bool needs_sumcheck(const Statement& statement, const Tensor& tensor) {
  return std::any_of(tensor.definition.begin(), tensor.definition.end(), [&](const Term& term) {
    const auto uses = axis_uses(statement, tensor.axes, term);
    // An outer product has no variable, but a claim on it is no claim on its factors: the prover has to send their
    // values.
    const auto unknown = std::count_if(term.factors.begin(), term.factors.end(), [&](const Access& factor) {
      return statement.tensors[factor.tensor].kind != TensorKind::kStructured;
    });
    return unknown > 1 || std::any_of(uses.begin(), uses.end(), [](const AxisUse& use) { return use.is_variable; });
  });
}

std::vector<std::uint32_t> stages(const Statement& statement) {
  std::vector<std::uint32_t> stage(statement.tensors.size());
  for (TensorId id = 0; id < statement.tensors.size(); ++id) {
    const Tensor& tensor = statement.tensors[id];
    if (tensor.kind != TensorKind::kVirtual) continue;
    for (const Term& term : tensor.definition) {
      for (const Access& factor : term.factors) stage[id] = std::max(stage[id], stage[factor.tensor]);
    }
    if (needs_sumcheck(statement, tensor)) ++stage[id];
  }
  return stage;
}

std::vector<TermSpace> term_spaces(const Statement& statement, std::span<const std::uint64_t> lengths) {
  std::vector<TermSpace> spaces;
  for (TensorId id = 0; id < statement.tensors.size(); ++id) {
    const Tensor& tensor = statement.tensors[id];
    for (std::uint32_t t = 0; t < tensor.definition.size(); ++t) {
      const Term& term = tensor.definition[t];
      TermSpace space{id, t, 1, 1};
      for (const AxisUse& use : axis_uses(statement, tensor.axes, term)) {
        if (use.is_variable) space.joint = saturating_product(space.joint, lengths[use.axis]);
      }
      const bool all_structured = std::all_of(term.factors.begin(), term.factors.end(), [&](const Access& factor) {
        return statement.tensors[factor.tensor].kind == TensorKind::kStructured;
      });
      for (const Access& factor : term.factors) {
        if (!all_structured && statement.tensors[factor.tensor].kind == TensorKind::kStructured) continue;
        std::uint64_t cells = 1;
        for (const Index& index : factor.indices) {
          if (index.kind == Index::Kind::kAxis) cells = saturating_product(cells, lengths[index.value]);
        }
        space.largest = std::max(space.largest, cells);
      }
      spaces.push_back(space);
    }
  }
  return spaces;
}

}  // namespace avow::statement
