// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantise/tables.hpp"

/// Certified bounds on what an integer model can compute (spec/integer_models.md, section 7). Every function returns a
/// double that is at least the exact value: sums of terms of one sign are computed in binary64 and then enlarged by
/// more than their rounding, sums of both signs carry a bound of their error along. No function of a mathematical
/// library is used but the square root, so that bounds are equal on every machine.
namespace avow::quantise {

/// Enlarged by 2^-30 of it: more than the error of 2^20 roundings.
[[nodiscard]] inline double up(double value) noexcept { return value * (1 + 0x1p-30); }

/// A row-major matrix of integers that lives elsewhere.
struct Matrix {
  std::span<const std::int16_t> cells;
  std::size_t columns;

  [[nodiscard]] std::size_t rows() const noexcept { return cells.size() / columns; }
  [[nodiscard]] std::span<const std::int16_t> row(std::size_t i) const noexcept {
    return cells.subspan(i * columns, columns);
  }
  [[nodiscard]] Matrix part(std::size_t first_row, std::size_t count) const noexcept {
    return {cells.subspan(first_row * columns, count * columns), columns};
  }
};

/// The Euclidean length.
[[nodiscard]] double length_of(std::span<const std::int16_t> row);
/// The largest length of a x + b y with a^2 + b^2 = 1: how far a vector of length 1 can send a pair of rows.
[[nodiscard]] double pair_norm(std::span<const std::int16_t> x, std::span<const std::int16_t> y);

/// Real row-major matrices for products of bounds.
struct RealMatrix {
  std::vector<double> cells;
  std::size_t columns;
};
/// Rows from `first` on and so many of them, all columns from `first_column` on and so many.
[[nodiscard]] RealMatrix block(const Matrix& matrix, std::size_t first_column, std::size_t columns);
[[nodiscard]] inline RealMatrix whole(const Matrix& matrix) { return block(matrix, 0, matrix.columns); }

/// The largest |A x| for |x| = 1. At most the Frobenius norm, mostly close to the spectral one: the Frobenius norm of a
/// power of the Gram matrix, and the root of it.
[[nodiscard]] double spectral_norm(const RealMatrix& a);

/// How large a norm's output can be: the least r with sqrt(n) g(n) 2^-kNormShift <= r for all n that are at most
/// `largest_root`^2, g by the tables and the rule of section 3. |y_i| <= r + 1/2 and |y| <= r + sqrt(width) / 2 follow.
class NormBound {
 public:
  explicit NormBound(const RootTables& tables);
  [[nodiscard]] double operator()(double largest_root) const;

 private:
  double fine_ = 0;  // the largest fine sqrt(m + 1) with m = 2^16 a + 2^8 b + c
};

}  // namespace avow::quantise
