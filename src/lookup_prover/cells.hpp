// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "field/matrix.hpp"
#include "lookup_prover/runs.hpp"

// The cells of a column as the prover is given them.
namespace avow::lookup {

using field::Fp3;

/// All numerators are one, or the mask; between runs zero.
struct Ones {};

/// Cells that are computed from integers whenever they are needed, for less than reading them would cost: where runs of
/// cells lie, the denominator is `constant - sum over the entries of factor * entry`, the numerator the mask; between
/// the runs cells are 0/1. Everything must outlive the proof.
struct TupleCells {
  struct Entry {
    field::CellType type = field::CellType::kInt8;
    const void* cells = nullptr;  ///< of all runs, one after the other
    Fp3 factor;
  };
  Fp3 constant;
  std::vector<Entry> entries;
  std::span<const std::int8_t> mask;  ///< 0 or 1, as the entries' cells; empty: all one
  Runs runs;

  [[nodiscard]] std::uint64_t size() const noexcept { return runs.size(); }
};

/// The cells of a column; what it refers to must outlive the proof, which only reads it. Cells from size() up to the
/// column's 2^log_size are 0/1 and cost nothing. As many numerators as denominators, where they are given at all.
struct ColumnData {
  std::span<const Fp3> denominators;
  std::variant<Ones, std::span<const std::int32_t>, std::span<const Fp3>> numerators;
  const TupleCells* tuples = nullptr;  ///< instead of denominators; numerators may be given, or are the mask

  [[nodiscard]] std::size_t size() const noexcept { return tuples != nullptr ? tuples->size() : denominators.size(); }
  /// Where cells may be other than 0/1.
  [[nodiscard]] Runs runs() const {
    return tuples != nullptr && std::holds_alternative<Ones>(numerators) ? tuples->runs : Runs{size(), {}};
  }
  /// Whether all numerators in the runs are one.
  [[nodiscard]] bool is_ones() const noexcept {
    return std::holds_alternative<Ones>(numerators) && (tuples == nullptr || tuples->mask.empty());
  }
};

/// Numerator and denominator of a fraction.
struct Fraction {
  Fp3 numerator;
  Fp3 denominator;
};
/// One cell of a column.
[[nodiscard]] Fraction cell_at(const ColumnData& column, std::uint64_t index);

/// Cells 2 first, .., 2 (first + count) - 1 of a column, all below size(): even ones in p0 / q0, odd ones in p1 / q1, p
/// only where `numerators` says so.
struct CellTables {
  Fp3* p0;
  Fp3* p1;
  Fp3* q0;
  Fp3* q1;
};
void load_pairs(const ColumnData& column, bool numerators, std::size_t first, std::size_t count,
                const CellTables& tables);

}  // namespace avow::lookup
