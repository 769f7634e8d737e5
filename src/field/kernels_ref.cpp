// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "field/kernels.hpp"

namespace avow::field {

std::vector<Fp3> column_dots_ref(const MatrixView& cells, std::size_t first_row, std::span<const Fp3> weights) {
  std::vector<Fp3> sums(cells.cols);
  for (std::size_t x = 0; x < weights.size(); ++x) {
    for (std::size_t c = 0; c < cells.cols; ++c) sums[c] += weights[x] * cells.at(first_row + x, c);
  }
  return sums;
}

void add_row_dots_ref(const MatrixView& cells, std::span<const Fp3> weights, std::span<Fp3> out) {
  for (std::size_t x = 0; x < out.size(); ++x) {
    for (std::size_t c = 0; c < cells.cols; ++c) out[x] += weights[c] * cells.at(x, c);
  }
}

void add_tensor_ref(std::span<Fp3> out, std::span<const Factor> factors, const Fp3& coefficient) {
  AVOW_CHECK(out.size() == std::size_t{1} << factors.size());
  for (std::size_t x = 0; x < out.size(); ++x) {
    Fp3 product = coefficient;
    for (std::size_t i = 0; i < factors.size(); ++i) product *= ((x >> i) & 1) != 0 ? factors[i].at1 : factors[i].at0;
    out[x] += product;
  }
}

void add_powers_ref(std::span<Fp3> out, std::span<const Fp> points, std::span<const Fp3> coefficients) {
  for (std::size_t j = 0; j < points.size(); ++j) {
    Fp3 power = coefficients[j];
    for (Fp3& v : out) {
      v += power;
      power *= points[j];
    }
  }
}

std::vector<Fp3> fold_pairs_ref(std::span<const Fp3> values, const Fp3& r) {
  std::vector<Fp3> result(values.size() / 2);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = values[2 * i] + r * (values[2 * i + 1] - values[2 * i]);
  }
  return result;
}

Fp3 inner_product_ref(std::span<const Fp3> a, std::span<const Fp3> b) {
  Fp3 sum;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void combine_ref(std::span<Fp3> a, const Fp3& ca, std::span<const Fp3> b, const Fp3& cb) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = ca * a[i] + cb * b[i];
}

QuadraticSum sum_products_ref(std::span<const Fp3> f, std::span<const Fp3> w) {
  QuadraticSum sum;
  for (std::size_t i = 0; i + 1 < f.size(); i += 2) {
    sum.at0 += f[i] * w[i];
    sum.leading += (f[i + 1] - f[i]) * (w[i + 1] - w[i]);
  }
  return sum;
}

}  // namespace avow::field
