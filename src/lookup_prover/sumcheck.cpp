// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/sumcheck.hpp"

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>

#include "base/check.hpp"
#include "base/threads.hpp"
#include "field/factor.hpp"

namespace avow::lookup {

using field::kOne3;
using field::QuadraticSum;

/// eq of the variables above the round's, as a product: pair number i has low[i % kBlock] * high[i / kBlock].
struct LayerSumcheck::Weights {
  std::vector<Fp3> low;
  std::vector<Fp3> low_sums;  // low_sums[i]: the sum of low[0 .. i-1]
  std::vector<Fp3> high;
};

struct LayerSumcheck::Sums {
  QuadraticSum fractions{};
  QuadraticSum inverses{};  // of (q0 + shift) (q1 + shift)
  Fp3 inverses_weight;      // of those pairs together
  Fp3 weight;               // of all stored pairs

  static void add(QuadraticSum& a, const QuadraticSum& b, const Fp3& scale) {
    a.at0 += scale * b.at0;
    a.leading += scale * b.leading;
  }
  void add(const Sums& other) {
    add(fractions, other.fractions, kOne3);
    add(inverses, other.inverses, kOne3);
    inverses_weight += other.inverses_weight;
    weight += other.weight;
  }
};

namespace {

std::size_t grain_for(std::size_t items) { return std::max<std::size_t>(4, items / (8 * base::thread_count())); }

Fractions after(const Fractions& f, std::size_t entries) {
  const auto at = [&](const Fp3* table) { return table == nullptr ? nullptr : table + entries; };
  return {at(f.p0), at(f.p1), at(f.q0), at(f.q1)};
}

}  // namespace

LayerSumcheck::LayerSumcheck(Layer layer, std::span<const Fp3> point, const Fp3& join, Spare& spare)
    : layer_(std::move(layer)), point_(point.begin(), point.end()), join_(join), shift_(join.inverse()), spare_(spare) {
  AVOW_CHECK(layer_.log_size == point_.size() && !point_.empty());
  for (Segment& segment : layer_.segments) {
    for (Edge& edge : segment.edges) edge.p1 = join_;  // of an odd number of cells: p1' of 0/1
  }
  first_round();
}

LayerSumcheck::Weights LayerSumcheck::make_weights() const {
  const auto variables = std::span(point_).subspan(bound_ + 1);
  const std::size_t low = std::min<std::size_t>(variables.size(), kLogBlock);
  Weights weights{field::eq_table(variables.first(low)), {}, field::eq_table(variables.subspan(low))};
  weights.low_sums.resize(weights.low.size() + 1);
  for (std::size_t i = 0; i < weights.low.size(); ++i) {
    weights.low_sums[i + 1] = weights.low_sums[i] + weights.low[i];
  }
  return weights;
}

// An item's pairs; f starts at the first.
void LayerSumcheck::add_pairs(const Segment& segment, const Item& item, const Fractions& f, const Weights& weights,
                              Sums& sums) const {
  const auto [number, run, begin, end] = item;
  const std::uint64_t first = (segment.offset + segment.runs.place(run)) / 2 + begin;
  const std::size_t low = first % kBlock;
  const std::size_t count = end - begin;
  const Fp3& high = weights.high[first / kBlock];
  const std::span<const Fp3> block = std::span(weights.low).subspan(low, count);
  const auto weight_of = [&](std::size_t pairs) {
    return high * (weights.low_sums[low + pairs] - weights.low_sums[low]);
  };
  sums.weight += weight_of(count);
  if (!segment.inverses) {
    Sums::add(sums.fractions, sum_round(f, block), high);
    return;
  }
  const std::size_t pure_pairs = segment.pure / 2;
  const std::size_t pure = std::min(count, std::max(pure_pairs, begin) - begin);
  Sums::add(sums.inverses, sum_round_of_inverses(f, shift_, block.first(pure)), high);
  sums.inverses_weight += weight_of(pure);
  if (pure < count) {
    AVOW_DCHECK(count == pure + 1);
    add_edge(segment, run, f, pure, high * block[pure], sums);
  }
}

/// Numerators of the pair of entries after a run's last pair of pure ones.
struct LayerSumcheck::EdgePair {
  Fp3 p0[2];
  Fp3 p1[2];
};

// q1 is that of the pair's first entry.
LayerSumcheck::EdgePair LayerSumcheck::edge_pair(const Segment& segment, std::size_t run, const Fp3& q1) const {
  EdgePair pair{{Fp3(), Fp3()}, {join_, join_}};
  std::size_t i = 0;
  if (segment.pure % 2 != 0) {
    pair.p0[i] = kOne3;
    pair.p1[i++] = kOne3 + join_ * q1;
  }
  if (segment.has_edge) {
    pair.p0[i] = segment.edge(run).p0;
    pair.p1[i] = segment.edge(run).p1;
  }
  return pair;
}

void LayerSumcheck::add_edge(const Segment& segment, std::size_t run, const Fractions& f, std::size_t pair,
                             const Fp3& weight, Sums& sums) const {
  const Fractions q = after(f, 2 * pair);
  const EdgePair edge = edge_pair(segment, run, *q.q1);
  Sums::add(sums.fractions, sum_round({edge.p0, edge.p1, q.q0, q.q1}, std::span(&weight, 1)), kOne3);
}

void LayerSumcheck::finish(const Sums& sums) {
  // Padding is 0/1: p0 = 0, p1' = join, q0 = q1 = 1. All weights add up to one.
  round_ = sums.fractions;
  Sums::add(round_, sums.inverses, join_);
  round_.at0 += join_ * (kOne3 - sums.weight) - shift_ * sums.inverses_weight;
}

void LayerSumcheck::first_round() {
  const Weights weights = make_weights();
  std::vector<Item> items;
  for (std::size_t i = 0; i <= layer_.segments.size(); ++i) append_items(old_segment(i), i, items);
  Sums total;
  std::mutex mutex;
  base::parallel_for(items.size(), grain_for(items.size()), [&](std::size_t begin, std::size_t end) {
    Scratch scratch;
    Sums sums;
    for (std::size_t i = begin; i < end; ++i) {
      const Item& item = items[i];
      const Segment& segment = old_segment(item.segment);
      const std::size_t count = 2 * (item.end - item.begin);
      const Fractions f = load(layer_, segment, item.run, 2 * item.begin, count, scratch);
      if (!segment.inverses) {
        Fp3* const table = segment.source != nullptr ? scratch.tables[1].data() : layer_.tables.p1.data();
        add_scaled(std::span(table + (f.p1 - table), count), join_, std::span(f.q1, count));
      }
      add_pairs(segment, item, f, weights, sums);
    }
    const std::lock_guard lock(mutex);
    total.add(sums);
  });
  finish(total);
}

const Segment& LayerSumcheck::old_segment(std::size_t number) const {
  return number < layer_.segments.size() ? layer_.segments[number] : layer_.tail;
}

// The numerators of the edge that a run of ones has after folding; q1 is that of the first of the two entries that it
// is made from.
Edge LayerSumcheck::fold_edge(const Segment& old, std::size_t run, const Fp3& q1, const Fp3& r) const {
  const auto [p0, p1] = edge_pair(old, run, q1);
  return {p0[0] + r * (p0[1] - p0[0]), p1[0] + r * (p1[1] - p1[0])};
}

// An item's entries of the half from twice as many, and the padding after them.
void LayerSumcheck::fold_pairs(Halving& plan, const Item& item, const Fp3& r, Scratch& scratch) const {
  const Segment& old = old_segment(item.segment);
  const Target& target = plan.targets[item.segment];
  const Segment& half = target.half;
  Tables& out = plan.next.tables;
  const std::size_t first = 4 * item.begin;
  const std::size_t count = std::min(4 * item.end, old.runs.length) - first;
  const Fractions f = load(layer_, old, item.run, first, count, scratch);
  if (old.source != nullptr && !old.inverses) {
    add_scaled(std::span(scratch.tables[1]).first(count), join_, std::span(f.q1, count));
  }
  const std::size_t begin = target.begin(item.run) + 2 * item.begin;
  const auto fold_into = [&](const Fp3* in, base::Buffer<Fp3>& table, std::size_t at, const Fp3& padding) {
    Fp3* const to = table.data() + at + begin;
    fold(std::span(in, count), r, std::span(to, count / 2));
    if (count / 2 < 2 * (item.end - item.begin)) to[count / 2] = padding;
  };
  fold_into(f.q0, out.q0, half.q_at, kOne3);
  fold_into(f.q1, out.q1, half.q_at, kOne3);
  if (old.inverses) {
    fold_ones(plan, item, f, r);
  } else {
    fold_into(f.p0, out.p0, half.p_at, Fp3());
    fold_into(f.p1, out.p1, half.p_at, join_);
  }
  pad_after(target, item, join_, out);
}

// The numerators of an item whose old segment had none, as far as they are to be stored; f holds the old entries.
void LayerSumcheck::fold_ones(Halving& plan, const Item& item, const Fractions& f, const Fp3& r) const {
  const Segment& half = plan.targets[item.segment].half;
  Edge edge;
  const bool has_edge = half.has_edge && half.pure >= 2 * item.begin && half.pure < 2 * item.end;
  if (has_edge) edge = fold_edge(old_segment(item.segment), item.run, f.q1[2 * (half.pure - 2 * item.begin)], r);
  if (half.inverses) {
    if (has_edge) plan.next.segments[item.segment].edges[item.run] = edge;
    return;
  }
  Tables& out = plan.next.tables;
  const std::size_t begin = plan.targets[item.segment].begin(item.run);
  for (std::size_t x = 2 * item.begin; x < 2 * item.end; ++x) {
    const bool pure = x < half.pure;
    const bool is_edge = has_edge && x == half.pure;
    const Fp3& q1 = out.q1[half.q_at + begin + x];
    out.p0[half.p_at + begin + x] = pure ? kOne3 : is_edge ? edge.p0 : Fp3();
    out.p1[half.p_at + begin + x] = pure ? kOne3 + join_ * q1 : is_edge ? edge.p1 : join_;
  }
}

void LayerSumcheck::bind(const Fp3& r) {
  Halving plan = plan_halving(layer_, Halving::Kind::kFold, spare_);
  Tables& tables = plan.next.tables;
  const bool last = ++bound_ == point_.size();
  const Weights weights = last ? Weights{} : make_weights();
  Sums total;
  std::mutex mutex;
  std::vector<Item> items;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) append_items(plan.targets[i].half, i, items);
  base::parallel_for(items.size(), grain_for(items.size()), [&](std::size_t begin, std::size_t end) {
    Scratch scratch;
    Sums sums;
    for (std::size_t i = begin; i < end; ++i) {
      const Item& item = items[i];
      const Target& target = plan.targets[item.segment];
      fold_pairs(plan, item, r, scratch);
      if (item.segment >= plan.next.segments.size()) continue;
      // What was just folded is in the cache: the next round's sums cost no second pass.
      const Segment& half = target.half;
      const std::size_t at = target.begin(item.run) + 2 * item.begin;
      Fractions f{nullptr, nullptr, tables.q0.data() + half.q_at + at, tables.q1.data() + half.q_at + at};
      if (!half.inverses) {
        f.p0 = tables.p0.data() + half.p_at + at;
        f.p1 = tables.p1.data() + half.p_at + at;
      }
      // The next layer's segment has the edges; without ones, only what was folded is added, not what pads it.
      add_pairs(half.inverses ? plan.next.segments[item.segment] : half, item, f, weights, sums);
    }
    const std::lock_guard lock(mutex);
    total.add(sums);
  });
  finish_tail(plan, join_);
  auto& [p0, p1, q0, q1] = layer_.tables;
  for (auto* table : {&p0, &p1, &q0, &q1}) spare_.give(std::move(*table));
  layer_ = std::move(plan.next);
  if (last) return;

  std::vector<Item> tail_items;
  append_items(layer_.tail, layer_.segments.size(), tail_items);
  base::parallel_for(tail_items.size(), grain_for(tail_items.size()), [&](std::size_t begin, std::size_t end) {
    Scratch scratch;
    Sums sums;
    for (std::size_t i = begin; i < end; ++i) {
      const Item& item = tail_items[i];
      const Fractions f = load(layer_, layer_.tail, 0, 2 * item.begin, 2 * (item.end - item.begin), scratch);
      add_pairs(layer_.tail, item, f, weights, sums);
    }
    const std::lock_guard lock(mutex);
    total.add(sums);
  });
  finish(total);
}

LayerSumcheck::Entry LayerSumcheck::entry(std::uint64_t index) const {
  AVOW_CHECK(index >= layer_.tail.offset && index - layer_.tail.offset < layer_.tail.runs.length);
  const Tables& t = layer_.tables;
  const std::size_t x = index - layer_.tail.offset;
  const std::size_t p = layer_.tail.p_at + x;
  const std::size_t q = layer_.tail.q_at + x;
  return {t.p0[p], t.p1[p] - join_ * t.q1[q], t.q0[q], t.q1[q]};
}

}  // namespace avow::lookup
