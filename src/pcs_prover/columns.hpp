// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "field/kernels.hpp"
#include "pcs/claim.hpp"
#include "pcs_prover/open.hpp"

namespace avow::pcs {

/// A claim with the coefficient it is joined with.
struct WeightedClaim {
  field::Fp3 coefficient;
  const Claim* claim;
};

/// The polynomial and the weight that are left once all column variables are bound: 2^log_rows each, with
/// sum over x of polynomial[x] * weight[x] = the joined claim.
struct BoundColumns {
  std::vector<field::Fp3> polynomial;
  std::vector<field::Fp3> weight;
};

/// Sends one round's message h(0), leading coefficient; returns the challenge.
using RoundExchange = std::function<field::Fp3(const field::QuadraticSum& message)>;

/// The sumcheck over the joint column index, lowest variable first. While a group still has column variables of its own
/// its part is done on the dot products of its columns with the claims' row weights, one pass over the cells; after
/// that its columns are folded, and groups meet where the joint index puts them side by side.
[[nodiscard]] BoundColumns bind_columns(const JointLayout& layout, std::uint32_t log_rows,
                                        std::span<const Opened> opened, std::span<const WeightedClaim> claims,
                                        const RoundExchange& exchange);

/// Rows [first, first + 2^variables) outside of which the row part of a term is zero, and its factors within.
struct RowSpan {
  std::size_t first = 0;
  std::span<const field::Factor> factors;
};
/// Cuts off the highest row variables whose factor selects one value. row_factors is not empty of meaning: size
/// log_rows.
[[nodiscard]] RowSpan support(std::span<const field::Factor> row_factors);

}  // namespace avow::pcs
