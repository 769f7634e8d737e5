// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace avow::quantise {

/// How an integer model's predictions of a text compare with those of its original in floating point. Sums over all
/// predictions so far.
struct Agreement {
  std::uint64_t predictions = 0;
  double nats_float = 0, nats_integer = 0;  ///< minus the logarithms of the probabilities of what comes next
  double divergence = 0;          ///< of the integer distributions from the originals (Kullback-Leibler), nats
  std::uint64_t same_choice = 0;  ///< predictions with the same likeliest word, of equals the first

  /// Logits of one prediction, in nats, and the word that comes next.
  void add(std::span<const double> original, std::span<const double> integer, std::uint32_t next);

  // 1 or more predictions.
  [[nodiscard]] double perplexity_float() const;
  [[nodiscard]] double perplexity_integer() const;
  [[nodiscard]] double ratio() const;  ///< of the perplexities, integer over float
  [[nodiscard]] double kl() const { return divergence / static_cast<double>(predictions); }
  [[nodiscard]] double top1() const { return static_cast<double>(same_choice) / static_cast<double>(predictions); }
};

}  // namespace avow::quantise
