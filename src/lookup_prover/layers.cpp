// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/layers.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/threads.hpp"
#include "lookup_prover/halving.hpp"

namespace avow::lookup {
namespace {

// Entries of a column, straight from its cells.
void load_cells(const ColumnData& column, bool numerators, std::size_t first, std::size_t count,
                Scratch::Table (&tables)[4]) {
  const std::size_t cells = column.size();
  const std::size_t whole = std::min(count, std::max(cells / 2, first) - first);
  auto& [p0, p1, q0, q1] = tables;
  load_pairs(column, numerators, first, whole, {p0.data(), p1.data(), q0.data(), q1.data()});
  for (std::size_t i = whole; i < count; ++i) {
    const Fraction even = cell_at(column, 2 * (first + i));
    const Fraction odd = cell_at(column, 2 * (first + i) + 1);
    p0[i] = even.numerator;
    p1[i] = odd.numerator;
    q0[i] = even.denominator;
    q1[i] = odd.denominator;
  }
}

// The lowest layer's segment of a column, but for its place.
Segment segment_of_cells(const ColumnData& column) {
  const Runs cells = column.runs();
  const Runs joined = join_gaps(cells, 2 * kMinGap);
  Segment segment;
  segment.runs = halve(joined);
  segment.source = &column;
  if (column.is_ones() && joined == cells) {
    segment.inverses = true;
    segment.pure = cells.length / 2;
    segment.has_edge = cells.length % 2 != 0;
    if (segment.has_edge) segment.edges = {{field::kOne3, Fp3()}};  // 1/q and 0/1
  }
  return segment;
}

// The sums of the fractions of entries first, first + 1, .. of a run that is not folded; f starts at the first.
void add_entries(const Segment& segment, const Fractions& f, std::size_t first, std::span<Fp3> sums,
                 std::span<Fp3> products) {
  if (!segment.inverses) return add_fractions(f, sums, products);
  const std::size_t pure = std::min(sums.size(), std::max(segment.pure, first) - first);
  add_inverses(f, sums.first(pure), products.first(pure));
  for (std::size_t i = pure; i < sums.size(); ++i) {
    // The edge of the lowest layer is an odd number of cells: 1/q and 0/1.
    sums[i] = i + first == segment.pure && segment.has_edge ? field::kOne3 : Fp3();
    products[i] = f.q0[i] * f.q1[i];
  }
}

// Entries of a run of the layer above the lowest, from the cells.
void load_sums(const Segment& segment, std::size_t run, std::size_t first, std::size_t count, Scratch& scratch) {
  if (scratch.sums.empty()) {
    for (auto& table : scratch.cells) table.resize(2 * Scratch::kEntries);
    scratch.sums.resize(2 * Scratch::kEntries);
    scratch.products.resize(2 * Scratch::kEntries);
  }
  Segment below = segment_of_cells(*segment.source);
  // Where runs have been joined, entries between them are no inverses.
  below.inverses = below.inverses && below.runs.count() == segment.runs.count();
  load_cells(*segment.source, !below.inverses, 2 * (segment.runs.place(run) + first), 2 * count, scratch.cells);
  const auto& [p0, p1, q0, q1] = scratch.cells;
  const std::span<Fp3> sums = std::span(scratch.sums).first(2 * count);
  const std::span<Fp3> products = std::span(scratch.products).first(2 * count);
  add_entries(below, {p0.data(), p1.data(), q0.data(), q1.data()}, 2 * first, sums, products);
  const auto out = [&](std::size_t i) { return std::span(scratch.tables[i]).first(count); };
  split(sums, out(0), out(1));
  split(products, out(2), out(3));
}

}  // namespace

Fractions load(const Layer& layer, const Segment& segment, std::size_t run, std::size_t first, std::size_t count,
               Scratch& scratch) {
  Fractions view;
  if (segment.source != nullptr) {
    if (segment.depth == 0) {
      load_cells(*segment.source, !segment.inverses, segment.runs.place(run) + first, count, scratch.tables);
    } else {
      load_sums(segment, run, first, count, scratch);
    }
    view = {scratch.tables[0].data(), scratch.tables[1].data(), scratch.tables[2].data(), scratch.tables[3].data()};
  } else {
    const std::size_t at = run * segment.runs.length + first;
    view.q0 = layer.tables.q0.data() + segment.q_at + at;
    view.q1 = layer.tables.q1.data() + segment.q_at + at;
    view.p0 = layer.tables.p0.data() + segment.p_at + at;
    view.p1 = layer.tables.p1.data() + segment.p_at + at;
  }
  if (segment.inverses) view.p0 = view.p1 = nullptr;
  return view;
}

Layer make_leaves(const Config& config, const Layout& layout, std::span<const ColumnData> columns) {
  Layer layer;
  layer.log_size = layout.log_cells - 1;
  std::vector<Fp3> p;
  std::vector<Fp3> q;
  for (const std::uint32_t j : layout.order) {
    const unsigned log_size = config.columns[j].log_size;
    const ColumnData& column = columns[j];
    if (log_size > kLogSmall + 1) {
      Segment segment = segment_of_cells(column);
      segment.offset = layout.offsets[j] / 2;
      segment.log_size = log_size - 1;
      layer.segments.push_back(segment);
    } else {
      if (q.empty()) layer.tail.offset = layout.offsets[j] / 2;
      for (std::uint64_t x = 0; x < std::uint64_t{1} << log_size; ++x) {
        const Fraction cell = cell_at(column, x);
        p.push_back(cell.numerator);
        q.push_back(cell.denominator);
      }
    }
  }
  while (q.size() % 4 != 0) {
    p.push_back(Fp3());
    q.push_back(field::kOne3);
  }
  layer.tail.runs.length = q.size() / 2;
  for (auto* table : {&layer.tables.p0, &layer.tables.p1, &layer.tables.q0, &layer.tables.q1}) {
    *table = base::Buffer<Fp3>(q.size() / 2);
  }
  const auto half = [&](base::Buffer<Fp3>& table) {
    const std::span<Fp3> all = table;
    return all.first(q.size() / 2);
  };
  split(p, half(layer.tables.p0), half(layer.tables.p1));
  split(q, half(layer.tables.q0), half(layer.tables.q1));
  return layer;
}

Layer add_pairs(const Layer& layer) {
  Spare none;
  Halving plan = plan_halving(layer, Halving::Kind::kAdd, none);
  Tables& t = plan.next.tables;
  std::vector<Item> items;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    if (plan.targets[i].half.source == nullptr) append_items(plan.targets[i].half, i, items);
  }
  const auto body = [&](const Item& item, Scratch& scratch, std::vector<Fp3>& p, std::vector<Fp3>& q) {
    const bool is_tail = item.segment + 1 == plan.targets.size();
    const Segment& old = is_tail ? layer.tail : layer.segments[item.segment];
    const Target& target = plan.targets[item.segment];
    // Entries of the old layer are fractions of the new one, which has half as many entries.
    const std::size_t first = 4 * item.begin;
    const std::size_t count = std::min(4 * item.end, old.runs.length) - first;
    const Fractions f = load(layer, old, item.run, first, count, scratch);
    const std::span<Fp3> sums = std::span(p).first(4 * (item.end - item.begin));
    const std::span<Fp3> products = std::span(q).first(sums.size());
    add_entries(old, f, first, sums.first(count), products.first(count));
    std::fill(sums.begin() + static_cast<std::ptrdiff_t>(count), sums.end(), Fp3());
    std::fill(products.begin() + static_cast<std::ptrdiff_t>(count), products.end(), field::kOne3);
    const std::size_t begin = target.begin(item.run) + 2 * item.begin;
    const auto out = [&](base::Buffer<Fp3>& table, std::size_t at) {
      const std::span<Fp3> all = table;
      return all.subspan(at + begin, sums.size() / 2);
    };
    split(sums, out(t.p0, target.half.p_at), out(t.p1, target.half.p_at));
    split(products, out(t.q0, target.half.q_at), out(t.q1, target.half.q_at));
    pad_after(target, item, Fp3(), t);
  };
  const std::size_t grain = std::max<std::size_t>(8, items.size() / (8 * base::thread_count()));
  base::parallel_for(items.size(), grain, [&](std::size_t begin, std::size_t end) {
    Scratch scratch;
    std::vector<Fp3> p(4 * kBlock);
    std::vector<Fp3> q(4 * kBlock);
    for (std::size_t i = begin; i < end; ++i) body(items[i], scratch, p, q);
  });
  finish_tail(plan, Fp3());
  return std::move(plan.next);
}

Fraction fraction_at(const Layer& layer, std::uint64_t index) {
  AVOW_CHECK(layer.segments.empty());
  const std::uint64_t x = index / 2;
  if (x >= layer.tail.runs.length) return {Fp3(), field::kOne3};
  const Tables& t = layer.tables;
  const std::size_t p = layer.tail.p_at + x;
  const std::size_t q = layer.tail.q_at + x;
  return index % 2 == 0 ? Fraction{t.p0[p], t.q0[q]} : Fraction{t.p1[p], t.q1[q]};
}

}  // namespace avow::lookup
