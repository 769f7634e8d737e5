// SPDX-License-Identifier: Apache-2.0
#include "quantise/frequencies.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace avow::quantise {
namespace {

double as_double(const fixed::Number& x) {
  return std::ldexp(fixed::Number(x >> (fixed::kPrecision - 100)).get_d(), -100);
}

void expect_the_models(const model::ModelConfig& config) {
  const auto exact = frequencies_of(config);
  const auto library = model::rope_frequencies(config);
  ASSERT_EQ(exact.size(), library.size());
  for (std::size_t i = 0; i < exact.size(); ++i) {
    EXPECT_NEAR(as_double(exact[i]) / library[i], 1, 1e-13) << i;
  }
}

TEST(Frequencies, AreThoseOfTheModel) {
  model::ModelConfig config;
  for (const std::uint64_t size : {2u, 8u, 64u, 128u}) {
    for (const double theta : {10000.0, 500000.0, 1000000.0, 7.3}) {
      config.head_size = size;
      config.rope = {};
      config.rope.theta = theta;
      expect_the_models(config);
      config.rope.factor = 7.7;
      config.rope.scaling = model::RopeScaling::kLinear;
      expect_the_models(config);
      config.rope.scaling = model::RopeScaling::kLlama3;
      config.rope.original_context = 8192;
      expect_the_models(config);
      config.rope.scaling = model::RopeScaling::kYarn;
      config.rope.original_context = 4096;
      expect_the_models(config);
      config.rope.whole_ramp_ends = false;
      expect_the_models(config);
      config.rope.scaling = model::RopeScaling::kFactors;
      for (std::uint64_t i = 0; i < size / 2; ++i) config.rope.factors.push_back(1 + static_cast<float>(i) / 3);
      expect_the_models(config);
    }
  }
}

TEST(Frequencies, HaveTheAmplitudeOfTheModel) {
  model::Rope rope;
  for (const double factor : {1.0, 1.5, 4.0, 16.0, 40.0}) {
    rope.factor = factor;
    for (const double amplitude : {0.25, 1.0, 1.1386294361119891}) {
      rope.amplitude = amplitude;
      for (const bool grows : {false, true}) {
        rope.grows_with_factor = grows;
        EXPECT_NEAR(as_double(amplitude_of(rope)), model::rope_amplitude(rope), 1e-14);
      }
    }
  }
}

TEST(Fixed, HasLogarithms) {
  for (const double x : {1e-9, 0.3, 1.0, 1.5, 2.0, 10000.0, 1e18}) {
    const fixed::Number number = fixed::of_double(x), log = fixed::log(number);
    EXPECT_NEAR(as_double(log), std::log(x), 1e-14 * (1 + std::abs(std::log(x))));
    EXPECT_TRUE(abs(fixed::exp(log) - number) < fixed::of_scaled(1, 200)) << x;
  }
}

}  // namespace
}  // namespace avow::quantise
