// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/halving.hpp"

#include <algorithm>

namespace avow::lookup {
namespace {

// Entries [begin, end) of a segment become padding.
void pad(const Segment& segment, std::size_t begin, std::size_t end, const Fp3& padding1, Tables& t) {
  for (std::size_t x = begin; x < end && !segment.inverses; ++x) {
    t.p0[segment.p_at + x] = Fp3();
    t.p1[segment.p_at + x] = padding1;
  }
  for (std::size_t x = begin; x < end; ++x) t.q0[segment.q_at + x] = t.q1[segment.q_at + x] = field::kOne3;
}

// The half of a segment, but for its place in the tables.
Target halve(const Segment& old, Halving::Kind kind) {
  Target target;
  Segment& half = target.half;
  half.offset = old.offset / 2;
  half.log_size = old.log_size - 1;
  half.runs = halve(old.runs);
  half.pure = old.pure / 2;
  half.has_edge = old.has_edge || old.pure % 2 != 0;
  if (half.log_size <= kLogSmall) {
    target.stored = {std::uint64_t{1} << half.log_size, {}};
    return target;
  }
  target.stored = join_gaps(half.runs, kMinGap);
  half.inverses = kind == Halving::Kind::kFold && old.inverses && target.stored == half.runs;
  if (kind == Halving::Kind::kAdd && old.source != nullptr && old.depth == 0) {
    half.runs = target.stored;
    half.source = old.source;
    half.depth = 1;
  }
  return target;
}

// The old tail's half: it is all of it stored.
Target halve_tail(const Segment& old, const std::vector<Target>& before) {
  Target target;
  target.half.offset = old.offset / 2;
  if (old.runs.length == 0 && !before.empty()) {
    const Segment& last = before.back().half;
    target.half.offset = last.offset + (std::uint64_t{1} << last.log_size);
  }
  target.half.runs = target.stored = halve(old.runs);
  return target;
}

}  // namespace

std::size_t Target::gap_after(std::size_t run) const noexcept {
  if (run + 1 == half.runs.count()) return 0;
  const std::uint64_t end = half.runs.place(run) + half.runs.length;
  const std::uint64_t next = half.runs.place(run + 1);
  // Both are in one stored run if that does not end with the first.
  const std::uint64_t around = stored.find(half.runs.place(run));
  return stored.place(around) + stored.length > end ? next - end : 0;
}

Halving plan_halving(const Layer& layer, Halving::Kind kind, Spare& spare) {
  Halving plan;
  Layer& next = plan.next;
  next.log_size = layer.log_size - 1;
  std::size_t numerators = 0;
  std::size_t denominators = 0;
  for (const Segment& old : layer.segments) {
    Target& target = plan.targets.emplace_back(halve(old, kind));
    Segment& half = target.half;
    if (half.log_size <= kLogSmall) continue;
    half.p_at = numerators;
    half.q_at = denominators;
    next.segments.push_back(half);
    next.segments.back().runs = target.stored;
    if (half.inverses && half.has_edge) next.segments.back().edges.resize(half.runs.count());
    if (half.source != nullptr) continue;
    if (!half.inverses) numerators += target.stored.stored();
    denominators += target.stored.stored();
  }
  plan.targets.push_back(halve_tail(layer.tail, plan.targets));

  const std::size_t first_moved = next.segments.size();
  const Segment& last = plan.targets.back().half;
  next.tail.offset = plan.targets[first_moved].half.offset;
  next.tail.p_at = numerators;
  next.tail.q_at = denominators;
  next.tail.runs.length = last.offset - next.tail.offset + last.runs.length;
  for (std::size_t i = first_moved; i < plan.targets.size(); ++i) {
    Segment& moved = plan.targets[i].half;
    moved.p_at = next.tail.p_at + (moved.offset - next.tail.offset);
    moved.q_at = next.tail.q_at + (moved.offset - next.tail.offset);
  }
  for (auto* table : {&next.tables.p0, &next.tables.p1}) *table = spare.take(numerators + next.tail.runs.length);
  for (auto* table : {&next.tables.q0, &next.tables.q1}) *table = spare.take(denominators + next.tail.runs.length);
  return plan;
}

void append_items(const Segment& segment, std::size_t number, std::vector<Item>& items) {
  const std::size_t pairs = segment.runs.length / 2;
  for (std::size_t run = 0; run < segment.runs.count(); ++run) {
    const std::size_t shift = (segment.offset + segment.runs.place(run)) / 2 % kBlock;
    for (std::size_t begin = 0; begin < pairs;) {
      const std::size_t end = std::min(pairs, (begin + shift) / kBlock * kBlock + kBlock - shift);
      items.push_back({number, run, begin, end});
      begin = end;
    }
  }
}

void pad_after(const Target& target, const Item& item, const Fp3& padding1, Tables& tables) {
  const std::size_t length = target.half.runs.length;
  if (2 * item.end != length) return;
  const std::size_t end = target.begin(item.run) + length;
  pad(target.half, end, end + target.gap_after(item.run), padding1, tables);
}

void finish_tail(Halving& halving, const Fp3& padding1) {
  for (std::size_t i = halving.next.segments.size(); i + 1 < halving.targets.size(); ++i) {
    const Segment& moved = halving.targets[i].half;
    pad(moved, moved.runs.size(), std::size_t{1} << moved.log_size, padding1, halving.next.tables);
  }
}

}  // namespace avow::lookup
