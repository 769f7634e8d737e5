// SPDX-License-Identifier: Apache-2.0
#include "model/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace avow::model {
namespace {

struct Range {
  const char* name;
  std::uint64_t value, limit;
};

MaybeError out_of_range(const ModelConfig& c, std::string_view file) {
  const Range ranges[] = {
      {"layers", c.layers, config_limits::kLayers},
      {"width", c.width, config_limits::kWidth},
      {"heads", c.heads, config_limits::kHeads},
      {"key and value heads", c.kv_heads, config_limits::kHeads},
      {"values in a head", c.head_size, config_limits::kHeadSize},
      {"hidden width", c.hidden, config_limits::kHidden},
      {"vocabulary", c.vocabulary, config_limits::kVocabulary},
      {"context", c.context, config_limits::kContext},
  };
  for (const Range& range : ranges) {
    if (range.value == 0 || range.value > range.limit) {
      return ReadError{Cause::kValue, std::string(file), 0,
                       fmt::format("{}: {} is not from 1 to {}", range.name, range.value, range.limit)};
    }
  }
  return std::nullopt;
}

// Far below what any model has, and far above where fixed-point numbers end.
constexpr double kLeastRope = 1e-6;

MaybeError check_rope(const ModelConfig& c, std::string_view file) {
  const auto refuse = [&](std::string reason) {
    return ReadError{Cause::kValue, std::string(file), 0, "rotary positions: " + std::move(reason)};
  };
  const Rope& rope = c.rope;
  if (c.head_size % 2 != 0) return refuse(fmt::format("heads of odd size {}", c.head_size));
  // Written so that NaN is refused, too.
  if (!(rope.theta > 1 && rope.theta <= 1e12)) return refuse(fmt::format("theta {}", rope.theta));
  if (!(rope.factor >= 1 && rope.factor <= 1e6)) return refuse(fmt::format("factor {}", rope.factor));
  if (!(rope.amplitude > kLeastRope && rope.amplitude <= 1e3))
    return refuse(fmt::format("amplitude {}", rope.amplitude));
  if (!(rope.low_frequency_factor > kLeastRope && rope.high_frequency_factor > rope.low_frequency_factor &&
        rope.high_frequency_factor <= 1e6)) {
    return refuse(fmt::format("frequency factors {} and {}", rope.low_frequency_factor, rope.high_frequency_factor));
  }
  if (!(rope.beta_slow > kLeastRope && rope.beta_fast >= rope.beta_slow && rope.beta_fast <= 1e6)) {
    return refuse(fmt::format("beta_fast {} and beta_slow {}", rope.beta_fast, rope.beta_slow));
  }
  const bool needs_context = rope.scaling == RopeScaling::kLlama3 || rope.scaling == RopeScaling::kYarn;
  if (needs_context && (rope.original_context == 0 || rope.original_context > config_limits::kContext)) {
    return refuse(fmt::format("original context {}", rope.original_context));
  }
  if (rope.scaling == RopeScaling::kFactors) {
    if (rope.factors.size() != c.head_size / 2) return refuse(fmt::format("{} factors", rope.factors.size()));
    for (const float factor : rope.factors) {
      if (!(factor > 1e-6f && factor < 1e6f)) return refuse(fmt::format("frequency factor {}", factor));
    }
  }
  return std::nullopt;
}

// Llama 3.1: wavelengths above original_context / low_frequency_factor are stretched, those below
// original_context / high_frequency_factor are not.
double llama3_frequency(const Rope& rope, double frequency) {
  const double turns = static_cast<double>(rope.original_context) * frequency / (2 * std::numbers::pi);
  if (turns < rope.low_frequency_factor) return frequency / rope.factor;
  if (turns > rope.high_frequency_factor) return frequency;
  const double kept = (turns - rope.low_frequency_factor) / (rope.high_frequency_factor - rope.low_frequency_factor);
  return (1 - kept) * frequency / rope.factor + kept * frequency;
}

// YaRN (Peng et al. 2023, section 3.2): a ramp over the index of the rotation between those that turn beta_fast and
// beta_slow times within the original context.
double yarn_frequency(const Rope& rope, std::uint64_t head_size, std::uint64_t index, double frequency) {
  const double size = static_cast<double>(head_size);
  const auto index_of = [&](double turns) {
    const double ratio = static_cast<double>(rope.original_context) / (turns * 2 * std::numbers::pi);
    return size * std::log(ratio) / (2 * std::log(rope.theta));
  };
  double low = index_of(rope.beta_fast), high = index_of(rope.beta_slow);
  if (rope.whole_ramp_ends) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, size - 1);
  const double width = std::max(high - low, 0.001);
  const double stretched = std::clamp((static_cast<double>(index) - low) / width, 0.0, 1.0);
  return stretched * frequency / rope.factor + (1 - stretched) * frequency;
}

}  // namespace

MaybeError check_config(const ModelConfig& c, std::string_view file) {
  if (auto error = out_of_range(c, file)) return error;
  const auto refuse = [&](std::string reason) {
    return ReadError{Cause::kValue, std::string(file), 0, std::move(reason)};
  };
  if (c.heads % c.kv_heads != 0) {
    return refuse(fmt::format("{} heads do not share {} heads of keys and values evenly", c.heads, c.kv_heads));
  }
  if (c.heads * c.head_size > config_limits::kWidth) {
    return refuse(fmt::format("{} heads of {} values are too wide", c.heads, c.head_size));
  }
  if (!(c.norm_epsilon > 0 && c.norm_epsilon <= 1)) {
    return refuse(fmt::format("the norm's epsilon {} is not in (0, 1]", c.norm_epsilon));
  }
  return c.architecture == Architecture::kLlama ? check_rope(c, file) : std::nullopt;
}

std::vector<double> rope_frequencies(const ModelConfig& config) {
  const Rope& rope = config.rope;
  std::vector<double> frequencies(config.head_size / 2);
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double exponent = 2 * static_cast<double>(i) / static_cast<double>(config.head_size);
    const double frequency = std::pow(rope.theta, -exponent);
    switch (rope.scaling) {
      case RopeScaling::kNone:
        frequencies[i] = frequency;
        break;
      case RopeScaling::kLinear:
        frequencies[i] = frequency / rope.factor;
        break;
      case RopeScaling::kLlama3:
        frequencies[i] = llama3_frequency(rope, frequency);
        break;
      case RopeScaling::kYarn:
        frequencies[i] = yarn_frequency(rope, config.head_size, i, frequency);
        break;
      case RopeScaling::kFactors:
        frequencies[i] = frequency / static_cast<double>(rope.factors[i]);
        break;
    }
  }
  return frequencies;
}

double rope_amplitude(const Rope& rope) {
  return rope.amplitude * (rope.grows_with_factor ? 0.1 * std::log(rope.factor) + 1 : 1);
}

}  // namespace avow::model
