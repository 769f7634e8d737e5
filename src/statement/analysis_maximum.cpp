// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "statement/analysis_engine.hpp"

namespace avow::statement::analysis {
namespace {

// If both are equal up to sign.
bool same_claim(const Poly& a, const Poly& b) { return a.size() == b.size() && (a == b || a == negated(b)); }

}  // namespace

void Engine::maxima(const Fact& fact) {
  if (fact.lookup == kNone || !fact.range) return;
  for (const auto& [monomial, coefficient] : fact.poly) {
    if (monomial.size() != 1 || absolute(coefficient) != 1) continue;
    const Access* access = k_.algebra.access(monomial[0]);
    if (access != nullptr && k_.in_place(*access) && maximum(fact, monomial[0], coefficient)) return;
  }
}

// sign * poly = M + rest.
bool Engine::maximum(const Fact& fact, AtomId m, Int sign) {
  std::vector<AxisId> axes;
  std::optional<Int> cells = Int{1};
  for (const AxisId axis : lookups_[fact.lookup].axes) {
    if (k_.algebra.reads(m, axis)) continue;
    axes.push_back(axis);
    cells = cells ? product(*cells, static_cast<Int>(k_.length(axis))) : cells;
  }
  if (axes.empty() || !cells || *cells >= kModulus) return false;
  std::sort(axes.begin(), axes.end());
  const Interval range = sign > 0 ? *fact.range : negated(*fact.range);
  if ((range.lo < 0 && range.hi > 0) || !below_half(range)) return false;
  if (!k_.algebra.spend(fact.poly.size())) return false;
  const Monomial alone{m};
  for (const auto& [monomial, coefficient] : fact.poly) {
    if (monomial != alone && !k_.determined(monomial, fact.masks)) return false;
  }
  Poly rest;
  if (!k_.algebra.spend(kUnitsPerMonomial * fact.poly.size()) || !accumulate(rest, fact.poly, sign)) return false;
  rest.erase(alone);
  const auto selector = attained(fact, m, rest, axes);
  if (!selector) return false;
  bool is_new = !hints_[*selector];
  hints_[*selector] = true;
  const Access access = *k_.algebra.access(m);
  if (k_.learn_determined(access, {}, Reason::kMaximum, fact.claim)) is_new = true;
  const Bound value = scale(k_.range(rest, fact.masks), -1);
  if (value && k_.learn_range(m, {}, *value)) is_new = true;
  if (is_new) learned(fact, access.tensor);
  return true;
}

// A selector s of zeros and ones where the masks are 1, with claims sum of masks s = 1 and
// sum of masks s (M + rest) = 0 over the axes.
std::optional<TensorId> Engine::attained(const Fact& fact, AtomId m, const Poly& rest,
                                         const std::vector<AxisId>& axes) {
  for (const std::size_t index : unit_sums_) {
    const Fact& one = facts_[index];
    if (!k_.algebra.spend(1)) return std::nullopt;
    const Int minus = one.poly.begin()->second;  // of the constant
    const auto& [selected, plus] = *std::next(one.poly.begin());
    if (absolute(plus) != 1 || minus != -plus || selected.size() != 1) continue;
    const Atom sigma = k_.algebra.atom(selected[0]);
    if (sigma.summed != axes || sigma.body.size() != fact.masks.size() + 1) continue;
    Monomial factors;
    for (const Access& access : sigma.body) factors.push_back(k_.algebra.plain(access));
    std::sort(factors.begin(), factors.end());
    Monomial s;
    std::set_difference(factors.begin(), factors.end(), fact.masks.begin(), fact.masks.end(), std::back_inserter(s));
    if (s.size() != 1 || factors.size() != fact.masks.size() + 1) continue;
    const Access access = *k_.algebra.access(s[0]);
    const Bound bit = k_.range(s[0], fact.masks);
    if (!bit || bit->lo < 0 || bit->hi > 1 || s_.tensors[access.tensor].kind != TensorKind::kWitness) continue;
    const auto product = k_.algebra.multiply(rest, {{factors, 1}});
    auto sum = product ? k_.algebra.sum(*product, axes) : std::nullopt;
    if (!sum) continue;
    const auto weighted = k_.algebra.multiply({{{m}, 1}}, {{{selected[0]}, 1}});
    Poly plain = *sum;  // as the selector sums to 1
    if (!weighted || !accumulate(*sum, *weighted, 1) || !accumulate(plain, {{{m}, 1}}, 1)) continue;
    for (const std::size_t zero : zero_facts_) {
      const Poly& claim = facts_[zero].poly;
      if (!k_.algebra.spend(1)) return std::nullopt;
      if (same_claim(claim, *sum) || same_claim(claim, plain)) return access.tensor;
    }
  }
  return std::nullopt;
}

}  // namespace avow::statement::analysis
