// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <deque>

#include "statement/analysis_engine.hpp"

namespace avow::statement::analysis {
namespace {

constexpr std::size_t kSubstitutions = 4;

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

}  // namespace

void Engine::sandwiches() {
  std::deque<Fact> changed;
  std::vector<const Fact*> all;
  for (const Fact& fact : facts_) {
    if (!fact.range) continue;
    all.push_back(&fact);
    if (auto other = substituted(fact)) all.push_back(&changed.emplace_back(std::move(*other)));
  }
  // Facts in which a witness tensor that is not determined is a factor of a product.
  std::map<AtomId, std::vector<const Fact*>> candidates;
  for (const Fact* fact : all) {
    Masks seen;
    for (const auto& [monomial, coefficient] : fact->poly) {
      if (monomial.size() < 2 || !k_.algebra.spend(monomial.size())) continue;
      for (const AtomId atom : monomial) {
        const Access* access = k_.algebra.access(atom);
        if (access == nullptr || s_.tensors[access->tensor].kind != TensorKind::kWitness) continue;
        if (within({atom}, seen) || k_.determined(atom, {})) continue;
        seen = united(seen, {atom});
        candidates[atom].push_back(fact);
      }
    }
  }
  for (const auto& [w, facts] : candidates) {
    if (exhausted()) return;
    if (k_.in_place(*k_.algebra.access(w))) sandwich(w, facts);
  }
}

// A zero claim that says what the atom is: +-atom + other terms, some of which are products.
const Fact* Engine::definition_of(AtomId atom, const Fact& fact) {
  for (const std::size_t index : zero_facts_) {
    const Fact& zero = facts_[index];
    if (!k_.algebra.spend(1) || zero.origin == fact.origin) continue;
    const auto it = zero.poly.find(Monomial{atom});
    if (it == zero.poly.end() || absolute(it->second) != 1) continue;
    std::size_t occurrences = 0;
    bool has_product = false;
    for (const auto& [monomial, coefficient] : zero.poly) {
      occurrences += static_cast<std::size_t>(std::binary_search(monomial.begin(), monomial.end(), atom));
      has_product = has_product || (monomial.size() > 1 && !k_.determined(monomial, fact.masks));
    }
    if (occurrences == 1 && has_product) return &zero;
  }
  return nullptr;
}

// The fact with tensors that are not determined, and multiplied by others, replaced by what zero claims say of them:
// a committed square by the square.
std::optional<Fact> Engine::substituted(const Fact& fact) {
  std::optional<Fact> result;
  for (std::size_t round = 0; round < kSubstitutions; ++round) {
    const Poly& poly = result ? result->poly : fact.poly;
    const Fact* definition = nullptr;
    AtomId replaced = 0;
    for (const auto& [monomial, coefficient] : poly) {
      if (monomial.size() < 2) continue;
      for (const AtomId atom : monomial) {
        if (definition != nullptr || k_.determined(atom, fact.masks)) continue;
        definition = definition_of(atom, fact);
        replaced = atom;
      }
    }
    if (definition == nullptr) break;
    Poly value;
    const Int sign = definition->poly.at(Monomial{replaced});
    if (!accumulate(value, definition->poly, -sign)) return std::nullopt;
    value.erase(Monomial{replaced});
    Poly whole;
    for (const auto& [exponent, factor] : by_powers(poly, replaced)) {
      std::optional<Poly> product = factor;
      for (std::size_t i = 0; i < exponent && product; ++i) product = k_.algebra.multiply(*product, value);
      if (!product || !accumulate(whole, *product, 1)) return std::nullopt;
    }
    if (!result) result = fact;
    result->poly = std::move(whole);
  }
  return result;
}

// By the intervals of its terms, or by a claim on this very polynomial, or as the definition of a virtual tensor, in
// which a square is one.
Bound Engine::range_of(const Poly& poly, const Masks& masks) {
  Bound result = k_.range(poly, masks);
  // poly = sign * other + constant, where `other` has the range.
  const auto learn = [&](const Poly& other, const Bound& range) {
    for (const Int sign : {Int{1}, Int{-1}}) {
      Poly difference = poly;
      if (!accumulate(difference, other, -sign)) continue;
      if (!difference.empty() && (difference.size() > 1 || !difference.begin()->first.empty())) continue;
      const Int constant = difference.empty() ? 0 : difference.begin()->second;
      const Bound same = add(scale(range, sign), Interval{constant, constant});
      if (same && below_half(*same)) result = Knowledge::meet(result, same);
    }
  };
  const auto alike = [&](const Poly& other) {
    return other.size() + 1 >= poly.size() && other.size() <= poly.size() + 1 && k_.algebra.spend(poly.size());
  };
  for (const Fact& fact : facts_) {
    if (fact.range && within(fact.masks, masks) && alike(fact.poly)) learn(fact.poly, fact.range);
  }
  for (TensorId id = 0; id < s_.tensors.size(); ++id) {
    const auto& expanded = k_.algebra.expanded(id);
    if (expanded && alike(*expanded)) learn(*expanded, k_.range(own_access(id), masks));
  }
  return result;
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
      if (!k_.algebra.spend(kUnitsPerMonomial * (next->size() + high.poly.size()))) return;
      if (low.fact->origin != high.fact->origin && between(w, low, *next, high)) return;
    }
  }
}

std::optional<Engine::Isolated> Engine::isolate(const Fact& fact, AtomId w) {
  if (!k_.algebra.spend(kUnitsPerMonomial * fact.poly.size())) return std::nullopt;
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
      const Bound slope = range_of(factor, masks);
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
  learned(*low.fact, access.tensor);
  learned(*high.fact, access.tensor);
  return true;
}

}  // namespace avow::statement::analysis
