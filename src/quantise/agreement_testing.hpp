// SPDX-License-Identifier: Apache-2.0
// How well an integer model agrees with its original.
#pragma once

#include <cstdint>
#include <span>

#include "model/float_model.hpp"
#include "quantise/simulation_testing.hpp"

namespace avow::quantise::testing {

struct Agreement {
  std::size_t predictions = 0, same_choice = 0;
  double nats_float = 0, nats_integer = 0, divergence = 0;  // sums over predictions

  [[nodiscard]] double top1() const { return static_cast<double>(same_choice) / static_cast<double>(predictions); }
  [[nodiscard]] double perplexity_ratio() const;
  [[nodiscard]] double kl() const { return divergence / static_cast<double>(predictions); }
  void print(const char* name) const;
};

/// Both run over the tokens, from an empty sequence on; each next token is a prediction.
void compare(model::FloatModel& original, Simulation& simulation, std::span<const std::uint32_t> tokens,
             Agreement& agreement);

}  // namespace avow::quantise::testing
