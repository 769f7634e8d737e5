// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "quantise/bounds.hpp"
#include "quantise/fold.hpp"

/// Rounding of folded tensors to integers with one power of two for a whole tensor.
namespace avow::quantise {

inline constexpr std::int32_t kLargestNarrow = 32767;

/// The largest size of a value; an error if it is beyond 2^60.
[[nodiscard]] base::Result<double, Error> largest_of(const Folder& folder, compile::ModelTensor tensor);

/// The most bits after the point with which `value` rounds to at most `limit`, but at most `most`.
[[nodiscard]] int bits_for(double value, double limit, int most);

/// The cells of a tensor in units of 2^-bits, rounded to the nearest, halves away from 0.
[[nodiscard]] base::Result<compile::Cells, Error> round_tensor(const Folder& folder, compile::ModelTensor tensor,
                                                               int bits);

/// The rounded mean of each row of the embedding.
[[nodiscard]] std::vector<std::int16_t> row_means(const Matrix& embedding);

}  // namespace avow::quantise
