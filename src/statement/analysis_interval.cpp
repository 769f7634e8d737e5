// SPDX-License-Identifier: Apache-2.0
#include "statement/analysis_interval.hpp"

#include <algorithm>

namespace avow::statement::analysis {
namespace {

Bound checked(Int lo, Int hi) noexcept {
  if (lo < -kHuge || hi > kHuge) return std::nullopt;
  return Interval{lo, hi};
}

}  // namespace

std::optional<Int> product(Int a, Int b) noexcept {
  if (a == 0 || b == 0) return Int{0};
  if (absolute(a) > kHuge / absolute(b)) return std::nullopt;
  return a * b;
}

Bound add(const Bound& a, const Bound& b) noexcept {
  if (!a || !b) return std::nullopt;
  return checked(a->lo + b->lo, a->hi + b->hi);
}

Bound multiply(const Bound& a, const Bound& b) noexcept {
  if (!a || !b) return std::nullopt;
  const auto first = product(a->lo, b->lo);
  if (!first) return std::nullopt;
  Interval result{*first, *first};
  for (const auto& corner : {product(a->lo, b->hi), product(a->hi, b->lo), product(a->hi, b->hi)}) {
    if (!corner) return std::nullopt;
    result = {std::min(result.lo, *corner), std::max(result.hi, *corner)};
  }
  return result;
}

Bound scale(const Bound& a, Int factor) noexcept { return multiply(a, Interval{factor, factor}); }

Bound power(const Bound& a, unsigned exponent) noexcept {
  Bound result = Interval{1, 1};
  for (unsigned i = 0; i < exponent; ++i) result = multiply(result, a);
  if (result && exponent > 0 && exponent % 2 == 0) {
    // The corners of products miss that all factors are the same number.
    const auto largest = power(Interval{a->largest(), a->largest()}, exponent - 1);
    const auto top = multiply(largest, Interval{a->largest(), a->largest()});
    if (!top) return std::nullopt;
    result = intersect(result, Interval{0, top->hi});
  }
  return result;
}

Bound intersect(const Bound& a, const Bound& b) noexcept {
  if (!a || !b) return a ? a : b;
  const Interval both{std::max(a->lo, b->lo), std::min(a->hi, b->hi)};
  return both.lo <= both.hi ? both : *a;
}

bool below_half(const Interval& a) noexcept { return 2 * a.largest() < kModulus; }

Int floor_quotient(Int a, Int b) noexcept { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace avow::statement::analysis
