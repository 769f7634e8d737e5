// SPDX-License-Identifier: Apache-2.0
#include "model/quant_blocks.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "base/check.hpp"

namespace avow::model {
namespace {

static_assert(std::endian::native == std::endian::little, "blocks are read as they lie in memory");

struct Traits {
  const char* name;
  std::uint64_t values, bytes;
};

constexpr Traits kTraits[] = {
    {"F32", 1, 4},
    {"F16", 1, 2},
    {"BF16", 1, 2},
    {"Q8_0", 32, sizeof(BlockQ8Zero)},
    {"Q4_0", 32, sizeof(BlockQ4Zero)},
    {"Q4_1", 32, sizeof(BlockQ4One)},
    {"Q5_0", 32, sizeof(BlockQ5Zero)},
    {"Q5_1", 32, sizeof(BlockQ5One)},
    {"Q4_K", 256, sizeof(BlockQ4K)},
    {"Q5_K", 256, sizeof(BlockQ5K)},
    {"Q6_K", 256, sizeof(BlockQ6K)},
    {"other", 1, 0},
};

const Traits& traits(TensorType type) noexcept { return kTraits[static_cast<std::size_t>(type)]; }

void decode(const BlockQ8Zero& block, float* out) noexcept {
  const float d = float_from_half(block.d);
  for (std::size_t i = 0; i < 32; ++i) out[i] = static_cast<float>(block.q[i]) * d;
}

// The two nibbles of byte i are values i and i + 16.
void decode(const BlockQ4Zero& block, float* out) noexcept {
  const float d = float_from_half(block.d);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = static_cast<float>((block.q[i] & 15) - 8) * d;
    out[i + 16] = static_cast<float>((block.q[i] >> 4) - 8) * d;
  }
}

void decode(const BlockQ4One& block, float* out) noexcept {
  const float d = float_from_half(block.d), m = float_from_half(block.m);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = static_cast<float>(block.q[i] & 15) * d + m;
    out[i + 16] = static_cast<float>(block.q[i] >> 4) * d + m;
  }
}

// Bit i of the four bytes is the fifth bit of value i.
int fifth_bit(const std::array<std::uint8_t, 4>& high, std::size_t i) noexcept {
  return ((high[i / 8] >> (i % 8)) & 1) << 4;
}

void decode(const BlockQ5Zero& block, float* out) noexcept {
  const float d = float_from_half(block.d);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = static_cast<float>(((block.q[i] & 15) | fifth_bit(block.high, i)) - 16) * d;
    out[i + 16] = static_cast<float>(((block.q[i] >> 4) | fifth_bit(block.high, i + 16)) - 16) * d;
  }
}

void decode(const BlockQ5One& block, float* out) noexcept {
  const float d = float_from_half(block.d), m = float_from_half(block.m);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = static_cast<float>((block.q[i] & 15) | fifth_bit(block.high, i)) * d + m;
    out[i + 16] = static_cast<float>((block.q[i] >> 4) | fifth_bit(block.high, i + 16)) * d + m;
  }
}

// Scale and minimum of 32 values, six bits each: the first four of both lie in the low bits of bytes 0 to 7, the other
// four have their low bits in bytes 8 to 11 and their high bits above those of the first four.
struct ScaleAndMinimum {
  float scale, minimum;
};

ScaleAndMinimum scale_and_minimum(const std::array<std::uint8_t, 12>& s, std::size_t i, float d, float m) noexcept {
  int scale = s[i] & 63, minimum = s[i + 4] & 63;
  if (i >= 4) {
    scale = (s[i + 4] & 15) | ((s[i - 4] >> 6) << 4);
    minimum = (s[i + 4] >> 4) | ((s[i] >> 6) << 4);
  }
  return {d * static_cast<float>(scale), m * static_cast<float>(minimum)};
}

void decode(const BlockQ4K& block, float* out) noexcept {
  const float d = float_from_half(block.d), m = float_from_half(block.m);
  for (std::size_t part = 0; part < 8; ++part) {
    const auto [scale, minimum] = scale_and_minimum(block.scales, part, d, m);
    const std::uint8_t* q = block.q.data() + 32 * (part / 2);
    const unsigned shift = part % 2 == 0 ? 0 : 4;
    for (std::size_t i = 0; i < 32; ++i) {
      out[32 * part + i] = scale * static_cast<float>((q[i] >> shift) & 15) - minimum;
    }
  }
}

