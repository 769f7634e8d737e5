// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "field/extension.hpp"
#include "statement/binding.hpp"

/// The public structured tensors: exact values, and their extensions as verifiers evaluate them.
namespace avow::statement {

/// The point of one axis: log_extent(length) coordinates, lowest bit first.
using Point = std::vector<field::Fp3>;

/// T[index]. tensor.kind is kStructured; index has one place for each axis, inside its length.
[[nodiscard]] std::int64_t structured_value(const Binding& binding, const Tensor& tensor,
                                            std::span<const std::uint64_t> index);

/// T~ at one point for each axis: the sum over all indices of T[index] * product of eq(points[i], index[i]). In time
/// logarithmic in the axes' lengths; of public values, that for each value.
[[nodiscard]] field::Fp3 structured_extension(const Binding& binding, const Tensor& tensor,
                                              std::span<const Point> points);

/// eq(points, x) for every index x of some axes, row-major without padding; a point for each of them.
[[nodiscard]] std::vector<field::Fp3> eq_of_places(const Binding& binding, std::span<const AxisId> axes,
                                                   std::span<const Point> points);

}  // namespace avow::statement
