// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "prover/expression.hpp"

// One term of an expression as nested loops, for what evaluates it.
namespace avow::prover {

/// The loops of one term: free axes first, then the summed ones.
struct Loops {
  std::vector<AxisId> axes;
  std::vector<std::uint64_t> lengths;
  std::vector<std::uint64_t> out_strides;  ///< 0 of a summed axis
  std::size_t free = 0;

  [[nodiscard]] std::size_t size() const noexcept { return lengths.size(); }
};

/// A factor in a term's loops: its cell at indices x is number base + sum of x_i strides_i.
struct Operand {
  Array cells;  ///< borrowed, or made for the term
  std::uint64_t base = 0;
  std::vector<std::uint64_t> strides;  ///< for each loop; 0 where the factor does not depend on it

  [[nodiscard]] std::int64_t at(std::uint64_t i) const { return cells.at(i); }
};

/// Adds coefficient * sum of products to `out`, integers modulo 2^64, as products of matrices of 16-bit integers.
/// false: the term has another form, or is too small to be worth it, and nothing was added.
[[nodiscard]] bool add_matrix_product(const Loops& loops, std::span<const Operand> operands, std::uint64_t coefficient,
                                      std::span<std::uint64_t> out);

}  // namespace avow::prover
