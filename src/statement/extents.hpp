// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "field/extension.hpp"

/// Multilinear extensions in logarithmic time. A point has one coordinate for each bit of an index, lowest bit first.
namespace avow::statement {

/// Extensions of two functions of x, both 0 from some n on.
struct Moments {
  field::Fp3 count;  ///< of [x < n]:    sum over x < n of eq(point, x)
  field::Fp3 sum;    ///< of x [x < n]:  sum over x < n of x eq(point, x)
};
/// n <= 2^(coordinates).
[[nodiscard]] Moments moments_below(std::span<const field::Fp3> point, std::uint64_t n) noexcept;

/// eq(point, x), x < 2^(coordinates).
[[nodiscard]] field::Fp3 eq_at(std::span<const field::Fp3> point, std::uint64_t x) noexcept;

/// A variable x_j of an affine condition: its coefficient a_j, its range [0, length), its point of
/// ceil(log2 length) coordinates.
struct AffineVariable {
  std::int64_t coefficient = 0;
  std::uint64_t length = 0;
  std::span<const field::Fp3> point;
};
enum class AffineCondition : std::uint8_t { kZero, kNegative };

/// The extension, at the variables' points, of [sum of a_j x_j + constant = 0] (or < 0) inside all ranges, 0 outside.
/// Time: bits * 4^variables * sum of |a_j|. At most 4 variables; everything below 2^60 in absolute value.
[[nodiscard]] field::Fp3 affine_extension(std::span<const AffineVariable> variables, std::int64_t constant,
                                          AffineCondition condition);

}  // namespace avow::statement
