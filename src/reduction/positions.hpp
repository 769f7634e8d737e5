// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
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
  /// lengths: of the statement's axes. together: lists of axes that occur together.
  Positions(const statement::Statement& statement, std::span<const std::uint64_t> lengths,
            std::span<const std::vector<statement::AxisId>> together);

  /// Length of the vector.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// First coordinate of an axis that occurs somewhere.
  [[nodiscard]] std::size_t first(statement::AxisId axis) const { return first_[axis]; }
  /// The first of the axes that have the same first coordinate in every instance for this reason: they have one length
  /// in every instance, do not occur together, and occur with the same axes.
  [[nodiscard]] statement::AxisId first_twin(statement::AxisId axis) const { return twin_[axis]; }
  /// The axes that occur somewhere, in order; and those that occur together with such a one.
  [[nodiscard]] const std::vector<statement::AxisId>& axes() const noexcept { return axes_; }
  [[nodiscard]] const std::set<statement::AxisId>& neighbours(statement::AxisId axis) const {
    return neighbours_[axis];
  }

 private:
  std::vector<std::size_t> first_;  // for each axis
  std::vector<statement::AxisId> twin_;
  std::vector<statement::AxisId> axes_;
  std::vector<std::set<statement::AxisId>> neighbours_;
  std::size_t count_ = 0;
};

}  // namespace avow::reduction
