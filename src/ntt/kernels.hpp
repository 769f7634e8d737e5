// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "field/matrix.hpp"

namespace avow::ntt::internal {

/// Twiddles of the subtree of 2^log_size leaves whose root is block `block`, in the order and form in which transform
/// reads them: for an odd log_size first that of the root; then, two layers at a time, for each block k of the upper
/// layer w = twiddle(k), w0 = twiddle(2k) and w * w0. All times 2^64 (field::to_montgomery).
[[nodiscard]] std::vector<std::uint64_t> make_twiddles(std::uint64_t block, unsigned log_size);

/// In-place transform of data[2^log_size, run] (row-major): log_size layers of the tree with the twiddles of
/// make_twiddles. Any 64-bit representatives in, canonical out.
void transform(std::uint64_t* data, unsigned log_size, std::size_t run, std::span<const std::uint64_t> twiddles);
/// The same from the root's block number, by plain loops over field elements.
void transform_ref(std::uint64_t* data, unsigned log_size, std::size_t run, std::uint64_t block);

/// count cells from cell `first` of the matrix, as canonical field elements.
void load_cells(const field::MatrixView& matrix, std::size_t first, std::size_t count, std::uint64_t* out);

}  // namespace avow::ntt::internal
