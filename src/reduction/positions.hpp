// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "statement/statement.hpp"

namespace avow::reduction {

/// Where axes have their coordinates in one vector of challenges: axes that occur together (in one list) get disjoint
/// ranges, others may share. Each axis has one range, so that claims of different origin fall on the same point; and
/// the vector is short, because a sumcheck has a message for each of its coordinates.
///
/// Axes by falling number of coordinates, then by id; each at the first place that no axis occurring together with it
/// overlaps. So no coordinate is without an axis.
class Positions {
 public:
  Positions(std::span<const std::vector<statement::AxisId>> together, std::span<const std::uint64_t> lengths);

  /// Length of the vector.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// First coordinate of an axis that occurs somewhere.
  [[nodiscard]] std::size_t first(statement::AxisId axis) const { return first_[axis]; }

 private:
  std::vector<std::size_t> first_;  // for each axis
  std::size_t count_ = 0;
};

}  // namespace avow::reduction
