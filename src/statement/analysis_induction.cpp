// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "statement/analysis_engine.hpp"

/// Rule J: induction along an axis.
namespace avow::statement::analysis {
namespace {

constexpr std::size_t kCopies = 16;         // a copy of all that is known costs this part of the work before it
constexpr std::size_t kUnitsPerFactor = 2;  // of work, for a copy

// What was read along the axis is read at the current place.
void set_current(Access& access, AxisId axis) {
  const Index along{Index::Kind::kAxis, axis};
  std::replace(access.indices.begin(), access.indices.end(), along, kCurrent);
}

void set_current(Expression& terms, AxisId axis) {
  for (Term& term : terms) {
    for (Access& factor : term.factors) set_current(factor, axis);
  }
}

}  // namespace

void Knowledge::assume(AxisId axis, const std::set<Assumption>& assumptions) {
  current_ = axis;
  assumed_ = assumptions;
  used_.clear();
  forget();
}

void Knowledge::prove(TensorId tensor) {
  proven_[tensor] = true;
  forget();
}

// Whether a mask says that the tensor is read before the current place, or anywhere if it is proven.
bool Knowledge::assumed(const Access& access, const Masks& active) {
  if (assumed_.empty() && !proven_[access.tensor]) return false;
  for (const AtomId mask : active) {
    const Access& less = *algebra.access(mask);
    if (s_.tensors[less.tensor].structured.kind != StructuredKind::kLess || !algebra.spend(1)) continue;
    for (std::size_t i = 0; i < access.indices.size(); ++i) {
      if (less.indices[0] != access.indices[i]) continue;
      if (proven_[access.tensor]) return true;
      const Assumption assumption{access.tensor, i};
      if (less.indices[1] != kCurrent || assumed_.count(assumption) == 0) continue;
      used_.insert(assumption);
      return true;
    }
  }
  return false;
}

Knowledge::Read Knowledge::read_of(const Access& access, const Masks& active) {
  std::uint32_t current = 0;
  for (std::size_t i = 0; i < access.indices.size(); ++i) {
    if (access.indices[i] == kCurrent) current |= std::uint32_t{1} << i;
  }
  return {access.tensor, current, *to_tensor(access, active, false)};
}

// Of a tensor that is read at the current place.
Expression Knowledge::definition_at(const Read& read) {
  const Tensor& tensor = s_.tensors[read.tensor];
  Expression definition = tensor.definition;
  for (const Term& term : definition) algebra.spend(kUnitsPerFactor * term.factors.size());
  for (std::size_t i = 0; i < tensor.axes.size(); ++i) {
    if ((read.current >> i & 1) != 0) set_current(definition, tensor.axes[i]);
  }
  return definition;
}

// Whether there is a tensor that has to be determined, and is not.
bool Engine::stalls() const {
  for (TensorId id = 0; id < s_.tensors.size(); ++id) {
    const Tensor& tensor = s_.tensors[id];
    const bool is_free = tensor.kind != TensorKind::kWitness || tensor.is_input || hints_[id] || multiplicity_[id];
    if (!is_free && finding(id) == nullptr) return true;
  }
  return false;
}

// One axis after the other; true if anything came of it.
bool Engine::induction() {
  for (const AxisId axis : induction_axes()) {
    const auto proven = induction(axis);
    if (exhausted()) return false;
    if (!proven) continue;
    for (const auto& [tensor, position] : *proven) k_.prove(tensor);
    return true;
  }
  return false;
}

// Roots of axes that something is less along.
std::vector<AxisId> Engine::induction_axes() const {
  std::set<AxisId> axes;
  for (const Tensor& tensor : s_.tensors) {
    if (tensor.kind != TensorKind::kStructured || tensor.structured.kind != StructuredKind::kLess) continue;
    axes.insert(s_.root(tensor.axes[1]));
  }
  return {axes.begin(), axes.end()};
}

// Every witness tensor along every axis of this root, if it is not determined yet.
std::set<Assumption> Engine::assumptions(AxisId axis) {
  std::set<Assumption> result;
  for (TensorId id = 0; id < s_.tensors.size(); ++id) {
    const Tensor& tensor = s_.tensors[id];
    if (tensor.kind != TensorKind::kWitness || k_.proven(id) || k_.determined(own_access(id), {})) continue;
    for (std::size_t i = 0; i < tensor.axes.size(); ++i) {
      if (s_.root(tensor.axes[i]) == axis) result.emplace(id, i);
    }
  }
  return result;
}

bool Engine::determined(const Assumption& at_current) {
  Access access = own_access(at_current.first);
  access.indices[at_current.second] = kCurrent;
  return k_.determined(access, {});  // without masks no assumption applies
}

// Assumptions that imply themselves at the current place: all that were made, less those that do not, until it holds of
// those that were used.
std::optional<std::set<Assumption>> Engine::induction(AxisId axis) {
  std::set<Assumption> open = assumptions(axis);
  while (!open.empty() && k_.algebra.spend(k_.algebra.spent() / kCopies)) {
    Engine step = *this;
    step.k_.assume(axis, open);
    step.claims_at_current(axis);
    step.fixed_point();
    std::set<Assumption> closed;
    std::copy_if(open.begin(), open.end(), std::inserter(closed, closed.end()),
                 [&](const Assumption& assumption) { return step.determined(assumption); });
    k_.algebra.count_work_of(step.k_.algebra);
    const auto& used = step.k_.used();
    if (exhausted() || used.empty()) return std::nullopt;
    if (std::includes(closed.begin(), closed.end(), used.begin(), used.end())) return used;
    open = std::move(closed);
  }
  return std::nullopt;
}

void Engine::claims_at_current(AxisId root) {
  std::map<AxisId, std::vector<Fact>> claims;
  for (const Fact& fact : facts_) {
    if (fact.is_variant) continue;
    const auto& axes = fact.lookup == kNone ? s_.tensors[s_.zero_claims[fact.origin]].axes : lookups_[fact.lookup].axes;
    for (const AxisId axis : axes) {
      if (s_.root(axis) == root) claims[axis].push_back(fact);
    }
  }
  for (const auto& [axis, facts] : claims) claims_at_current(axis, facts);
}

// Claims with the axis, at its current place: claims of the other axes.
void Engine::claims_at_current(AxisId axis, const std::vector<Fact>& claims) {
  std::map<std::uint32_t, std::uint32_t> numbers;  // of lookups, at the current place
  for (Fact fact : claims) {
    auto poly = k_.algebra.renamed(fact.poly, {{axis, kCurrent}});
    if (!poly) continue;
    fact.poly = std::move(*poly);
    if (fact.lookup != kNone) {
      const auto [it, is_new] = numbers.try_emplace(fact.lookup, static_cast<std::uint32_t>(lookups_.size()));
      if (is_new) {
        Lookup lookup = lookups_[fact.lookup];
        lookup.axes.erase(std::find(lookup.axes.begin(), lookup.axes.end(), axis));
        for (Expression& entry : lookup.tuple) set_current(entry, axis);
        if (lookup.mask) set_current(*lookup.mask, axis);
        first_origin_.push_back(first_origin_[fact.lookup]);
        row_known_.push_back(row_known_[fact.lookup]);
        chosen_.push_back(chosen_[fact.lookup]);
        lookups_.push_back(std::move(lookup));
      }
      fact.lookup = it->second;
      fact.masks = k_.masks_of(lookups_[fact.lookup].mask);
    }
    add_fact(std::move(fact));
  }
}

}  // namespace avow::statement::analysis
