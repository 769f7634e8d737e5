// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lookup_prover/prove.hpp"
#include "prover/expression.hpp"
#include "reduction/evaluate.hpp"

namespace avow::prover {

using field::Fp3;

/// The tuples of one lookup, or the rows of one table: an array for each entry, row-major over the axes. Those that are
/// tensors refer to them.
struct Tuples {
  std::vector<Array> entries;
  Array mask;  ///< of a lookup with a mask: its cells; else empty
};
[[nodiscard]] Tuples tuples_of(const Tensors& tensors, const statement::Lookup& lookup);
[[nodiscard]] Tuples rows_of(const Tensors& tensors, const statement::Table& table);

/// How often each row of a table is looked up.
struct Counts {
  std::vector<std::int64_t> rows;
  std::optional<std::string> missing;  ///< a tuple that is no row: where and what, in words
};
[[nodiscard]] Counts count_rows(const statement::Binding& binding, statement::TableId table, const Tuples& rows,
                                std::span<const Tuples> lookups);

/// The cells of a column of the lookup argument, each axis padded to a power of two: tuples, and what is made of them
/// whenever it is read.
struct ColumnCells {
  Tuples tuples;
  lookup::TupleCells cells;
  std::vector<std::int32_t> ints;  ///< multiplicities, negated, if they are small
  std::vector<Fp3> elements;       ///< if they are not
  /// Refers to this object.
  [[nodiscard]] lookup::ColumnData data() const;
};
/// multiplicities: of a table; nullptr of a lookup.
[[nodiscard]] ColumnCells column_cells(const statement::Binding& binding, std::span<const AxisId> axes,
                                       statement::TableId table, std::uint32_t tag_power, Tuples tuples,
                                       const reduction::Challenges& challenges, const Array* multiplicities);

}  // namespace avow::prover
