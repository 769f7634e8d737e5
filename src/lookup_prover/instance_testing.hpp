// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <string>
#include <vector>

#include "lookup/verify.hpp"
#include "lookup_prover/prove.hpp"

namespace avow::lookup::testing {

/// Cells of a column as they are given to the prover.
struct Cells {
  std::vector<Fp3> denominators;
  enum class Kind : std::uint8_t { kOnes, kInts, kElements } kind = Kind::kOnes;
  std::vector<std::int32_t> ints;
  std::vector<Fp3> elements;

  [[nodiscard]] ColumnData data() const;
  /// Numerator and denominator of cell x, padding included, by plain means.
  [[nodiscard]] Fraction at(std::size_t x) const;
};

/// Columns whose fractions add up to zero, with the transcript both sides start from.
struct Instance {
  Config config;
  std::vector<Cells> cells;

  [[nodiscard]] static transcript::Transcript start();
  [[nodiscard]] Proved prove(const Faults& faults = {}, transcript::Manifest* manifest = nullptr) const;
  /// Evaluates public numerators from the cells.
  [[nodiscard]] base::Result<ColumnClaims, Rejection> verify(base::ByteView proof,
                                                             transcript::Manifest* manifest = nullptr) const;
  [[nodiscard]] std::string outcome(base::ByteView proof) const;

  /// Naive: the sum of all fractions and the product of all denominators.
  [[nodiscard]] Fraction sum() const;
  /// Naive: multilinear extensions of column j's numerators and denominators.
  [[nodiscard]] ColumnClaim evaluate(std::size_t j, std::span<const Fp3> point) const;
};

/// Columns of these sizes with random cells, extents and kinds of numerators; the last column that has a cell is given
/// numerators that make the sum zero.
[[nodiscard]] Instance random_instance(std::span<const unsigned> log_sizes, std::mt19937_64& rng);

/// A lookup: columns of values in a table of 2^log_table rows, the last column the table with its multiplicities.
[[nodiscard]] Instance lookup_instance(std::span<const unsigned> log_sizes, unsigned log_table, std::mt19937_64& rng);

}  // namespace avow::lookup::testing
