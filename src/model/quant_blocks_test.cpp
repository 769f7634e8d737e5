// SPDX-License-Identifier: Apache-2.0
#include "model/quant_blocks.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "base/hex.hpp"

namespace avow::model {
namespace {

using Json = nlohmann::json;

constexpr TensorType kBlockTypes[] = {TensorType::kQ8Zero, TensorType::kQ4Zero, TensorType::kQ4One, TensorType::kQ5Zero,
                                      TensorType::kQ5One,  TensorType::kQ4K,    TensorType::kQ5K,   TensorType::kQ6K};

// The decoder of spec/models.md, word for word: a block is a string of bits, bit b of byte n being bit 8 n + b of it.
class Bits {
 public:
  explicit Bits(base::ByteView bytes) : bytes_(bytes) {}
  [[nodiscard]] int at(std::size_t first, std::size_t count) const {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value |= ((bytes_[(first + i) / 8] >> ((first + i) % 8)) & 1) << i;
    }
    return value;
  }
  [[nodiscard]] int signed_byte(std::size_t byte) const {
    const int value = at(8 * byte, 8);
    return value < 128 ? value : value - 256;
  }
  // sign, five bits of exponent, ten of fraction
  [[nodiscard]] float half(std::size_t byte) const {
    const int fraction = at(8 * byte, 10), exponent = at(8 * byte + 10, 5);
    const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    return static_cast<float>(at(8 * byte + 15, 1) != 0 ? -magnitude : magnitude);
  }

 private:
  base::ByteView bytes_;
};

// Scale and minimum number `part` of Q4_K and Q5_K: bits of the twelve bytes from byte 4 on.
std::pair<int, int> slow_scales(const Bits& bits, std::size_t part) {
  constexpr std::size_t kBase = 32;
  if (part < 4) return {bits.at(kBase + 8 * part, 6), bits.at(kBase + 8 * (part + 4), 6)};
  const int scale = bits.at(kBase + 8 * (part + 4), 4) + 16 * bits.at(kBase + 8 * (part - 4) + 6, 2);
  const int minimum = bits.at(kBase + 8 * (part + 4) + 4, 4) + 16 * bits.at(kBase + 8 * part + 6, 2);
  return {scale, minimum};
}

float slow_k(TensorType type, const Bits& bits, std::size_t i) {
  const std::size_t part = i / 32, in_part = i % 32;
  if (type == TensorType::kQ6K) {
    const std::size_t half = i / 128, quarter = part % 4;
    const int low = bits.at(8 * (64 * half + 32 * (quarter % 2) + in_part) + 4 * (quarter / 2), 4);
    const int high = bits.at(8 * (128 + 32 * half + in_part) + 2 * quarter, 2);
    const float scale = bits.half(208) * static_cast<float>(bits.signed_byte(192 + i / 16));
    return scale * static_cast<float>(low + 16 * high - 32);
  }
  const auto [scale, minimum] = slow_scales(bits, part);
  const std::size_t q = type == TensorType::kQ4K ? 16 : 48;
  int value = bits.at(8 * (q + 32 * (part / 2) + in_part) + 4 * (part % 2), 4);
  if (type == TensorType::kQ5K) value += 16 * bits.at(8 * (16 + in_part) + part, 1);
  const float scaled = bits.half(0) * static_cast<float>(scale) * static_cast<float>(value);
  return scaled - bits.half(2) * static_cast<float>(minimum);
}

float slow(TensorType type, base::ByteView block, std::size_t i) {
  const Bits bits(block);
  const auto nibble = [&](std::size_t q) { return bits.at(8 * (q + i % 16) + 4 * (i / 16), 4); };
  switch (type) {
    case TensorType::kQ8Zero:
      return static_cast<float>(bits.signed_byte(2 + i)) * bits.half(0);
    case TensorType::kQ4Zero:
      return static_cast<float>(nibble(2) - 8) * bits.half(0);
    case TensorType::kQ4One:
      return static_cast<float>(nibble(4)) * bits.half(0) + bits.half(2);
    case TensorType::kQ5Zero:
      return static_cast<float>(nibble(6) + 16 * bits.at(16 + i, 1) - 16) * bits.half(0);
    case TensorType::kQ5One:
      return static_cast<float>(nibble(8) + 16 * bits.at(32 + i, 1)) * bits.half(0) + bits.half(2);
    default:
      return slow_k(type, bits, i);
  }
}

std::vector<float> decoded(TensorType type, base::ByteView bytes) {
  std::vector<float> values(bytes.size() / block_bytes(type) * block_values(type));
  dequantise(type, bytes, values);
  return values;
}

// No fused operations here either.
std::uint32_t bits_of(float value) { return std::bit_cast<std::uint32_t>(value); }

TEST(QuantBlocks, AgreeWithTheDescription) {
  std::mt19937_64 random(1);
  for (const TensorType type : kBlockTypes) {
    for (int round = 0; round < 50; ++round) {
      base::Bytes blocks(3 * block_bytes(type));
      for (std::uint8_t& byte : blocks) byte = static_cast<std::uint8_t>(random());
      const auto values = decoded(type, blocks);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t block = i / block_values(type);
        const auto bytes = base::ByteView(blocks).subspan(block * block_bytes(type), block_bytes(type));
        // Exponents of 31 are infinities and NaNs; the description has no arithmetic for them.
        const Bits bits(bytes);
        const std::size_t d = type == TensorType::kQ6K ? 208 : 0;
        if (bits.at(8 * d + 10, 5) == 31 || bits.at(26, 5) == 31) continue;
        ASSERT_EQ(bits_of(values[i]), bits_of(slow(type, bytes, i % block_values(type))))
            << name(type) << " round " << round << " value " << i;
      }
    }
  }
}

