// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "field/goldilocks.hpp"

/// Intervals of integers, as wide as 2^120. Part of the analysis of statements.
namespace avow::statement::analysis {

__extension__ using Int = __int128;
inline constexpr Int kModulus = static_cast<Int>(field::kP);
inline constexpr Int kHuge = static_cast<Int>(1) << 120;

struct Interval {
  Int lo = 0;
  Int hi = 0;
  [[nodiscard]] Int width() const noexcept { return hi - lo; }
  [[nodiscard]] Int largest() const noexcept { return -lo > hi ? -lo : hi; }  ///< of the absolute values
  [[nodiscard]] bool contains(Int x) const noexcept { return lo <= x && x <= hi; }
  friend bool operator==(const Interval&, const Interval&) = default;
};
/// Nothing: not known, or beyond 2^120. Never clamped, as a clamped end could come back by a subtraction.
using Bound = std::optional<Interval>;

[[nodiscard]] inline Interval negated(const Interval& a) noexcept { return {-a.hi, -a.lo}; }
[[nodiscard]] inline Int absolute(Int x) noexcept { return x < 0 ? -x : x; }
/// Nothing above 2^120 in absolute value.
[[nodiscard]] std::optional<Int> product(Int a, Int b) noexcept;
[[nodiscard]] Bound add(const Bound& a, const Bound& b) noexcept;
[[nodiscard]] Bound multiply(const Bound& a, const Bound& b) noexcept;
[[nodiscard]] Bound scale(const Bound& a, Int factor) noexcept;
/// Of x^exponent: not negative if the exponent is even.
[[nodiscard]] Bound power(const Bound& a, unsigned exponent) noexcept;
/// What is known if both hold. Of two that exclude each other, which no proof can satisfy, the first.
[[nodiscard]] Bound intersect(const Bound& a, const Bound& b) noexcept;
/// Whether every integer in it has absolute value below p/2.
[[nodiscard]] bool below_half(const Interval& a) noexcept;
/// floor(a / b), b > 0.
[[nodiscard]] Int floor_quotient(Int a, Int b) noexcept;

}  // namespace avow::statement::analysis
