// SPDX-License-Identifier: Apache-2.0
#include "quantise/synthetic.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "model/tokenizer.hpp"
#include "quantise/quantise.hpp"

namespace avow::quantise {
namespace {

TEST(Synthetic, ShapesAreKnownByName) {
  EXPECT_FALSE(synthetic_shape("7b").has_value());
  for (const std::string& name : kSyntheticNames) {
    const auto shape = synthetic_shape(name);
    ASSERT_TRUE(shape.has_value()) << name;
    EXPECT_FALSE(model::check_config(*shape, name).has_value()) << name;
  }
}

TEST(Synthetic, ModelsAreImported) {
  auto gpt2 = synthetic_shape("gpt2").value();
  gpt2.layers = 2, gpt2.width = 48, gpt2.heads = gpt2.kv_heads = 4, gpt2.head_size = 12;
  gpt2.hidden = 96, gpt2.vocabulary = 300, gpt2.context = 32;
  for (const model::ModelConfig& config : {synthetic_shape("260k").value(), gpt2}) {
    const SyntheticModel made(config, 1), again(config, 1), other(config, 2);
    const auto weights = made.weights();
    ASSERT_TRUE(weights.ok()) << to_text(weights.error());
    const auto model = quantise(weights.value(), {});
    ASSERT_TRUE(model.ok()) << model.error().text;
    EXPECT_EQ(model.value().cells, quantise(again.weights().value(), {}).value().cells);
    EXPECT_NE(model.value().cells, quantise(other.weights().value(), {}).value().cells);
    EXPECT_TRUE(model::Tokenizer::create(made.tokenizer()).ok());
    EXPECT_EQ(made.tokenizer().tokens.size(), config.vocabulary);
  }
}

TEST(Synthetic, WeightsHaveTheirDeviation) {
  const SyntheticModel made(synthetic_shape("260k").value(), 3);
  const auto cells = made.weights().value().read(model::Part::kUp, 2).value();
  double sum = 0, squares = 0;
  for (const float cell : cells) {
    sum += static_cast<double>(cell);
    squares += static_cast<double>(cell) * static_cast<double>(cell);
  }
  const auto count = static_cast<double>(cells.size());
  EXPECT_NEAR(sum / count, 0, 0.005);
  EXPECT_NEAR(std::sqrt(squares / count), 0.125, 0.005);
}

}  // namespace
}  // namespace avow::quantise
