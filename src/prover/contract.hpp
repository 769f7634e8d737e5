// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "prover/array.hpp"

namespace avow::prover {

using field::Fp3;

/// What becomes of one axis: kept, as far as its first `take` places, or summed with the weights eq(point, x).
struct AxisFold {
  std::uint64_t take = 0;  ///< of a kept axis; at most its length
  std::vector<Fp3> point;  ///< of a summed axis: its coordinates, lowest first
  bool is_kept = false;
};

/// sum over all summed axes of cells * product of eq(point, x): row-major over the kept axes, in their order. One pass
/// over the cells that are read.
[[nodiscard]] std::vector<Fp3> contract(const Array& cells, std::span<const std::uint64_t> shape,
                                        std::span<const AxisFold> folds);

/// The same of elements; kept axes are kept whole.
[[nodiscard]] std::vector<Fp3> contract(std::vector<Fp3> elements, std::span<const std::uint64_t> shape,
                                        std::span<const AxisFold> folds);

}  // namespace avow::prover
