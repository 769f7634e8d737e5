// SPDX-License-Identifier: Apache-2.0
#include "quantise/frequencies.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace avow::quantise {

using fixed::Number;

namespace {

Number whole(std::uint64_t value) { return fixed::of_scaled(static_cast<std::int64_t>(value), 0); }

Number floor_of(const Number& x) { return Number(x >> fixed::kPrecision) << fixed::kPrecision; }

Number llama3_frequency(const model::Rope& rope, const Number& frequency) {
  const Number low = fixed::of_double(rope.low_frequency_factor), high = fixed::of_double(rope.high_frequency_factor);
  const Number turns = fixed::divide(frequency * rope.original_context, 2 * fixed::pi());
  Number stretched = fixed::divide(frequency, fixed::of_double(rope.factor));
  if (turns < low) return stretched;
  if (turns > high) return frequency;
  const Number kept = fixed::divide(turns - low, high - low);
  return stretched + fixed::multiply(kept, frequency - stretched);
}

// Where yarn's ramp begins and ends.
struct Ramp {
  Number low, width;
};

Ramp yarn_ramp(const model::Rope& rope, std::uint64_t head_size) {
  const Number log_theta = fixed::log(fixed::of_double(rope.theta));
  const auto index_of = [&](double turns) {
    const Number ratio =
        fixed::divide(whole(rope.original_context), 2 * fixed::multiply(fixed::of_double(turns), fixed::pi()));
    return fixed::divide(fixed::log(ratio) * head_size, 2 * log_theta);
  };
  Number low = index_of(rope.beta_fast), high = index_of(rope.beta_slow);
  if (rope.whole_ramp_ends) {
    low = floor_of(low);
    high = -floor_of(-high);
  }
  low = std::max(low, Number(0));
  high = std::min(high, whole(head_size - 1));
  return {low, std::max(Number(high - low), fixed::of_double(0.001))};
}

Number yarn_frequency(const model::Rope& rope, const Ramp& ramp, std::uint64_t index, const Number& frequency) {
  const Number at = fixed::divide(whole(index) - ramp.low, ramp.width);
  const Number share = std::clamp(at, Number(0), whole(1));
  const Number stretched = fixed::divide(frequency, fixed::of_double(rope.factor));
  return frequency + fixed::multiply(share, stretched - frequency);
}

}  // namespace

std::vector<Number> frequencies_of(const model::ModelConfig& config) {
  const model::Rope& rope = config.rope;
  const Number log_theta = fixed::log(fixed::of_double(rope.theta));
  Ramp ramp;
  if (rope.scaling == model::RopeScaling::kYarn) ramp = yarn_ramp(rope, config.head_size);
  std::vector<Number> frequencies;
  for (std::uint64_t i = 0; i < config.head_size / 2; ++i) {
    const Number frequency = fixed::exp(-(log_theta * (2 * i) / config.head_size));
    switch (rope.scaling) {
      case model::RopeScaling::kNone:
        frequencies.push_back(frequency);
        break;
      case model::RopeScaling::kLinear:
        frequencies.push_back(fixed::divide(frequency, fixed::of_double(rope.factor)));
        break;
      case model::RopeScaling::kLlama3:
        frequencies.push_back(llama3_frequency(rope, frequency));
        break;
      case model::RopeScaling::kYarn:
        frequencies.push_back(yarn_frequency(rope, ramp, i, frequency));
        break;
      case model::RopeScaling::kFactors:
        frequencies.push_back(fixed::divide(frequency, fixed::of_double(static_cast<double>(rope.factors[i]))));
        break;
    }
  }
  return frequencies;
}

Number amplitude_of(const model::Rope& rope) {
  Number amplitude = fixed::of_double(rope.amplitude);
  if (!rope.grows_with_factor) return amplitude;
  return fixed::multiply(amplitude, fixed::log(fixed::of_double(rope.factor)) / 10 + whole(1));
}

}  // namespace avow::quantise
