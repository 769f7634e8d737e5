// SPDX-License-Identifier: Apache-2.0
#include "runtime/model_testing.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

namespace avow::runtime::testing {

using compile::Architecture;
using compile::IntegerModel;
using compile::ModelTensor;
using compile::Plan;

namespace {

std::int64_t rounded(double value) { return std::llround(value); }

void fill_tables(IntegerModel& model) {
  auto& act = model.of(ModelTensor::kActValues).narrow.own();
  auto& exp = model.of(ModelTensor::kExpValues).narrow.own();
  for (int i = 0; i < 1 << 16; ++i) {
    const double x = (i - 32768) / 4096.0;
    act.push_back(static_cast<std::int16_t>(rounded(4095 * x / (1 + std::exp(-x)))));
    exp.push_back(static_cast<std::int16_t>(rounded(16384 * std::exp(-i / 64.0))));
  }
  auto& roots = model.of(ModelTensor::kRootValues).wide.own();
  auto& slopes = model.of(ModelTensor::kRootSlopes).wide.own();
  const auto root = [](int row) {
    return row < 256 ? 0 : static_cast<std::int32_t>(rounded((1 - 1.0 / 1024) * (1 << 20) / std::sqrt(row)));
  };
  for (int row = 0; row < 1 << 16; ++row) {
    roots.push_back(root(row));
    slopes.push_back(row < 256 ? 0 : root(row) - root(row + 1));
  }
  auto& found = model.of(ModelTensor::kFoundValues).narrow.own();
  for (int i = 0; i < 512; ++i) found.push_back(i == 0 ? 0 : 1);
  auto& weights = model.of(ModelTensor::kWeightValues).wide.own();
  for (int u = 0; u < 4096; ++u) {
    weights.push_back(u == 4095 ? 0 : static_cast<std::int32_t>(rounded(65535 * std::exp(-u / 256.0))));
  }
}

void fill_rotation(IntegerModel& model) {
  const Plan& plan = model.plan;
  auto& rotation = model.of(ModelTensor::kRotation).narrow.own();
  const double pairs = static_cast<double>(plan.head_size) / 2;
  for (std::uint64_t t = 0; t < plan.context; ++t) {
    for (std::uint64_t p = 0; p < plan.head_size / 2; ++p) {
      const double angle = static_cast<double>(t) * std::pow(10000, -static_cast<double>(p) / pairs);
      for (const double v : {std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle)}) {
        rotation.push_back(static_cast<std::int16_t>(rounded(16384 * v)));
      }
    }
  }
}

}  // namespace

IntegerModel random_model(const Plan& plan, std::uint64_t seed) {
  IntegerModel model;
  model.plan = plan;
  fill_tables(model);
  if (plan.architecture == Architecture::kLlama) fill_rotation(model);
  std::mt19937_64 rng(seed);
  for (std::size_t i = 0; i <= static_cast<std::size_t>(ModelTensor::kEmbeddingMean); ++i) {
    const auto tensor = static_cast<ModelTensor>(i);
    const std::uint64_t count = compile::cells_of(plan, tensor);
    if (compile::is_wide(tensor)) {
      for (std::uint64_t c = 0; c < count; ++c) {
        model.of(tensor).wide.own().push_back(static_cast<std::int32_t>(rng() >> 33) - (1 << 30));
      }
      continue;
    }
    auto& cells = model.of(tensor).narrow.own();
    cells.reserve(count);
    while (cells.size() < count) {
      std::uint64_t bits = rng();
      for (int k = 0; k < 3 && cells.size() < count; ++k, bits >>= 19) {
        const bool extreme = (bits & 7) == 0;
        const auto cell = static_cast<std::int16_t>(bits >> 3);
        cells.push_back(extreme ? static_cast<std::int16_t>(cell < 0 ? -32767 : 32767)
                                : std::max<std::int16_t>(cell, -32767));
      }
    }
  }
  return model;
}

