// SPDX-License-Identifier: Apache-2.0
#include "prover/lookups.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/check.hpp"
#include "base/threads.hpp"

namespace avow::prover {

using field::Fp;
using field::kOne3;
using statement::Binding;

namespace {

constexpr std::size_t kLookupGrain = std::size_t{1} << 14;

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

std::vector<Array> evaluate_all(const Tensors& tensors, std::span<const AxisId> axes,
                                const std::vector<statement::Expression>& entries) {
  std::vector<Array> arrays;
  for (const auto& entry : entries) arrays.push_back(evaluate(tensors, axes, entry));
  return arrays;
}

// The shape with its axes padded to powers of two.
std::vector<std::uint64_t> padded(std::span<const std::uint64_t> shape) {
  std::vector<std::uint64_t> result;
  for (const std::uint64_t length : shape) result.push_back(std::uint64_t{1} << statement::log_extent(length));
  return result;
}

// Runs of cells that are neighbours in the padded cube as well: body(first cell, its place in the cube, count).
template <typename Body>
void for_each_run(std::span<const std::uint64_t> shape, const Body& body) {
  const auto cube = padded(shape);
  std::size_t run = 1;
  std::size_t outer = shape.size();
  while (outer > 0) {
    run *= shape[--outer];
    if (shape[outer] != cube[outer]) break;
  }
  std::size_t runs = 1;
  for (std::size_t i = 0; i < outer; ++i) runs *= shape[i];
  // Long runs are cut, short ones put together.
  const std::size_t cuts = (run + kLookupGrain - 1) / kLookupGrain;
  base::parallel_for(runs * cuts, std::max<std::size_t>(1, kLookupGrain / run),
                     [&](std::size_t begin, std::size_t end) {
                       for (std::size_t item = begin; item < end; ++item) {
                         std::size_t rest = item / cuts;
                         std::size_t place = 0;
                         std::size_t stride = 1;
                         for (std::size_t i = shape.size(); i-- > outer;) stride *= cube[i];
                         for (std::size_t i = outer; i-- > 0;) {
                           place += rest % shape[i] * stride;
                           rest /= shape[i];
                           stride *= cube[i];
                         }
                         const std::size_t first = item % cuts * kLookupGrain;
                         body(item / cuts * run + first, place + first, std::min(kLookupGrain, run - first));
                       }
                     });
}

// One more than the last place of a cell in the padded cube.
std::size_t stored_cells(std::span<const std::uint64_t> shape) {
  std::size_t last = 0;
  const auto cube = padded(shape);
  for (std::size_t i = 0; i < shape.size(); ++i) last = last * cube[i] + shape[i] - 1;
  return last + 1;
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
  lookup::ColumnData data{denominators, lookup::Ones{}};
  if (!ints.empty()) data.numerators = std::span<const std::int32_t>(ints);
  if (!elements.empty()) data.numerators = std::span<const Fp3>(elements);
  return data;
}

ColumnCells column_cells(const Binding& binding, std::span<const AxisId> axes, statement::TableId table,
                         std::uint32_t tag_power, const Tuples& tuples, const reduction::Challenges& challenges,
                         const Array* multiplicities) {
  const auto shape = binding.shape(axes);
  const std::size_t stored = stored_cells(shape);
  const std::size_t cells = tuples.entries[0].size();
  ColumnCells column{base::Buffer<Fp3>(stored), {}, {}};
  const bool has_gaps = stored != cells;
  const bool wide = multiplicities != nullptr && multiplicities->type() == field::CellType::kFp;
  const bool has_ints = !wide && (multiplicities != nullptr || tuples.mask.size() != 0 || has_gaps);
  if (has_gaps) std::fill_n(column.denominators.data(), stored, kOne3);
  if (has_ints) column.ints.resize(stored);
  if (wide) column.elements.resize(stored);

  std::vector<Fp3> powers = {kOne3};
  while (powers.size() <= tag_power) powers.push_back(powers.back() * challenges.beta);
  const Fp3 constant = challenges.alpha - powers[tag_power] * Fp(table);
  for_each_run(shape, [&](std::size_t first, std::size_t place, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Fp3 d = constant;
      d.c[0] -= Fp::from_int(tuples.entries[0].at(first + i));
      for (std::size_t k = 1; k < tuples.entries.size(); ++k) {
        d -= powers[k] * Fp::from_int(tuples.entries[k].at(first + i));
      }
      column.denominators[place + i] = d;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (wide) {
        column.elements[place + i] = Fp3(Fp::from_int(-multiplicities->at(first + i)));
      } else if (multiplicities != nullptr) {
        column.ints[place + i] = static_cast<std::int32_t>(-multiplicities->at(first + i));
      } else if (has_ints) {
        column.ints[place + i] = tuples.mask.size() != 0 ? static_cast<std::int32_t>(tuples.mask.at(first + i)) : 1;
      }
    }
  });
  return column;
}

}  // namespace avow::prover
