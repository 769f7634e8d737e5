// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "compile/sampling.hpp"
#include "compile/tensors.hpp"
#include "runtime/error.hpp"

// How a token is chosen from its logits: spec/integer_models.md section 6.
namespace avow::runtime {

using compile::Sampling;

/// The first of the rules that the request breaks (kRequest).
[[nodiscard]] MaybeError check_sampling(const Sampling& sampling, std::uint64_t vocabulary);

/// The choice of one step and every sum that shows that it is the right one.
struct Selection {
  std::uint32_t chosen = 0;
  std::uint32_t random = 0;       ///< u
  std::uint32_t first = 0;        ///< the first word with the largest logit
  std::int32_t max = 0;           ///< M
  std::uint32_t last_k = 0;       ///< theta_k
  std::uint32_t last_p = 0;       ///< theta_p
  std::int64_t words = 0;         ///< with U <= theta_k
  std::int64_t words_before = 0;  ///< with U < theta_k
  std::int64_t mass = 0;          ///< sum of all weights
  std::int64_t mass_up_to = 0;    ///< of those with U <= theta_p
  std::int64_t mass_before = 0;   ///< of those with U < theta_p
  std::int64_t total = 0;         ///< S, the sum of all p
  std::int64_t before = 0;        ///< C of the chosen word
  std::int64_t own = 0;           ///< p of the chosen word

  [[nodiscard]] std::uint32_t above() const noexcept { return (last_k < last_p ? last_k : last_p) + 1; }
};

/// exact of a word: rd((M - z) tau, 12).
[[nodiscard]] std::int64_t scaled_distance(std::int32_t max, std::int32_t logit, const Sampling& sampling) noexcept;

/// Chooses a word by a number u = `random`. There is a logit at least; `weights` are the model's weight_values, as
/// Runtime::create has checked them; the request is one that check_sampling lets pass. kRange ("excess") if a distance
/// is 2^overflow_bits or more beyond the last step.
[[nodiscard]] base::Result<Selection, Error> select(std::span<const std::int32_t> logits,
                                                    std::span<const std::int32_t> weights, const Sampling& sampling,
                                                    std::uint32_t random, unsigned overflow_bits);

}  // namespace avow::runtime
