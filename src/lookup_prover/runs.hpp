// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

// Where the cells of a tensor lie in a column whose axes are padded to powers of two: runs of neighbours with gaps
// between them, at the same places in every block of a power of two.
namespace avow::lookup {

/// Runs of equal length that begin at all sums of one multiple of each level's stride. Neither the runs nor the blocks
/// of a level overlap: length <= the first stride, and all that a level spans <= the next one's.
struct Runs {
  struct Level {
    unsigned log_stride = 0;
    std::uint64_t count = 1;
    friend bool operator==(const Level&, const Level&) = default;
  };
  std::uint64_t length = 0;
  std::vector<Level> levels;  ///< closest runs first; none: one run, at 0

  /// Number of runs, and of what they hold together.
  [[nodiscard]] std::uint64_t count() const noexcept;
  [[nodiscard]] std::uint64_t stored() const noexcept { return count() * length; }
  /// Where run number `run` begins; and where the last one ends.
  [[nodiscard]] std::uint64_t place(std::uint64_t run) const noexcept;
  [[nodiscard]] std::uint64_t size() const noexcept { return place(count() - 1) + length; }
  /// The first run that ends after `place`; count() if there is none.
  [[nodiscard]] std::uint64_t find(std::uint64_t place) const noexcept;
  /// How many the runs hold before `place`, which lies in one.
  [[nodiscard]] std::uint64_t index(std::uint64_t place) const noexcept;

  friend bool operator==(const Runs&, const Runs&) = default;
};

/// Runs of pairs: as many, of every pair that has a member in a run, and of one more pair where they would be odd.
/// Strides are 2 at least and leave room for that.
[[nodiscard]] Runs halve(const Runs& runs);
/// Fewer and longer runs: gaps shorter than `gap` belong to them.
[[nodiscard]] Runs join_gaps(Runs runs, std::uint64_t gap);

}  // namespace avow::lookup
