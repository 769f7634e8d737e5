// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "statement/analysis_engine.hpp"

namespace avow::statement::analysis {
namespace {

Poly negated(const Poly& poly) {
  Poly result = poly;
  for (auto& [monomial, coefficient] : result) coefficient = -coefficient;
  return result;
}

Interval negated(const Interval& range) { return {-range.hi, -range.lo}; }

// poly = sum of w^k * result[k].
std::map<std::size_t, Poly> by_powers(const Poly& poly, AtomId w) {
  std::map<std::size_t, Poly> result;
  for (const auto& [monomial, coefficient] : poly) {
    Monomial rest = monomial;
    rest.erase(std::remove(rest.begin(), rest.end(), w), rest.end());
    result[monomial.size() - rest.size()].emplace(rest, coefficient);
  }
  return result;
}

// If both are equal up to sign.
bool same_claim(const Poly& a, const Poly& b) { return a.size() == b.size() && (a == b || a == negated(b)); }

}  // namespace

// --- sandwich ------------------------------------------------------------------------------------------------------

void Engine::sandwiches() {
  // Facts in which a witness tensor that is not determined is a factor of a product.
  std::map<AtomId, std::vector<const Fact*>> candidates;
  for (const Fact& fact : facts_) {
    if (!fact.range) continue;
    Masks seen;
    for (const auto& [monomial, coefficient] : fact.poly) {
      if (monomial.size() < 2 || !k_.algebra.spend(monomial.size())) continue;
      for (const AtomId atom : monomial) {
        const Access* access = k_.algebra.access(atom);
        if (access == nullptr || s_.tensors[access->tensor].kind != TensorKind::kWitness) continue;
        if (within({atom}, seen) || k_.determined(atom, {})) continue;
        seen = united(seen, {atom});
        candidates[atom].push_back(&fact);
      }
    }
  }
  for (const auto& [w, facts] : candidates) {
    if (exhausted()) return;
    if (k_.in_place(*k_.algebra.access(w))) sandwich(w, facts);
  }
}

void Engine::sandwich(AtomId w, const std::vector<const Fact*>& facts) {
  std::vector<Isolated> sides;
  for (const Fact* fact : facts) {
    if (auto side = isolate(*fact, w)) {
      sides.push_back({fact, negated(side->poly), negated(side->range)});
      sides.push_back(std::move(*side));
    }
  }
  for (const Isolated& low : sides) {
    const auto next = successor(low.poly, w);
    if (!next) continue;
    for (const Isolated& high : sides) {
      if (!k_.algebra.spend(next->size() + high.poly.size())) return;
      if (low.fact->origin != high.fact->origin && between(w, low, *next, high)) return;
    }
  }
}

std::optional<Engine::Isolated> Engine::isolate(const Fact& fact, AtomId w) {
  Isolated result{&fact, {}, *fact.range};
  for (const auto& [monomial, coefficient] : fact.poly) {
    if (std::binary_search(monomial.begin(), monomial.end(), w)) {
      Monomial rest = monomial;
      rest.erase(std::remove(rest.begin(), rest.end(), w), rest.end());
      if (!k_.determined(rest, fact.masks)) return std::nullopt;
    } else if (!k_.determined(monomial, fact.masks)) {
      // poly - c v in range - c (range of v), for any v.
      const Bound rest = add(result.range, scale(k_.range(monomial, fact.masks), -coefficient));
      if (!rest) return std::nullopt;
      result.range = *rest;
      continue;
    }
    result.poly.emplace(monomial, coefficient);
  }
  return result;
}

// The polynomial at w + 1.
std::optional<Poly> Engine::successor(const Poly& poly, AtomId w) {
  Poly result;
  const Poly next = {{{}, 1}, {{w}, 1}};
  for (const auto& [exponent, factor] : by_powers(poly, w)) {
    std::optional<Poly> product = factor;
    for (std::size_t i = 0; i < exponent && product; ++i) product = k_.algebra.multiply(*product, next);
    if (!product || !accumulate(result, *product, 1)) return std::nullopt;
  }
  return result;
}

bool Engine::between(AtomId w, const Isolated& low, const Poly& next, const Isolated& high) {
  // low(w + 1) + high(w) = kappa
  Poly total = next;
  if (!accumulate(total, high.poly, 1) || total.size() > 1 || (total.size() == 1 && !total.begin()->first.empty())) {
    return false;
  }
  const Int kappa = total.empty() ? 0 : total.begin()->second;
  const Bound step = add(add(low.range, high.range), Interval{-kappa, -kappa});
  const Masks masks = united(low.fact->masks, high.fact->masks);
  const Bound range = k_.range(w, masks);
  if (!step || step->lo < 1) return false;
  auto powers = by_powers(low.poly, w);
  powers.erase(0);
  Bound span = Interval{0, 0};
  const bool is_linear = powers.size() == 1 && powers.begin()->first == 1;
  if (!range) {
    note(*low.fact, w, "has no checked range");
    return false;
  }
  if (is_linear) {
    span = scale(Interval{0, step->hi}, std::max<Int>(1, range->width()));
  } else {
    for (const auto& [exponent, factor] : powers) {
      const Bound slope = k_.range(factor, masks);
      if (!slope || slope->hi > 0 || range->lo < 0) {
        note(*low.fact, w, "does not fall along it");
        return false;
      }
      span = add(span, multiply(Interval{0, -slope->lo}, power(range, static_cast<unsigned>(exponent))));
    }
    span = add(span, Interval{0, step->hi});
  }
  if (!span || span->hi >= kModulus) {
    note(*low.fact, w, "spans p");
    return false;
  }
  if (is_linear) {
    // low(w) - low(w + 1) is the divisor, and in the range of the step.
    Poly divisor = negated(powers.begin()->second);
    const auto constant = divisor.find(Monomial{});
    const Int c = constant == divisor.end() ? 0 : constant->second;
    divisor.erase(Monomial{});
    if (divisor.size() == 1 && divisor.begin()->first.size() == 1 && absolute(divisor.begin()->second) == 1) {
      const Bound rest = scale(add(step, Interval{-c, -c}), divisor.begin()->second);
      if (rest && k_.learn_range(divisor.begin()->first[0], masks, *rest)) changed_ = true;
    }
  }
  const Access access = *k_.algebra.access(w);
  if (!k_.learn_determined(access, masks, Reason::kSandwich, low.fact->claim)) return false;
  learned(*low.fact);
  learned(*high.fact);
  return true;
}

// --- maximum -------------------------------------------------------------------------------------------------------

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
  for (const AxisId axis : s_.lookups[fact.lookup].axes) {
    if (k_.algebra.reads(m, axis)) continue;
    axes.push_back(axis);
    cells = cells ? product(*cells, static_cast<Int>(k_.length(axis))) : cells;
  }
  if (axes.empty() || !cells || *cells >= kModulus) return false;
  std::sort(axes.begin(), axes.end());
  const Interval range = sign > 0 ? *fact.range : negated(*fact.range);
  if ((range.lo < 0 && range.hi > 0) || !below_half(range)) return false;
  Poly rest;
  if (!accumulate(rest, fact.poly, sign)) return false;
  rest.erase(Monomial{m});
  for (const auto& [monomial, coefficient] : rest) {
    if (!k_.determined(monomial, fact.masks)) return false;
  }
  const auto selector = attained(fact, m, rest, axes);
  if (!selector) return false;
  bool is_new = !hints_[*selector];
  hints_[*selector] = true;
  const Access access = *k_.algebra.access(m);
  if (k_.learn_determined(access, {}, Reason::kMaximum, fact.claim)) is_new = true;
  const Bound value = scale(k_.range(rest, fact.masks), -1);
  if (value && k_.learn_range(m, {}, *value)) is_new = true;
  if (is_new) learned(fact);
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
