// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "statement/statement.hpp"

/// What a definition costs in the sumcheck: which axes become variables, of what degree, in which stage. One set of
/// rules for compiler, prover and verifiers (spec/statement.md, section 5).
namespace avow::statement {

/// How an axis of a term is treated when a claim V~(z) on its definition is discharged.
struct AxisUse {
  AxisId axis = 0;
  bool is_free = false;
  std::uint32_t occurrences = 0;  ///< factors that have the axis
  /// No factor is zero beyond the axis's extent (none has the axis, or only as the prefix of a longer one): the term
  /// has the extent's indicator as one more factor.
  bool needs_extent = false;
  /// A variable of the sumcheck. If not: a free axis is fixed at the claim's point z (times the indicator's extension,
  /// if no factor has it), and a summed axis of length n, which exactly one factor has, at 1/2 in each of its ceil(log2
  /// n) coordinates, times 2^ceil(log2 n), as sum_x A(x) = 2^k A~(1/2, .., 1/2).
  bool is_variable = false;
  /// In the round polynomials of this variable; 0 if it is none. A free variable has eq(z, .) as one more factor.
  std::uint32_t degree = 0;
};

/// The axes of a term: the free ones in their order, then the summed ones by first occurrence.
[[nodiscard]] std::vector<AxisUse> axis_uses(const Statement& statement, std::span<const AxisId> free_axes,
                                             const Term& term);

/// Whether the claim on this virtual tensor needs a sumcheck, or is a linear combination of claims at once.
[[nodiscard]] bool needs_sumcheck(const Statement& statement, const Tensor& tensor);

/// stage[tensor]: 0 for tensors that are not virtual; else the largest stage among the factors, and one more if the
/// definition needs a sumcheck. Claims are discharged stage by stage, the highest first; within a stage first the
/// definitions without sumcheck, by decreasing id, then all others in one batched sumcheck.
[[nodiscard]] std::vector<std::uint32_t> stages(const Statement& statement);

/// a * b, or 2^64 - 1 if that is less.
[[nodiscard]] constexpr std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? ~std::uint64_t{0} : product;
}

/// The index space over which the prover of one term loops, with the lengths of an instance.
struct TermSpace {
  TensorId tensor = 0;  ///< whose definition
  std::uint32_t term = 0;
  std::uint64_t joint = 0;    ///< product of the lengths of the variables; saturated
  std::uint64_t largest = 0;  ///< cells read of the largest factor that is not structured (if all are: of the largest)
};
/// Every term of every definition. lengths: one for each axis.
[[nodiscard]] std::vector<TermSpace> term_spaces(const Statement& statement, std::span<const std::uint64_t> lengths);

}  // namespace avow::statement
