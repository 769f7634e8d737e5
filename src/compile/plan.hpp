// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

/// Integer models as statements (spec/integer_models.md).
namespace avow::compile {

enum class Architecture : std::uint8_t { kLlama, kGpt2 };

/// Everything that decides what an integer model computes but its cells. Spec section 1.
struct Plan {
  Architecture architecture = Architecture::kLlama;
  bool tied = false, qkv_bias = false, output_bias = false;

  std::uint64_t layers = 0, width = 0, kv_heads = 0, group = 0, head_size = 0, hidden = 0;
  std::uint64_t vocabulary = 0;
  std::uint64_t context = 0;  ///< tokens, 2^k or 3 * 2^(k-1)

  unsigned stream_bits = 0, stream_shift = 0;
  unsigned embedding_up = 0, output_up = 0, down_up = 0;
  std::uint64_t norm_epsilon = 0;

  unsigned query_shift = 0, key_shift = 0, value_shift = 0, gate_shift = 0, up_shift = 0;
  unsigned query_bias_up = 0, key_bias_up = 0, value_bias_up = 0;
  unsigned output_bias_up = 0, up_bias_up = 0, down_bias_up = 0;
  unsigned score_shift = 0, mix_shift = 0;
  unsigned product_shift = 0, product_bits = 0;
  unsigned logit_shift = 0, logit_bits = 0;
  unsigned overflow_bits = 0;
  unsigned digit_bits = 16;

  friend bool operator==(const Plan&, const Plan&) = default;
};

/// Constants of spec/integer_models.md that no plan changes.
inline constexpr unsigned kRotationShift = 14;
inline constexpr unsigned kNormBytes = 8;         ///< of a sum of squares
inline constexpr unsigned kNormBits = 61;         ///< a sum of squares is below 2^61
inline constexpr unsigned kScaleShift = 21;       ///< from `fine 16^(7-J)` to g
inline constexpr unsigned kNormShift = 16;        ///< from `xq g` to y
inline constexpr unsigned kDistanceSteps = 4096;  ///< of the selection's exponentials
inline constexpr unsigned kTauShift = 12;
inline constexpr unsigned kLargestTau = 1 << 14;
inline constexpr unsigned kPortionShift = 16;  ///< the unit of P
inline constexpr unsigned kRandomBits = 28;
inline constexpr unsigned kShownNumbers = 8;  ///< of a step, six of them used; below 2^56, by their digits
inline constexpr unsigned kShownDigits = 4;
inline constexpr unsigned kShownDigitBits = 14;
inline constexpr std::uint64_t kMostRequests = 64;  ///< of one proof

/// The first rule of spec section 1 that the plan breaks, in words.
[[nodiscard]] std::optional<std::string> check_plan(const Plan& plan);

}  // namespace avow::compile