void scale(Plan& plan, std::uint64_t variation) {
  std::mt19937_64 rng(variation);
  const auto below = [&](std::uint64_t n) { return static_cast<unsigned>(rng() % n); };
  // The least shift from sums below `bound` to integers of `bits` bits.
  const auto shift_to = [](double bound, unsigned bits) {
    const int shift = static_cast<int>(std::ceil(std::log2(bound))) - static_cast<int>(bits) + 1;
    return static_cast<unsigned>(std::max(shift, 0));
  };
  constexpr double k15 = 1 << 15;
  const auto width = static_cast<double>(plan.width), hidden = static_cast<double>(plan.hidden);
  const auto attention = static_cast<double>(plan.kv_heads * plan.group * plan.head_size);
  for (unsigned* up : {&plan.query_bias_up, &plan.key_bias_up, &plan.value_bias_up, &plan.output_bias_up,
                       &plan.up_bias_up, &plan.down_bias_up}) {
    *up = below(15);
  }
  const double sum = k15 * k15 * std::sqrt(width) + k15 * (1 << 14);
  plan.query_shift = shift_to(sum, 15);  // a bit for the turn
  plan.key_shift = shift_to(sum, 15) + below(4);
  plan.value_shift = plan.gate_shift = plan.up_shift = shift_to(sum, 16);
  plan.score_shift = shift_to(static_cast<double>(plan.head_size) * k15 * k15, 16);
  const auto context_bits = static_cast<unsigned>(std::bit_width(plan.context - 1));
  plan.mix_shift = 20 + below(std::min(37u, 47 - context_bits) - 19);
  plan.product_bits = 32;
  plan.product_shift = below(20);
  const double product =
      plan.architecture == Architecture::kLlama ? std::ldexp(1, 30 - static_cast<int>(plan.product_shift)) : k15;
  plan.output_up = below(6);
  plan.down_up = below(3);
  plan.embedding_up = 20 + below(8);
  const double output = k15 * k15 * attention + k15 * (1 << 14);
  const double down = k15 * product * hidden + k15 * (1 << 14) + 1;
  const double stream = std::ldexp(3 * k15, static_cast<int>(plan.embedding_up)) +
                        static_cast<double>(plan.layers) * (std::ldexp(output, static_cast<int>(plan.output_up)) +
                                                            std::ldexp(down, static_cast<int>(plan.down_up)));
  plan.norm_epsilon = 1 + below(1000);
  const auto most_bits = static_cast<unsigned>((61 - std::log2(width + 1)) / 2);
  plan.stream_bits = std::min(30u, most_bits - below(3));
  plan.stream_shift = shift_to(stream, plan.stream_bits);
  const double logit = (plan.tied ? k15 : 1) * k15 * k15 * std::sqrt(width) + (1ll << 31);
  plan.logit_bits = 15 + below(3);
  plan.logit_shift = shift_to(logit, 15);
  plan.overflow_bits = plan.logit_bits + 2;
  plan.digit_bits = 16 + below(5);
}

Plan random_plan(std::uint64_t seed) {
  std::mt19937_64 rng(seed);
  const auto from = [&](std::uint64_t least, std::uint64_t most) { return least + rng() % (most - least + 1); };
  Plan plan;
  plan.architecture = seed % 2 == 0 ? Architecture::kLlama : Architecture::kGpt2;
  plan.tied = seed % 4 >= 2;
  plan.qkv_bias = seed % 8 >= 4;
  plan.output_bias = seed % 16 >= 8;
  plan.layers = from(1, 3);
  plan.width = from(6, 24);
  plan.kv_heads = from(1, 3);
  plan.group = from(1, 3);
  plan.head_size = 2 * from(1, 5);
  plan.hidden = from(5, 40);
  plan.vocabulary = from(2, 70);
  plan.context = std::uint64_t{rng() % 2 == 0 ? 64u : 48u};
  scale(plan, rng());
  return plan;
}

}  // namespace avow::runtime::testing
