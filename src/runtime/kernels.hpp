// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace avow::runtime {

/// Rows of 16-bit integers that begin `stride` cells from each other.
struct Rows {
  const std::int16_t* cells = nullptr;
  std::size_t stride = 0;
  std::size_t count = 0;
};

/// The longest rows that `dots` sums exactly; the largest axis that a plan can have.
inline constexpr std::size_t kLongestDot = std::size_t{1} << 18;

/// out[j * out_stride + i] = sum over l < length of a[i, l] b[j, l], exact for all cells. length <= kLongestDot. In the
/// caller's thread, on the best instruction set of the machine. `a` is read once for a few rows of `b` at a time, hence
/// the one with more rows.
void dots(const Rows& a, const Rows& b, std::size_t length, std::int64_t* out, std::size_t out_stride);
void dots_ref(const Rows& a, const Rows& b, std::size_t length, std::int64_t* out, std::size_t out_stride);

/// The same on all threads, rows of `a` divided among them. out_stride is a.count.
void multiply(const Rows& a, const Rows& b, std::size_t length, std::int64_t* out);

}  // namespace avow::runtime
