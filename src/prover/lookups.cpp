// SPDX-License-Identifier: Apache-2.0
#include "prover/lookups.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/check.hpp"

namespace avow::prover {

using field::Fp;
using field::kOne3;
using statement::Binding;

namespace {

struct TupleHash {
  std::size_t operator()(const std::vector<std::int64_t>& tuple) const noexcept {
    std::uint64_t hash = 0;
    for (const std::int64_t x : tuple) hash = (hash ^ static_cast<std::uint64_t>(x)) * 0x9e3779b97f4a7c15ull + 1;
    return hash ^ (hash >> 29);
  }
};

// Finds the row of a tuple: by arithmetic where columns count along the axes, else in a hash map.
class RowFinder {
 public:
  RowFinder(std::span<const std::uint64_t> shape, const Tuples& rows) : rows_(rows), size_(rows.entries[0].size()) {
    std::uint64_t stride = size_;
    for (const std::uint64_t length : shape) {
      stride /= length;
      if (length > 1 && !add_counter(length, stride)) {
        make_map();
        return;
      }
    }
  }

  // The row, or size() if there is none.
  [[nodiscard]] std::uint64_t find(std::span<const std::int64_t> tuple) const {
    if (!map_.empty()) {
      const auto it = map_.find({tuple.begin(), tuple.end()});
      return it == map_.end() ? size_ : it->second;
    }
    std::uint64_t row = 0;
    for (const Counter& c : counters_) {
      const std::int64_t place = (tuple[c.column] - c.first) * c.step;
      if (place < 0 || static_cast<std::uint64_t>(place) >= c.length) return size_;
      row += static_cast<std::uint64_t>(place) * c.stride;
    }
    for (std::size_t k = 0; k < tuple.size(); ++k) {
      if (rows_.entries[k].at(row) != tuple[k]) return size_;
    }
    return row;
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

 private:
  struct Counter {
    std::size_t column;
    std::int64_t first;
    std::int64_t step;  // 1 or -1
    std::uint64_t length;
    std::uint64_t stride;
  };

  bool add_counter(std::uint64_t length, std::uint64_t stride) {
    for (std::size_t k = 0; k < rows_.entries.size(); ++k) {
      const Array& column = rows_.entries[k];
      const Counter counter{k, column.at(0), column.at(stride) - column.at(0), length, stride};
      if (counter.step != 1 && counter.step != -1) continue;
      bool counts = true;
      for (std::uint64_t row = 0; row < size_ && counts; ++row) {
        const auto place = static_cast<std::int64_t>(row / stride % length);
        counts = column.at(row) == counter.first + counter.step * place;
      }
      if (counts) {
        counters_.push_back(counter);
        return true;
      }
    }
    return false;
  }

  void make_map() {
    std::vector<std::int64_t> tuple(rows_.entries.size());
    for (std::uint64_t row = 0; row < size_; ++row) {
      for (std::size_t k = 0; k < tuple.size(); ++k) tuple[k] = rows_.entries[k].at(row);
      map_.emplace(tuple, row);
    }
  }

  const Tuples& rows_;
  std::uint64_t size_;
  std::vector<Counter> counters_;
  std::unordered_map<std::vector<std::int64_t>, std::uint64_t, TupleHash> map_;
};

// The tensor that an expression is, cell by cell.
const Array* tensor_of(const Tensors& tensors, std::span<const AxisId> axes, const statement::Expression& terms) {
  if (terms.size() != 1 || terms[0].coefficient != 1 || terms[0].factors.size() != 1) return nullptr;
  const statement::Access& access = terms[0].factors[0];
  if (access.indices.size() != axes.size()) return nullptr;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (access.indices[i].kind != statement::Index::Kind::kAxis || access.indices[i].value != axes[i]) return nullptr;
  }
  return &tensors.get(access.tensor);
}

std::vector<Array> evaluate_all(const Tensors& tensors, std::span<const AxisId> axes,
                                const std::vector<statement::Expression>& entries) {
  std::vector<Array> arrays;
  for (const auto& entry : entries) {
    const Array* tensor = tensor_of(tensors, axes, entry);
    arrays.push_back(tensor != nullptr && tensor->size() == tensors.binding().cells(axes)
                         ? Array::borrow(*tensor)
                         : evaluate(tensors, axes, entry));
  }
  return arrays;
}

// Where the cells lie in the padded cube.
lookup::Runs runs_of(std::span<const std::uint64_t> shape) {
  lookup::Runs runs{1, {}};
  unsigned log_stride = 0;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (runs.length == std::uint64_t{1} << log_stride) {
      runs.length *= shape[i];
    } else if (shape[i] > 1) {
      runs.levels.push_back({log_stride, shape[i]});
    }
    log_stride += statement::log_extent(shape[i]);
  }
  return runs;
}

}  // namespace

