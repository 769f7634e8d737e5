// SPDX-License-Identifier: Apache-2.0
#include "statement/analysis_table.hpp"

#include <algorithm>

namespace avow::statement::analysis {
namespace {

constexpr std::size_t kParts = 8;  // piecewise tensors of one column

// The lines of one tensor along an axis of this (largest) length.
std::vector<Line> lines_of(const Structured& structured, Int length) {
  if (structured.kind == StructuredKind::kIndex) return {{0, length, structured.constant, 1}};
  std::vector<Line> lines;
  Int start = 0;
  for (const Piece& piece : structured.pieces) {
    const Int size = std::min<Int>(static_cast<Int>(piece.length), length - start);
    if (size <= 0) break;
    lines.push_back({start, size, piece.first, piece.step});
    start += size;
  }
  return lines;
}

// The same function with a line for each stretch between starts; `starts` has those of the lines.
std::vector<Line> cut(const std::vector<Line>& lines, const std::vector<Int>& starts) {
  std::vector<Line> result;
  std::size_t next = 0;
  for (const Line& line : lines) {
    const Int end = line.start + line.length;
    while (next < starts.size() && starts[next] < end) {
      const Int start = starts[next++];
      const Int stop = next < starts.size() ? std::min(starts[next], end) : end;
      result.push_back({start, stop - start, line.first + line.step * (start - line.start), line.step});
    }
  }
  return result;
}

std::vector<std::vector<Line>> cut_alike(std::span<const Column> columns) {
  std::vector<Int> starts;
  for (const Column& column : columns) {
    for (const Line& line : column.lines) starts.push_back(line.start);
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  std::vector<std::vector<Line>> result;
  for (const Column& column : columns) result.push_back(cut(column.lines, starts));
  return result;
}

bool disjoint(const Interval& a, const Interval& b) { return a.hi < b.lo || b.hi < a.lo; }

}  // namespace

Interval Line::range() const noexcept {
  const Int last = first + step * (length - 1);
  return {std::min(first, last), std::max(first, last)};
}

Interval Column::range() const noexcept {
  Interval all = lines.front().range();
  for (const Line& line : lines) {
    const Interval range = line.range();
    all = {std::min(all.lo, range.lo), std::max(all.hi, range.hi)};
  }
  return all;
}

std::optional<Column> combined(std::span<const Column> columns, std::span<const Int> factors) {
  Column result{columns.front().axis, {}};
  const auto all = cut_alike(columns);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].axis != result.axis) return std::nullopt;
    if (i == 0) {
      result.lines = all[0];
      for (Line& line : result.lines) line.first = line.step = 0;
    }
    for (std::size_t k = 0; k < result.lines.size(); ++k) {
      const auto first = product(all[i][k].first, factors[i]);
      const auto step = product(all[i][k].step, factors[i]);
      if (!first || !step) return std::nullopt;
      Line& line = result.lines[k];
      line.first += *first;
      line.step += *step;
      const auto rise = product(line.step, line.length);
      if (!rise || absolute(line.first) > kHuge || absolute(line.first + *rise) > kHuge) return std::nullopt;
    }
  }
  return result;
}

std::optional<Column> key_column(const Statement& statement, const Expression& column) {
  Int constant = 0;
  std::vector<Column> parts;
  std::vector<Int> factors;
  for (const Term& term : column) {
    if (term.factors.empty()) {
      constant += term.coefficient;
      continue;
    }
    const Access& access = term.factors.front();
    const Tensor& tensor = statement.tensors[access.tensor];
    if (tensor.kind != TensorKind::kStructured) return std::nullopt;
    const Structured& structured = tensor.structured;
    if (structured.kind == StructuredKind::kConstant) {
      const auto value = product(structured.constant, term.coefficient);
      if (!value || absolute(constant += *value) > kHuge) return std::nullopt;
      continue;
    }
    if (structured.kind != StructuredKind::kIndex && structured.kind != StructuredKind::kPiecewise) return std::nullopt;
    const Index& index = access.indices.front();
    if (index.kind != Index::Kind::kAxis) return std::nullopt;
    const auto axis = static_cast<AxisId>(index.value);
    const auto length = static_cast<Int>(statement.axes[statement.root(axis)].length);
    parts.push_back({axis, lines_of(structured, length)});
    factors.push_back(term.coefficient);
    if (parts.size() > kParts) return std::nullopt;
  }
  if (parts.empty()) return Column{kNone, {{0, 1, constant, 0}}};
  auto result = combined(parts, factors);
  if (result) {
    for (Line& line : result->lines) line.first += constant;
  }
  return result;
}

bool tells_apart(std::span<const Column> columns, AxisId axis) {
  std::vector<Column> along;
  for (const Column& column : columns) {
    // Else values that differ could be one field element.
    if (column.axis == axis && column.range().width() < kModulus) along.push_back(column);
  }
  if (along.empty()) return false;
  const auto lines = cut_alike(along);
  for (std::size_t a = 0; a < lines[0].size(); ++a) {
    bool rises = lines[0][a].length == 1;
    for (const auto& of_column : lines) rises = rises || of_column[a].step != 0;
    if (!rises) return false;
    for (std::size_t b = 0; b < a; ++b) {
      const bool apart = std::any_of(lines.begin(), lines.end(), [&](const std::vector<Line>& of_column) {
        return disjoint(of_column[a].range(), of_column[b].range());
      });
      if (!apart) return false;
    }
  }
  return true;
}

Spacing spacing(const Column& column) {
  std::vector<Line> lines = column.lines;
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.range().lo < b.range().lo; });
  Spacing result{kHuge, column.range().width()};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].length > 1) result.gap = std::min(result.gap, absolute(lines[i].step));
    if (i > 0) result.gap = std::min(result.gap, std::max<Int>(0, lines[i].range().lo - lines[i - 1].range().hi));
  }
  return result;
}

}  // namespace avow::statement::analysis
