// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "compile/plan.hpp"

namespace avow::compile {

/// The numbers that a choice of tokens follows: spec/integer_models.md section 6. The default is greedy: the first word
/// of the largest logit.
struct Sampling {
  std::uint32_t tau = 1 << kTauShift;          ///< inverse temperature in units of 2^-12, 0 to 2^14
  std::uint32_t top_k = 1;                     ///< k, 1 to the vocabulary
  std::uint32_t portion = 1 << kPortionShift;  ///< P: top-p in units of 2^-16, 1 to 2^16
  std::optional<base::Digest> seed;            ///< of the random numbers, which are all 0 without it

  friend bool operator==(const Sampling&, const Sampling&) = default;
};

/// u of a step, in [0, 2^28).
[[nodiscard]] std::uint32_t random_number(const Sampling& sampling, std::uint32_t step);

}  // namespace avow::compile
