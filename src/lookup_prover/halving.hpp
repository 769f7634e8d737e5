// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lookup_prover/layers.hpp"
#include "lookup_prover/spare.hpp"

// A layer of half as many entries, made by folding or by adding fractions: what becomes of each segment, and the work
// of it in pieces.
namespace avow::lookup {

/// Where the half of an old segment belongs: each run's half is a part of one of the runs that are stored.
struct Target {
  Segment half;  ///< without numerators if they need not be stored
  Runs stored;   ///< runs of the next layer's segment, or everything where that is its tail

  /// Place of the first entry of a run's half among the stored entries.
  [[nodiscard]] std::size_t begin(std::size_t run) const noexcept { return stored.index(half.runs.place(run)); }
  /// Number of padding entries that are stored between this run's half and the next one's.
  [[nodiscard]] std::size_t gap_after(std::size_t run) const noexcept;
};

/// What halving a layer gives: the next layer with memory from `spare` (or new), and for each segment of the old one,
/// its tail last, where its half belongs.
struct Halving {
  /// Adding gives no inverses; of the lowest layer, it leaves large segments to be computed when they are loaded.
  enum class Kind : std::uint8_t { kAdd, kFold };
  Layer next;                   ///< its tables' contents are still to be written, and its segments' edges
  std::vector<Target> targets;  ///< the first next.segments.size() are next's segments, the others parts of its tail
};
[[nodiscard]] Halving plan_halving(const Layer& layer, Halving::Kind kind, Spare& spare);

/// Pairs [begin, end) of a run, all in one block: pairs whose numbers in the layer differ only in the lowest kLogBlock
/// bits.
struct Item {
  std::size_t segment;
  std::size_t run;
  std::size_t begin;
  std::size_t end;
};
/// Of segment number `number`, in the order of their pairs.
void append_items(const Segment& segment, std::size_t number, std::vector<Item>& items);

/// Writes the padding between the item's run and the next one (p1 = padding1), if it reaches the run's end.
void pad_after(const Target& target, const Item& item, const Fp3& padding1, Tables& tables);
/// Writes the padding after the last run of every part of the tail.
void finish_tail(Halving& halving, const Fp3& padding1);

}  // namespace avow::lookup
