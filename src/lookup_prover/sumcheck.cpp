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

LayerSumcheck::LayerSumcheck(Layer layer, std::span<const Fp3> point, const Fp3& join)
    : layer_(std::move(layer)), point_(point.begin(), point.end()), join_(join), shift_(join.inverse()) {
  AVOW_CHECK(layer_.log_size == point_.size() && !point_.empty());
  for (Segment& segment : layer_.segments) segment.edge_p1 = join_;  // of an odd number of cells: p1' of 0/1
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

// Pairs [begin, end) of a segment, all in one block; f starts at the first.
void LayerSumcheck::add_pairs(const Segment& segment, std::size_t begin, std::size_t end, const Fractions& f,
                              const Weights& weights, Sums& sums) const {
  const std::uint64_t first = segment.offset / 2 + begin;
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
    add_edge(segment, f, pure, high * block[pure], sums);
  }
}

void LayerSumcheck::add_edge(const Segment& segment, const Fractions& f, std::size_t pair, const Fp3& weight,
                             Sums& sums) const {
  const Fractions q = after(f, 2 * pair);
  const EdgePair edge = edge_pair(segment, kOne3 + join_ * *q.q1, join_);
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
  std::vector<Segment> segments = layer_.segments;
  segments.push_back(layer_.tail);
  const auto items = make_items(segments, 0, segments.size());
  Sums total;
  std::mutex mutex;
  base::parallel_for(items.size(), grain_for(items.size()), [&](std::size_t begin, std::size_t end) {
    Scratch scratch;
    Sums sums;
    for (std::size_t i = begin; i < end; ++i) {
      const Item& item = items[i];
      const Segment& segment = segments[item.target];
      const std::size_t first = 2 * item.begin;
      const std::size_t count = 2 * (item.end - item.begin);
      const Fractions f = load(layer_, segment, first, count, scratch);
      if (!segment.inverses) {
        Fp3* p1 = segment.source != nullptr ? scratch.tables[1].data() : layer_.tables.p1.data() + segment.p_at + first;
        add_scaled(std::span(p1, count), join_, std::span(f.q1, count));
      }
      add_pairs(segment, item.begin, item.end, f, weights, sums);
    }
    const std::lock_guard lock(mutex);
    total.add(sums);
  });
  finish(total);
}

const Segment& LayerSumcheck::old_segment(std::size_t target) const {
  return target < layer_.segments.size() ? layer_.segments[target] : layer_.tail;
}

void LayerSumcheck::fold_edge(const Segment& old, Segment& half, const Fp3& r) const {
  half.pure = old.pure / 2;
  half.has_edge = old.pure % 2 != 0 || old.has_edge;
  if (!half.has_edge) return;
  Scratch scratch;
  const Fractions f = load(layer_, old, 2 * half.pure, 2, scratch);
  const EdgePair edge = edge_pair(old, kOne3 + join_ * *f.q1, join_);
  half.edge_p0 = edge.p0[0] + r * (edge.p0[1] - edge.p0[0]);
  half.edge_p1 = edge.p1[0] + r * (edge.p1[1] - edge.p1[0]);
}

// Entries 2 begin .. 2 end of the half from twice as many, and its padding entry if they reach it.
void LayerSumcheck::fold_pairs(const Segment& old, const Segment& half, const Item& item, const Fp3& r, Tables& out,
                               Scratch& scratch) const {
  const std::size_t first = 4 * item.begin;
  const std::size_t count = std::min(4 * item.end, old.count) - first;
  const Fractions f = load(layer_, old, first, count, scratch);
  if (old.source != nullptr && !old.inverses) {
    add_scaled(std::span(scratch.tables[1]).first(count), join_, std::span(f.q1, count));
  }
  const auto fold_into = [&](const Fp3* in, base::Buffer<Fp3>& table, std::size_t at, const Fp3& padding) {
    Fp3* const to = table.data() + at + 2 * item.begin;
    fold(std::span(in, count), r, std::span(to, count / 2));
    if (count / 2 < 2 * (item.end - item.begin)) to[count / 2] = padding;
  };
  fold_into(f.q0, out.q0, half.q_at, kOne3);
  fold_into(f.q1, out.q1, half.q_at, kOne3);
  if (old.inverses) return;
  fold_into(f.p0, out.p0, half.p_at, Fp3());
  fold_into(f.p1, out.p1, half.p_at, join_);
}

void LayerSumcheck::bind(const Fp3& r) {
  Halving plan = plan_halving(layer_, Halving::Kind::kFold, std::move(spare_));
  for (std::size_t i = 0; i + 1 < plan.targets.size(); ++i) {
    if (plan.targets[i].inverses) fold_edge(layer_.segments[i], plan.targets[i], r);
  }
  Layer& next = plan.next;
  const std::size_t apart = next.segments.size();  // targets that are not parts of the tail
  std::copy_n(plan.targets.begin(), apart, next.segments.begin());

  const bool last = ++bound_ == point_.size();
  const Weights weights = last ? Weights{} : make_weights();
  Sums total;
  std::mutex mutex;
  const auto items = make_items(plan.targets, 0, plan.targets.size());
  base::parallel_for(items.size(), grain_for(items.size()), [&](std::size_t begin, std::size_t end) {
    Scratch scratch;
    Sums sums;
    for (std::size_t i = begin; i < end; ++i) {
      const Item& item = items[i];
      const Segment& half = plan.targets[item.target];
      fold_pairs(old_segment(item.target), half, item, r, next.tables, scratch);
      if (item.target >= apart) continue;
      // What was just folded is in the cache: the next round's sums cost no second pass.
      const Fractions f = load(next, half, 2 * item.begin, 2 * (item.end - item.begin), scratch);
      add_pairs(half, item.begin, item.end, f, weights, sums);
    }
    const std::lock_guard lock(mutex);
    total.add(sums);
  });
  finish_tail(plan, join_, join_);
  spare_ = std::move(layer_.tables);
  layer_ = std::move(next);
  if (last) return;

  const auto tail_items = make_items(std::span(&layer_.tail, 1), 0, 1);
  base::parallel_for(tail_items.size(), grain_for(tail_items.size()), [&](std::size_t begin, std::size_t end) {
    Scratch scratch;
    Sums sums;
    for (std::size_t i = begin; i < end; ++i) {
      const Item& item = tail_items[i];
      const Fractions f = load(layer_, layer_.tail, 2 * item.begin, 2 * (item.end - item.begin), scratch);
      add_pairs(layer_.tail, item.begin, item.end, f, weights, sums);
    }
    const std::lock_guard lock(mutex);
    total.add(sums);
  });
  finish(total);
}

LayerSumcheck::Entry LayerSumcheck::entry(std::uint64_t index) const {
  AVOW_CHECK(index >= layer_.tail.offset && index - layer_.tail.offset < layer_.tail.count);
  const Tables& t = layer_.tables;
  const std::size_t x = index - layer_.tail.offset;
  const std::size_t p = layer_.tail.p_at + x;
  const std::size_t q = layer_.tail.q_at + x;
  return {t.p0[p], t.p1[p] - join_ * t.q1[q], t.q0[q], t.q1[q]};
}

}  // namespace avow::lookup
