// SPDX-License-Identifier: Apache-2.0
#include "reduction/positions.hpp"

#include <algorithm>
#include <set>

#include "statement/binding.hpp"

namespace avow::reduction {

using statement::AxisId;

Positions::Positions(const statement::Statement& statement, std::span<const std::uint64_t> lengths,
                     std::span<const std::vector<AxisId>> together)
    : first_(lengths.size()), twin_(lengths.size()), neighbours_(lengths.size()) {
  std::set<AxisId> used;
  for (const auto& list : together) {
    for (const AxisId axis : list) {
      used.insert(axis);
      neighbours_[axis].insert(list.begin(), list.end());
    }
  }
  axes_.assign(used.begin(), used.end());
  for (const AxisId axis : axes_) neighbours_[axis].erase(axis);
  // Of two twins the second finds the first one's range free and nothing before it: axes placed between them are
  // neighbours of both or of none, and did not overlap it.
  for (const AxisId axis : axes_) {
    twin_[axis] = *std::find_if(axes_.begin(), axes_.end(), [&](AxisId other) {
      return other == axis ||
             (statement::same_length(statement, axis, other) && neighbours_[axis] == neighbours_[other]);
    });
  }
  const auto bits = [&](AxisId axis) { return std::size_t{statement::log_extent(lengths[axis])}; };
  std::vector<AxisId> order = axes_;
  std::stable_sort(order.begin(), order.end(), [&](AxisId a, AxisId b) { return bits(a) > bits(b); });
  std::set<AxisId> placed;
  for (const AxisId axis : order) {
    // Neighbours that have their place, by place: the first gap that is wide enough.
    std::vector<std::pair<std::size_t, std::size_t>> taken;
    for (const AxisId other : neighbours_[axis]) {
      if (placed.contains(other)) taken.emplace_back(first_[other], first_[other] + bits(other));
    }
    std::sort(taken.begin(), taken.end());
    std::size_t at = 0;
    for (const auto& [begin, end] : taken) {
      if (at + bits(axis) <= begin) break;
      at = std::max(at, end);
    }
    first_[axis] = at;
    count_ = std::max(count_, at + bits(axis));
    placed.insert(axis);
  }
}

}  // namespace avow::reduction