TEST(QuantBlocks, AgreeWithVectorsOfTheReference) {
  std::ifstream file(AVOW_SOURCE_DIR "/spec/vectors/quant_blocks.json");
  const Json json = Json::parse(file);
  std::set<std::string> seen;
  for (const auto& [key, value] : json.items()) ASSERT_TRUE(key == "about" || key == "blocks") << key;
  for (const Json& entry : json["blocks"]) {
    const auto wanted = entry["type"].get<std::string>();
    const auto* type = std::find_if(std::begin(kBlockTypes), std::end(kBlockTypes),
                                    [&](TensorType known) { return name(known) == wanted; });
    ASSERT_NE(type, std::end(kBlockTypes)) << wanted;
    const auto block = base::from_hex(entry["block"].get<std::string>());
    const auto expected = base::from_hex(entry["values"].get<std::string>());
    ASSERT_TRUE(block && expected);
    const auto values = decoded(*type, *block);
    ASSERT_EQ(values.size() * 4, expected->size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(bits_of(values[i]), base::load_be32(expected->data() + 4 * i)) << wanted << " value " << i;
    }
    seen.insert(wanted);
  }
  EXPECT_EQ(seen.size(), std::size(kBlockTypes));
}

// By hand: d = 1 (0x3c00), m = 0.5 (0x3800).
TEST(QuantBlocks, DecodeBlocksMadeByHand) {
  base::Bytes q8(34);
  q8[1] = 0x3c;
  q8[2] = 0x80;
  q8[33] = 127;
  auto values = decoded(TensorType::kQ8Zero, q8);
  EXPECT_EQ(values[0], -128);
  EXPECT_EQ(values[1], 0);
  EXPECT_EQ(values[31], 127);

  base::Bytes q4k(144);
  q4k[1] = 0x3c;
  q4k[3] = 0x38;
  q4k[4 + 1] = 3 | (2 << 6);  // scale 1 is 3; the high bits of scale 5 are 2
  q4k[4 + 5] = 5 | (1 << 6);  // minimum 1 is 5; the high bits of minimum 5 are 1
  q4k[4 + 9] = 4 | (7 << 4);  // low bits: scale 5 is 4 + 32, minimum 5 is 7 + 16
  q4k[16 + 2] = 0xb0;         // value 34 is 11
  q4k[16 + 64 + 31] = 0x90;   // value 191 is 9
  values = decoded(TensorType::kQ4K, q4k);
  EXPECT_EQ(values[0], 0);
  EXPECT_EQ(values[34], 3 * 11 - 2.5f);
  EXPECT_EQ(values[35], -2.5f);
  EXPECT_EQ(values[191], 36 * 9 - 11.5f);

  base::Bytes q6k(210);
  q6k[209] = 0x3c;
  q6k[192 + 15] = 0xff;  // the last scale is -1
  q6k[127] = 0x50;       // value 255: low bits 5
  q6k[128 + 63] = 0xc0;  // and high bits 3
  values = decoded(TensorType::kQ6K, q6k);
  EXPECT_EQ(values[255], -(5 + 48 - 32));
  EXPECT_EQ(values[254], 32);
  EXPECT_EQ(values[239], 0);
}

TEST(QuantBlocks, ConvertHalves) {
  EXPECT_EQ(float_from_half(0x3c00), 1.0f);
  EXPECT_EQ(float_from_half(0xc000), -2.0f);
  EXPECT_EQ(float_from_half(0x7bff), 65504.0f);
  EXPECT_EQ(float_from_half(0x0001), 0x1p-24f);
  EXPECT_EQ(float_from_half(0x03ff), 0x1.ff8p-15f);
  EXPECT_EQ(float_from_half(0x0400), 0x1p-14f);
  EXPECT_EQ(bits_of(float_from_half(0x8000)), 0x80000000u);
  EXPECT_EQ(bits_of(float_from_half(0xfc00)), 0xff800000u);
  EXPECT_TRUE(std::isnan(float_from_half(0x7c01)));
  EXPECT_TRUE(std::isnan(float_from_half(0xfe00)));
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    if ((half >> 10 & 31) == 31) continue;
    const base::Bytes bytes = {static_cast<std::uint8_t>(half), static_cast<std::uint8_t>(half >> 8)};
    ASSERT_EQ(bits_of(float_from_half(static_cast<std::uint16_t>(half))), bits_of(Bits(bytes).half(0))) << half;
  }
  EXPECT_EQ(float_from_bfloat(0x3f80), 1.0f);
  EXPECT_EQ(float_from_bfloat(0xc040), -3.0f);
  EXPECT_TRUE(std::isinf(float_from_bfloat(0x7f80)));
}

TEST(QuantBlocks, CopyPlainNumbers) {
  const base::Bytes f32 = {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1};
  EXPECT_EQ(decoded(TensorType::kF32, f32), (std::vector<float>{1, -10}));
  const base::Bytes f16 = {0x00, 0x3c, 0x00, 0xc0};
  EXPECT_EQ(decoded(TensorType::kF16, f16), (std::vector<float>{1, -2}));
  const base::Bytes bf16 = {0x80, 0x3f, 0x40, 0xc0};
  EXPECT_EQ(decoded(TensorType::kBF16, bf16), (std::vector<float>{1, -3}));
}

}  // namespace
}  // namespace avow::model
