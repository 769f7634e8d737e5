// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/runs.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace avow::lookup {

std::uint64_t Runs::count() const noexcept {
  std::uint64_t runs = 1;
  for (const Level& level : levels) runs *= level.count;
  return runs;
}

std::uint64_t Runs::place(std::uint64_t run) const noexcept {
  std::uint64_t at = 0;
  for (const Level& level : levels) {
    at += (run % level.count) << level.log_stride;
    run /= level.count;
  }
  return at;
}

std::uint64_t Runs::find(std::uint64_t place) const noexcept {
  std::uint64_t run = 0;  // number of the block that holds the place, among all of its level
  bool in_gap = false;    // or of the next block, if the place is behind the last one of a level
  std::uint64_t rest = place;
  for (std::size_t i = levels.size(); i-- > 0;) {
    const auto [log_stride, count] = levels[i];
    const std::uint64_t block = rest >> log_stride;
    run = run * count + (in_gap ? 0 : std::min(block, count));
    in_gap = in_gap || block >= count;
    rest -= block << log_stride;
  }
  return in_gap || rest < length ? run : run + 1;
}

std::uint64_t Runs::index(std::uint64_t place) const noexcept {
  const std::uint64_t run = find(place);
  return run * length + (place - this->place(run));
}

Runs halve(const Runs& runs) {
  Runs half = runs;
  half.length = (runs.length + 1) / 2;
  half.length += half.length % 2;
  for (Runs::Level& level : half.levels) {
    AVOW_CHECK(level.log_stride > 0);
    --level.log_stride;
  }
  AVOW_CHECK(half.levels.empty() || half.length <= std::uint64_t{1} << half.levels[0].log_stride);
  return half;
}

Runs join_gaps(Runs runs, std::uint64_t gap) {
  std::size_t joined = 0;
  for (; joined < runs.levels.size(); ++joined) {
    const Runs::Level& level = runs.levels[joined];
    const std::uint64_t stride = std::uint64_t{1} << level.log_stride;
    if (stride - runs.length >= gap) break;
    runs.length += (level.count - 1) * stride;
  }
  runs.levels.erase(runs.levels.begin(), runs.levels.begin() + static_cast<std::ptrdiff_t>(joined));
  return runs;
}

}  // namespace avow::lookup
