// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/cells.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "lookup_prover/kernels.hpp"

namespace avow::lookup {
namespace {

using field::CellType;
using field::Fp;
using field::kOne3;

// Even and odd cells of a table, by the number of the cell.
struct Pairs {
  Fp3* parts[2];
  [[nodiscard]] Fp3& operator[](std::size_t cell) const { return parts[cell % 2][cell / 2]; }
};

Fp element(Fp x) { return x; }
Fp element(std::int32_t x) { return Fp::from_int(x); }

template <typename T>
void subtract(const T* cells, const Fp3& factor, std::size_t begin, std::size_t end, const Pairs& out) {
  if (factor == kOne3) {
    for (std::size_t x = begin; x < end; ++x) out[x].c[0] -= element(*cells++);
  } else {
    for (std::size_t x = begin; x < end; ++x) out[x] -= factor * element(*cells++);
  }
}

// Subtracts an entry's cells from number `at` on from out[begin, end).
void subtract(const TupleCells::Entry& entry, std::size_t at, std::size_t begin, std::size_t end, const Pairs& out) {
  const void* cells = static_cast<const std::uint8_t*>(entry.cells) + at * field::cell_bytes(entry.type);
  switch (entry.type) {
    case CellType::kInt8:
      return subtract(static_cast<const std::int8_t*>(cells), entry.factor, begin, end, out);
    case CellType::kInt16:
      return subtract(static_cast<const std::int16_t*>(cells), entry.factor, begin, end, out);
    case CellType::kInt32:
      return subtract(static_cast<const std::int32_t*>(cells), entry.factor, begin, end, out);
    case CellType::kFp:
      return subtract(static_cast<const Fp*>(cells), entry.factor, begin, end, out);
  }
}

// Cells [first, first + count) of a column to places 0, 1, ..; p is not written unless `numerators`.
void load_tuples(const TupleCells& tuples, bool numerators, std::size_t first, std::size_t count, const Pairs& p,
                 const Pairs& q) {
  const auto fill = [&](std::size_t begin, std::size_t end, const Fp3& numerator, const Fp3& denominator) {
    for (std::size_t x = begin; x < end; ++x) q[x] = denominator;
    for (std::size_t x = begin; x < end && numerators; ++x) p[x] = numerator;
  };
  const std::size_t last = first + count;
  const Runs& runs = tuples.runs;
  const std::size_t all = runs.count();
  std::size_t run = runs.find(first);
  for (std::size_t at = first; at < last;) {
    // Cells of this run, or up to it.
    const std::size_t begin = run < all ? runs.place(run) : last;
    if (at < begin) {
      const std::size_t end = std::min(begin, last);
      fill(at - first, end - first, Fp3(), kOne3);
      at = end;
      continue;
    }
    const std::size_t end = std::min<std::size_t>(begin + runs.length, last);
    fill(at - first, end - first, kOne3, tuples.constant);
    const std::size_t cell = run * runs.length + (at - begin);
    for (const auto& entry : tuples.entries) subtract(entry, cell, at - first, end - first, q);
    for (std::size_t x = at; x < end && numerators && !tuples.mask.empty(); ++x) {
      if (tuples.mask[cell + (x - at)] == 0) p[x - first] = Fp3();
    }
    at = end;
    ++run;
  }
}

}  // namespace

Fraction cell_at(const ColumnData& column, std::uint64_t index) {
  if (index >= column.size()) return {Fp3(), kOne3};
  Fraction cell{kOne3, Fp3()};
  if (column.tuples != nullptr) {
    Fp3 p, q;
    load_tuples(*column.tuples, true, index, 1, {{&p, nullptr}}, {{&q, nullptr}});
    cell = {p, q};
  } else {
    cell.denominator = column.denominators[index];
  }
  if (const auto* ints = std::get_if<std::span<const std::int32_t>>(&column.numerators)) {
    cell.numerator = Fp3(Fp::from_int((*ints)[index]));
  } else if (const auto* elements = std::get_if<std::span<const Fp3>>(&column.numerators)) {
    cell.numerator = (*elements)[index];
  }
  return cell;
}

void load_pairs(const ColumnData& column, bool numerators, std::size_t first, std::size_t count,
                const CellTables& tables) {
  if (count == 0) return;
  const auto spans = [&](Fp3* even, Fp3* odd, const auto& cells) {
    split(cells.subspan(2 * first, 2 * count), std::span(even, count), std::span(odd, count));
  };
  const bool given = !std::holds_alternative<Ones>(column.numerators);
  if (column.tuples != nullptr) {
    load_tuples(*column.tuples, numerators && !given, 2 * first, 2 * count, {{tables.p0, tables.p1}},
                {{tables.q0, tables.q1}});
  } else {
    spans(tables.q0, tables.q1, column.denominators);
    AVOW_CHECK(given || !numerators);  // ones are never asked for: they are inverses
  }
  if (!numerators) return;
  if (const auto* ints = std::get_if<std::span<const std::int32_t>>(&column.numerators)) {
    spans(tables.p0, tables.p1, *ints);
  } else if (const auto* elements = std::get_if<std::span<const Fp3>>(&column.numerators)) {
    spans(tables.p0, tables.p1, *elements);
  }
}

}  // namespace avow::lookup
