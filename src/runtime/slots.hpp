// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "compile/plan.hpp"

// The numbers that an integer model computes on its way, by spec/integer_models.md section 8: what a witness holds, and
// what an error names.
namespace avow::runtime {

/// The parts of a norm, as Slot has them three times. kIn and kScale are followed by what their rounding leaves; that
/// of y, by 16 bits, leaves no digits.
enum class NormPart : std::uint8_t {
  kIn,
  kInRest,
  kLow,
  kHigh,
  kByte,
  kFound,
  kRoot,
  kSlope,
  kScale,
  kScaleRest,
  kOut
};
inline constexpr unsigned kNormParts = 11;

/// `kXRest` is what the rounding of x leaves, and follows kX.
enum class Slot : std::uint8_t {
  kNone,
  kStream,  ///< the residual stream, which is not committed
  kAttentionNorm,
  kFeedForwardNorm = kAttentionNorm + kNormParts,
  kFinalNorm = kFeedForwardNorm + kNormParts,
  kQuery = kFinalNorm + kNormParts,
  kQueryRest,
  kKey,
  kKeyRest,
  kValue,
  kValueRest,
  kTurnedQuery,
  kTurnedKey = kTurnedQuery + 2,  // a rounding by 14 bits leaves no digits
  kScore = kTurnedKey + 2,
  kScoreRest,
  kScoreMax,
  kScoreSelector,
  kExp,
  kReciprocal,
  kReciprocalLow,
  kReciprocalHigh,
  kMix,
  kMixRest,
  kGate,
  kGateRest,
  kUp,
  kUpRest,
  kAct,
  kProduct,
  kProductRest,
  kProductLow,
  kProductHigh,
  kLogit,
  kLogitRest,
  kScaled,
  kExcess,
  kWeight,
  kShown,
  kEmbedded,
};
inline constexpr std::size_t kSlots = static_cast<std::size_t>(Slot::kEmbedded) + 1;

[[nodiscard]] constexpr Slot part_of(Slot norm, NormPart part) noexcept {
  return static_cast<Slot>(static_cast<unsigned>(norm) + static_cast<unsigned>(part));
}
[[nodiscard]] constexpr Slot rest_of(Slot rounding) noexcept {
  return static_cast<Slot>(static_cast<unsigned>(rounding) + 1);
}

/// "attention_norm.low".
[[nodiscard]] std::string name_of(Slot slot);

enum class CellType : std::uint8_t { kNone, kU8, kS16, kU16, kS32, kU32 };

/// What a witness holds of a slot for one request. Cells are in the order layer, head, place, feature; the shape cuts
/// heads and features into the axes of the specification, and leaves out those that a tensor does not have.
struct SlotSpec {
  std::vector<std::uint64_t> shape;  ///< empty: the model has no such numbers
  std::size_t layers = 0, heads = 0, places = 0, features = 0;
  CellType cells = CellType::kNone;  ///< the narrowest that holds them; kNone: they are not committed
  unsigned digit_bits = 0;           ///< digits(name, .., digit_bits); no more than the plan's: there are none

  [[nodiscard]] std::size_t size() const noexcept { return layers * heads * places * features; }
};

/// The bits of a denominator D, and of what its reciprocal leaves.
[[nodiscard]] unsigned denominator_bits(const compile::Plan& plan);

[[nodiscard]] std::array<SlotSpec, kSlots> make_slots(const compile::Plan& plan, std::size_t tokens, std::size_t steps);

}  // namespace avow::runtime
