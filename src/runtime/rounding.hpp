// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/recorder.hpp"

namespace avow::runtime {

/// Half of the unit that a rounding by `shift` bits leaves: 0 for none.
[[nodiscard]] constexpr std::int64_t half_of(unsigned shift) noexcept { return (std::int64_t{1} << shift) >> 1; }

/// rd(a, shift). |a| <= 2^62, shift <= 40.
[[nodiscard]] constexpr std::int64_t rd(std::int64_t a, unsigned shift) noexcept {
  return (a + half_of(shift)) >> shift;
}

/// Whether a is an integer of so many bits, sign included. bits <= 62.
[[nodiscard]] constexpr bool fits(std::int64_t a, unsigned bits) noexcept {
  return static_cast<std::uint64_t>(a) + (std::uint64_t{1} << (bits - 1)) < std::uint64_t{1} << bits;
}

/// What a rounding is recorded as, and the bits of its result.
struct Rounding {
  Slot slot;
  unsigned shift;
  unsigned bits;
};

/// out[i] = rd(sums[i], shift), recorded; false if one leaves its range, and then nothing is. |sums[i]| <= 2^62.
template <typename T>
[[nodiscard]] bool round_row(const Rounding& rounding, const Place& at, std::span<const std::int64_t> sums, T* out,
                             Recorder* recorder) {
  bool in_range = true;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::int64_t y = rd(sums[i], rounding.shift);
    in_range &= fits(y, rounding.bits);
    out[i] = static_cast<T>(y);
  }
  if (!in_range || recorder == nullptr) return in_range;
  recorder->put(rounding.slot, at, std::span<const T>(out, sums.size()));
  // Digits beyond the lowest; and a rounding by less has no slot for them.
  if (rounding.shift <= 16 || !recorder->has_digits(rest_of(rounding.slot))) return true;
  std::vector<std::int64_t> rests(sums.size());
  for (std::size_t i = 0; i < rests.size(); ++i) {
    rests[i] = sums[i] + half_of(rounding.shift) - (std::int64_t{out[i]} << rounding.shift);
  }
  recorder->put_digits(rest_of(rounding.slot), at, rests);
  return true;
}

}  // namespace avow::runtime
