// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/threads.hpp"
#include "runtime/slots.hpp"

namespace avow::runtime {

/// body(row) for every row, on all threads; it answers with the number that leaves its range, or kNone. The answer is
/// that of the first row with one, so that errors do not depend on threads.
template <typename Body>
[[nodiscard]] Slot for_rows(std::size_t rows, const Body& body) {
  std::vector<Slot> faults(rows, Slot::kNone);
  base::parallel_for(rows, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) faults[row] = body(row);
  });
  const auto fault = std::find_if(faults.begin(), faults.end(), [](Slot slot) { return slot != Slot::kNone; });
  return fault == faults.end() ? Slot::kNone : *fault;
}

}  // namespace avow::runtime
