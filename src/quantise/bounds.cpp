// SPDX-License-Identifier: Apache-2.0
#include "quantise/bounds.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/threads.hpp"
#include "compile/plan.hpp"

namespace avow::quantise {
namespace {

std::int64_t dot(std::span<const std::int16_t> x, std::span<const std::int16_t> y) {
  std::int64_t sum = 0;  // below 2^30 2^18
  for (std::size_t i = 0; i < x.size(); ++i) sum += std::int64_t{x[i]} * y[i];
  return sum;
}

double frobenius(std::span<const double> cells) {
  // In parts, as up() covers the roundings of 2^20 terms, and there may be 2^34 cells.
  constexpr std::size_t kPart = std::size_t{1} << 17;
  double sum = 0;
  while (!cells.empty()) {
    double part = 0;
    for (const double value : cells.first(std::min(kPart, cells.size()))) part += value * value;
    sum += up(part);
    cells = cells.subspan(std::min(kPart, cells.size()));
  }
  return up(std::sqrt(up(sum)));
}

// The products of all pairs of rows: n x n, symmetric. Every sum runs over columns in their order, one product at a
// time, whatever the loops do for speed.
std::vector<double> gram_of_rows(std::span<const double> cells, std::size_t columns) {
  const std::size_t n = cells.size() / columns;
  std::vector<double> turned(cells.size()), gram(n * n);
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t c = 0; c < columns; ++c) turned[c * n + r] = cells[r * columns + c];
  }
  const auto fill_row = [&](std::size_t i) {
    double* out = gram.data() + i * n;
    const double* factor = cells.data() + i * columns;
    std::size_t c = 0;
    for (; c + 4 <= columns; c += 4) {
      const double* in = turned.data() + c * n;
      const double f0 = factor[c], f1 = factor[c + 1], f2 = factor[c + 2], f3 = factor[c + 3];
      for (std::size_t j = i; j < n; ++j) {
        out[j] = (((out[j] + f0 * in[j]) + f1 * in[n + j]) + f2 * in[2 * n + j]) + f3 * in[3 * n + j];
      }
    }
    for (; c < columns; ++c) {
      for (std::size_t j = i; j < n; ++j) out[j] += factor[c] * turned[c * n + j];
    }
  };
  base::parallel_for(n, 8, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) fill_row(i);
  });
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) gram[i * n + j] = gram[j * n + i];
  }
  return gram;
}

std::vector<double> transpose(std::span<const double> cells, std::size_t columns) {
  const std::size_t rows = cells.size() / columns;
  std::vector<double> out(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) out[i % columns * rows + i / columns] = cells[i];
  return out;
}

// A sum of m products is off by at most this times the sum of their sizes.
double sum_error(std::size_t m) { return static_cast<double>(m + 2) * 0x1p-52; }

// Squarings cost n^3 each and take the root of what the bound exceeds the norm by.
unsigned squarings(std::size_t n) { return n <= 256 ? 5 : n <= 1024 ? 3 : 1; }

}  // namespace

double length_of(std::span<const std::int16_t> row) { return up(std::sqrt(static_cast<double>(dot(row, row)))); }

double pair_norm(std::span<const std::int16_t> x, std::span<const std::int16_t> y) {
  const auto a = static_cast<double>(dot(x, x)), c = static_cast<double>(dot(y, y));
  const auto b = static_cast<double>(dot(x, y));  // all exact: below 2^53
  const double half_gap = std::abs(a - c) / 2;
  return up(std::sqrt(up((a + c) / 2 + up(std::sqrt(half_gap * half_gap + b * b)))));
}

RealMatrix block(const Matrix& matrix, std::size_t first_column, std::size_t columns) {
  RealMatrix out{std::vector<double>(matrix.rows() * columns), columns};
  for (std::size_t r = 0; r < matrix.rows(); ++r) {
    const auto row = matrix.row(r).subspan(first_column, columns);
    std::copy(row.begin(), row.end(), out.cells.begin() + static_cast<std::ptrdiff_t>(r * columns));
  }
  return out;
}

double spectral_norm(const RealMatrix& a) {
  const std::size_t rows = a.cells.size() / a.columns, n = std::min(rows, a.columns);
  const double size = frobenius(a.cells);
  if (size == 0) return 0;
  // Scaled by a power of two to a Frobenius norm of about 1: powers of the Gram matrix then neither overflow nor
  // vanish.
  int exponent = 0;
  (void)std::frexp(size, &exponent);
  std::vector<double> cells = rows <= a.columns ? a.cells : transpose(a.cells, a.columns);
  for (double& value : cells) value = std::ldexp(value, -exponent);
  const std::size_t inner = cells.size() / n;
  const double scaled = up(std::ldexp(size, -exponent));

  std::vector<double> power = gram_of_rows(cells, inner);
  double error = up(sum_error(inner) * scaled * scaled);  // Frobenius norm of what `power` is off by
  double norm = frobenius(power);
  const unsigned count = squarings(n);
  for (unsigned i = 0; i < count; ++i) {
    power = gram_of_rows(power, n);  // a symmetric matrix by itself, up to the error that is counted
    error = up(2 * norm * error + error * error + sum_error(n) * norm * norm);
    norm = frobenius(power);
  }
  double bound = up(norm + error);
  for (unsigned i = 0; i <= count; ++i) bound = up(std::sqrt(bound));
  return std::min(size, up(std::ldexp(bound, exponent)));
}

NormBound::NormBound(const RootTables& tables) {
  using Wide = unsigned __int128;
  Wide largest = 0;
  for (std::uint64_t row = 256; row < 65536; ++row) {
    for (std::uint64_t c = 0; c < 256; ++c) {
      const std::int64_t fine =
          256 * std::int64_t{tables.values[row]} - static_cast<std::int64_t>(c) * tables.slopes[row];
      AVOW_CHECK(fine >= 0);
      const auto size = static_cast<Wide>(fine);
      largest = std::max(largest, size * size * (256 * row + c + 1));
    }
  }
  fine_ = up(std::sqrt(up(static_cast<double>(largest))));
}

// n < (m + 1) 256^(J-2), hence sqrt(n) g <= sqrt(m + 1) 16^(J-2) (fine 16^(7-J) 2^-kScaleShift) + sqrt(n) / 2.
double NormBound::operator()(double largest_root) const {
  static_assert(compile::kNormBytes == 8);
  const double steady = std::ldexp(fine_, 20 - static_cast<int>(compile::kScaleShift + compile::kNormShift));
  const double rounding = std::ldexp(largest_root, -1 - static_cast<int>(compile::kNormShift));
  return up(steady + rounding);
}

}  // namespace avow::quantise
