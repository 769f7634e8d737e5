// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "model/tensor.hpp"

namespace avow::model {

// Blocks as they lie in files, little-endian; spec/models.md gives the formulas. Scales named d and m are binary16.

struct BlockQ8Zero {
  std::uint16_t d;
  std::array<std::int8_t, 32> q;
};
struct BlockQ4Zero {
  std::uint16_t d;
  std::array<std::uint8_t, 16> q;
};
struct BlockQ4One {
  std::uint16_t d, m;
  std::array<std::uint8_t, 16> q;
};
struct BlockQ5Zero {
  std::uint16_t d;
  std::array<std::uint8_t, 4> high;
  std::array<std::uint8_t, 16> q;
};
struct BlockQ5One {
  std::uint16_t d, m;
  std::array<std::uint8_t, 4> high;
  std::array<std::uint8_t, 16> q;
};
struct BlockQ4K {
  std::uint16_t d, m;
  std::array<std::uint8_t, 12> scales;
  std::array<std::uint8_t, 128> q;
};
struct BlockQ5K {
  std::uint16_t d, m;
  std::array<std::uint8_t, 12> scales;
  std::array<std::uint8_t, 32> high;
  std::array<std::uint8_t, 128> q;
};
struct BlockQ6K {
  std::array<std::uint8_t, 128> q;
  std::array<std::uint8_t, 64> high;
  std::array<std::int8_t, 16> scales;
  std::uint16_t d;
};
static_assert(sizeof(BlockQ8Zero) == 34 && sizeof(BlockQ4Zero) == 18 && sizeof(BlockQ4One) == 20);
static_assert(sizeof(BlockQ5Zero) == 22 && sizeof(BlockQ5One) == 24);
static_assert(sizeof(BlockQ4K) == 144 && sizeof(BlockQ5K) == 176 && sizeof(BlockQ6K) == 210);

/// The binary32 of equal value; NaNs stay NaNs.
[[nodiscard]] float float_from_half(std::uint16_t bits) noexcept;
[[nodiscard]] float float_from_bfloat(std::uint16_t bits) noexcept;

/// Decodes `out.size()` values, a multiple of block_values(type), from `bytes`, which has exactly their blocks. Every
/// operation is one of binary32, in the order that spec/models.md gives: the results are equal on every machine.
/// Whether they are finite is the caller's to check. `type` is not kOther.
void dequantise(TensorType type, base::ByteView bytes, std::span<float> out) noexcept;

}  // namespace avow::model
