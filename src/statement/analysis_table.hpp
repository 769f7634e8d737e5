// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "statement/analysis_interval.hpp"
#include "statement/statement.hpp"

/// Columns of tables that the key alone gives, as lines over the places of one axis. Part of the analysis of
/// statements.
namespace avow::statement::analysis {

/// first + step * i at place start + i, i < length.
struct Line {
  Int start = 0;
  Int length = 0;
  Int first = 0;
  Int step = 0;
  [[nodiscard]] Interval range() const noexcept;
};
/// Lines in order that fill an axis, of its largest length; one line of length 1 if the column is constant.
struct Column {
  AxisId axis = kNone;  ///< kNone: constant
  std::vector<Line> lines;
  [[nodiscard]] Interval range() const noexcept;
};

/// A column that is a linear combination of constants and of index and piecewise tensors along one axis; nothing else.
[[nodiscard]] std::optional<Column> key_column(const Statement& statement, const Expression& column);

/// sum of factors[i] * columns[i], all along one axis.
[[nodiscard]] std::optional<Column> combined(std::span<const Column> columns, std::span<const Int> factors);

/// Whether the columns that have the axis differ, together and modulo p, at any two of its places. Sufficient: lines
/// are told apart by the ranges of one column.
[[nodiscard]] bool tells_apart(std::span<const Column> columns, AxisId axis);

/// Over the rows: the least distance of two values (kHuge if there is one row, 0 if two rows may be equal) and the
/// largest.
struct Spacing {
  Int gap = 0;
  Int span = 0;
};
[[nodiscard]] Spacing spacing(const Column& column);

}  // namespace avow::statement::analysis
