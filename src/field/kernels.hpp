// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "field/factor.hpp"
#include "field/matrix.hpp"

// Array kernels that the prover lives on. Each runs on all threads and on the best instruction set of the machine, and
// has a `_ref` twin of plain loops with equal results, the specification and the tests' oracle.

namespace avow::field {

/// Per column c: sum over rows x of cells[first_row + x, c] * weights[x]. weights[rows], result[cols].
[[nodiscard]] std::vector<Fp3> column_dots(const MatrixView& cells, std::size_t first_row,
                                           std::span<const Fp3> weights);
[[nodiscard]] std::vector<Fp3> column_dots_ref(const MatrixView& cells, std::size_t first_row,
                                               std::span<const Fp3> weights);

/// sums[c] += the same over few rows, in the caller's thread: for loops that are parallel themselves. sums[cols].
void add_column_dots(const MatrixView& cells, std::size_t first_row, std::span<const Fp3> weights, std::span<Fp3> sums);

/// out[x] += sum over columns c of cells[x, c] * weights[c]. weights[cols], out[rows].
void add_row_dots(const MatrixView& cells, std::span<const Fp3> weights, std::span<Fp3> out);
void add_row_dots_ref(const MatrixView& cells, std::span<const Fp3> weights, std::span<Fp3> out);

/// out[x] += coefficient * product over variables i of factors[i].at0 or .at1, as bit i of x says. out[2^factors].
void add_tensor(std::span<Fp3> out, std::span<const Factor> factors, const Fp3& coefficient);
void add_tensor_ref(std::span<Fp3> out, std::span<const Factor> factors, const Fp3& coefficient);

/// out[x] += sum over j of coefficients[j] * points[j]^x. Any number of points; out.size() is a power of two.
void add_powers(std::span<Fp3> out, std::span<const Fp> points, std::span<const Fp3> coefficients);
void add_powers_ref(std::span<Fp3> out, std::span<const Fp> points, std::span<const Fp3> coefficients);

/// Binds the lowest variable to r: result[i] = values[2i] + r (values[2i+1] - values[2i]). values.size() is even.
[[nodiscard]] std::vector<Fp3> fold_pairs(std::span<const Fp3> values, const Fp3& r);
[[nodiscard]] std::vector<Fp3> fold_pairs_ref(std::span<const Fp3> values, const Fp3& r);

/// sum over i of a[i] * b[i].
[[nodiscard]] Fp3 inner_product(std::span<const Fp3> a, std::span<const Fp3> b);
[[nodiscard]] Fp3 inner_product_ref(std::span<const Fp3> a, std::span<const Fp3> b);

/// a[i] = ca a[i] + cb b[i].
void combine(std::span<Fp3> a, const Fp3& ca, std::span<const Fp3> b, const Fp3& cb);
void combine_ref(std::span<Fp3> a, const Fp3& ca, std::span<const Fp3> b, const Fp3& cb);

/// The polynomial h(X) = sum over i of f_i(X) w_i(X), f_i and w_i linear through the pairs at 2i, 2i+1.
struct QuadraticSum {
  Fp3 at0;      ///< h(0)
  Fp3 leading;  ///< coefficient of X^2
  friend bool operator==(const QuadraticSum&, const QuadraticSum&) = default;
};
[[nodiscard]] QuadraticSum sum_products(std::span<const Fp3> f, std::span<const Fp3> w);
[[nodiscard]] QuadraticSum sum_products_ref(std::span<const Fp3> f, std::span<const Fp3> w);

}  // namespace avow::field