void decode(const BlockQ5K& block, float* out) noexcept {
  const float d = float_from_half(block.d), m = float_from_half(block.m);
  for (std::size_t part = 0; part < 8; ++part) {
    const auto [scale, minimum] = scale_and_minimum(block.scales, part, d, m);
    const std::uint8_t* q = block.q.data() + 32 * (part / 2);
    const unsigned shift = part % 2 == 0 ? 0 : 4;
    for (std::size_t i = 0; i < 32; ++i) {
      const int value = ((q[i] >> shift) & 15) | (((block.high[i] >> part) & 1) << 4);
      out[32 * part + i] = scale * static_cast<float>(value) - minimum;
    }
  }
}

// Each half of the block has 64 bytes of low nibbles, 32 bytes of high pairs of bits, and 8 scales, one for 16 values.
void decode(const BlockQ6K& block, float* out) noexcept {
  const float d = float_from_half(block.d);
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t quarter = 0; quarter < 4; ++quarter) {
      const std::uint8_t* q = block.q.data() + 64 * half + 32 * (quarter % 2);
      const std::uint8_t* high = block.high.data() + 32 * half;
      for (std::size_t i = 0; i < 32; ++i) {
        const int low_bits = (q[i] >> (quarter / 2 * 4)) & 15;
        const int value = (low_bits | (((high[i] >> (2 * quarter)) & 3) << 4)) - 32;
        const float scale = d * static_cast<float>(block.scales[8 * half + 2 * quarter + i / 16]);
        out[128 * half + 32 * quarter + i] = scale * static_cast<float>(value);
      }
    }
  }
}

template <typename Block>
void decode_all(base::ByteView bytes, std::span<float> out, std::size_t values) noexcept {
  for (std::size_t i = 0; i * values < out.size(); ++i) {
    Block block;
    std::memcpy(&block, bytes.data() + i * sizeof block, sizeof block);
    decode(block, out.data() + i * values);
  }
}

template <float (*Convert)(std::uint16_t)>
void convert_all(base::ByteView bytes, std::span<float> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, bytes.data() + 2 * i, sizeof bits);
    out[i] = Convert(bits);
  }
}

}  // namespace

const char* name(TensorType type) noexcept { return traits(type).name; }
std::uint64_t block_values(TensorType type) noexcept { return traits(type).values; }
std::uint64_t block_bytes(TensorType type) noexcept { return traits(type).bytes; }

std::string to_text(const std::vector<std::uint64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

float float_from_bfloat(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

float float_from_half(std::uint16_t bits) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 31u, fraction = bits & 1023u;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  // Below the normal range: fraction / 2^24, which binary32 holds exactly.
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

void dequantise(TensorType type, base::ByteView bytes, std::span<float> out) noexcept {
  const auto [name, values, size] = traits(type);
  AVOW_CHECK(out.size() % values == 0 && bytes.size() == out.size() / values * size);
  switch (type) {
    case TensorType::kF32:
      if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
      return;
    case TensorType::kF16:
      return convert_all<float_from_half>(bytes, out);
    case TensorType::kBF16:
      return convert_all<float_from_bfloat>(bytes, out);
    case TensorType::kQ8Zero:
      return decode_all<BlockQ8Zero>(bytes, out, values);
    case TensorType::kQ4Zero:
      return decode_all<BlockQ4Zero>(bytes, out, values);
    case TensorType::kQ4One:
      return decode_all<BlockQ4One>(bytes, out, values);
    case TensorType::kQ5Zero:
      return decode_all<BlockQ5Zero>(bytes, out, values);
    case TensorType::kQ5One:
      return decode_all<BlockQ5One>(bytes, out, values);
    case TensorType::kQ4K:
      return decode_all<BlockQ4K>(bytes, out, values);
    case TensorType::kQ5K:
      return decode_all<BlockQ5K>(bytes, out, values);
    case TensorType::kQ6K:
      return decode_all<BlockQ6K>(bytes, out, values);
    case TensorType::kOther:
      break;
  }
  AVOW_CHECK(false);
}

}  // namespace avow::model