Tuples tuples_of(const Tensors& tensors, const statement::Lookup& lookup) {
  Tuples tuples{evaluate_all(tensors, lookup.axes, lookup.tuple), {}};
  if (lookup.mask) tuples.mask = evaluate(tensors, lookup.axes, {{1, {*lookup.mask}}});
  return tuples;
}

Tuples rows_of(const Tensors& tensors, const statement::Table& table) {
  return {evaluate_all(tensors, table.axes, table.columns), {}};
}

Counts count_rows(const Binding& binding, statement::TableId table, const Tuples& rows,
                  std::span<const Tuples> lookups) {
  const auto& s = binding.statement();
  const auto shape = binding.shape(s.tables[table].axes);
  const RowFinder finder(shape, rows);
  Counts counts{std::vector<std::int64_t>(finder.size()), std::nullopt};
  std::vector<std::int64_t> tuple(rows.entries.size());
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    if (s.lookups[i].table != table) continue;
    const Tuples& cells = lookups[i];
    for (std::size_t cell = 0; cell < cells.entries[0].size(); ++cell) {
      if (cells.mask.size() != 0 && cells.mask.at(cell) == 0) continue;
      for (std::size_t k = 0; k < tuple.size(); ++k) tuple[k] = cells.entries[k].at(cell);
      const std::uint64_t row = finder.find(tuple);
      if (row < finder.size()) {
        ++counts.rows[row];
      } else if (!counts.missing) {
        counts.missing = fmt::format("lookup '{}': ({}) at cell {} is not in table '{}'", s.lookups[i].name,
                                     fmt::join(tuple, ", "), cell, s.tables[table].name);
      }
    }
  }
  return counts;
}

lookup::ColumnData ColumnCells::data() const {
  lookup::ColumnData data{{}, lookup::Ones{}, &cells};
  if (!ints.empty()) data.numerators = std::span<const std::int32_t>(ints);
  if (!elements.empty()) data.numerators = std::span<const Fp3>(elements);
  return data;
}

ColumnCells column_cells(const Binding& binding, std::span<const AxisId> axes, statement::TableId table,
                         std::uint32_t tag_power, Tuples tuples, const reduction::Challenges& challenges,
                         const Array* multiplicities) {
  ColumnCells column{std::move(tuples), {}, {}, {}};
  column.cells.runs = runs_of(binding.shape(axes));
  Fp3 power = kOne3;
  for (const Array& entry : column.tuples.entries) {
    column.cells.entries.push_back({entry.type(), entry.data(), power});
    power *= challenges.beta;
  }
  for (std::size_t i = column.tuples.entries.size(); i < tag_power; ++i) power *= challenges.beta;
  column.cells.constant = challenges.alpha - power * Fp(table);
  if (const Array& mask = column.tuples.mask; mask.size() != 0) {
    AVOW_CHECK(mask.type() == field::CellType::kInt8);
    column.cells.mask = {static_cast<const std::int8_t*>(mask.data()), mask.size()};
  }
  if (multiplicities == nullptr) return column;
  const bool wide = multiplicities->type() == field::CellType::kFp;
  if (wide) {
    column.elements.resize(column.cells.size());
  } else {
    column.ints.resize(column.cells.size());
  }
  std::size_t cell = 0;
  const lookup::Runs& runs = column.cells.runs;
  for (std::uint64_t run = 0; run < runs.count(); ++run) {
    const std::uint64_t place = runs.place(run);
    for (std::uint64_t i = place; i < place + runs.length; ++i, ++cell) {
      if (wide) {
        column.elements[i] = Fp3(Fp::from_int(-multiplicities->at(cell)));
      } else {
        column.ints[i] = static_cast<std::int32_t>(-multiplicities->at(cell));
      }
    }
  }
  return column;
}

}  // namespace avow::prover
