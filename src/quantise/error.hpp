// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace avow::quantise {

/// Why a model is not imported; one value per cause.
enum class Cause : std::uint8_t {
  kWeights = 1,  ///< its weights cannot be read, or are not finite
  kSize,         ///< a size that integer models cannot have
  kContext,      ///< a context longer than the model can have
  kRange,        ///< a weight, a frequency or an epsilon outside of what the numbers of a plan can express
  kBound,        ///< no plan keeps every prompt in its ranges
};

struct Error {
  Cause cause;
  std::string text;
};

}  // namespace avow::quantise
