// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.hpp"
#include "lookup/config.hpp"
#include "lookup_prover/cells.hpp"
#include "lookup_prover/kernels.hpp"

// The layers of the fraction tree. Only what differs from 0/1 is stored, and where a column's numerators are all one
// they are not.
namespace avow::lookup {

/// The numerators of an entry.
struct Edge {
  Fp3 p0;
  Fp3 p1;
};

/// A column's part of a layer, or what has become of it after some rounds. Entry x stands for the fractions 2x and
/// 2x+1. Entries in its runs are stored, one run after the other; the others are 0/1.
struct Segment {
  std::uint64_t offset = 0;            ///< of its first entry in the layer, a multiple of 2^log_size
  unsigned log_size = 0;               ///< it has 2^log_size entries
  Runs runs;                           ///< of even length, with gaps of kMinGap or more between them
  std::size_t p_at = 0;                ///< where they start in the layer's tables of numerators
  std::size_t q_at = 0;                ///< and of denominators
  const ColumnData* source = nullptr;  ///< the cells, where nothing is stored in the tables: entries are computed
  unsigned depth = 0;                  ///< from them when they are loaded, in the lowest layer (0) and the next (1)

  /// Numerators that are one are not in the tables: those of the first `pure` entries of each run, if inverses is set.
  /// After them there may be one entry of which that cannot be said, and the rest of the run is 0/1.
  bool inverses = false;
  bool has_edge = false;
  std::size_t pure = 0;
  std::vector<Edge> edges;  ///< if has_edge is set: of each run, or one that is the same in all
  [[nodiscard]] const Edge& edge(std::size_t run) const { return edges[edges.size() == 1 ? 0 : run]; }
};

struct Tables {
  base::Buffer<Fp3> p0, p1, q0, q1;
};

/// Segments by offset, without gaps; those of 2^kLogSmall entries or less are one at the end, `tail`, whose padding
/// between them is stored.
struct Layer {
  unsigned log_size = 0;  ///< 2^log_size entries, twice as many fractions
  std::vector<Segment> segments;
  Segment tail;
  Tables tables;
};

/// Below this a segment is not worth an item of work of its own.
inline constexpr unsigned kLogSmall = 6;
/// Pairs of entries that one item of work is about: with four tables it fits the second-level cache.
inline constexpr unsigned kLogBlock = 7;
inline constexpr std::size_t kBlock = std::size_t{1} << kLogBlock;
/// Gaps of less entries are stored: a run is an item of work of its own, and below this one costs more than its gap.
inline constexpr std::uint64_t kMinGap = 8;

/// Buffers for the entries of one item of work.
struct Scratch {
  static constexpr std::size_t kEntries = 4 * kBlock;
  using Table = std::vector<Fp3>;
  Table tables[4] = {Table(kEntries), Table(kEntries), Table(kEntries), Table(kEntries)};
  /// Of the layer below, while entries of depth 1 are computed; and their sums.
  Table cells[4];
  Table sums;
  Table products;
};

/// Entries [first, first + count) of a run of a segment, `first` and `count` even: in the layer's tables, or converted
/// into `scratch`. No numerators where the segment has none.
[[nodiscard]] Fractions load(const Layer& layer, const Segment& segment, std::size_t run, std::size_t first,
                             std::size_t count, Scratch& scratch);

/// The lowest layer. log_cells >= 1.
[[nodiscard]] Layer make_leaves(const Config& config, const Layout& layout, std::span<const ColumnData> columns);
/// The layer above, with half as many fractions. log_size >= 1.
[[nodiscard]] Layer add_pairs(const Layer& layer);

/// One fraction of a layer whose segments are all in the tail.
[[nodiscard]] Fraction fraction_at(const Layer& layer, std::uint64_t index);

}  // namespace avow::lookup
