// SPDX-License-Identifier: Apache-2.0
// The reference forward pass against logits of independent implementations (models/README.md).
#include "model/float_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/mapped_file.hpp"

namespace avow::model {
namespace {

// Far below what another order of sums in binary32 would give: the golden logits were computed in binary64 and rounded.
constexpr double kTolerance = 1e-5;

std::string models(const std::string& name) { return AVOW_SOURCE_DIR "/models/" + name; }

template <typename T>
std::vector<T> read_numbers(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  AVOW_CHECK(file.ok());
  std::vector<T> numbers(file.value().bytes().size() / sizeof(T));
  std::memcpy(numbers.data(), file.value().bytes().data(), numbers.size() * sizeof(T));
  return numbers;
}

struct Comparison {
  std::size_t rows = 0;
  double largest = 0;       // difference of any logit
  std::size_t choices = 0;  // rows in which the largest logit is the same
};

// NaN counts as infinitely wrong.
void compare_row(std::span<const double> logits, std::span<const float> golden, Comparison& result) {
  for (std::size_t i = 0; i < golden.size(); ++i) {
    const double difference = std::abs(logits[i] - static_cast<double>(golden[i]));
    result.largest = difference <= result.largest ? result.largest : difference;
    if (std::isnan(difference)) result.largest = HUGE_VAL;
  }
  const auto ours = std::max_element(logits.begin(), logits.end()) - logits.begin();
  const auto theirs = std::max_element(golden.begin(), golden.end()) - golden.begin();
  result.choices += ours == theirs ? 1 : 0;
  ++result.rows;
}

Comparison compare(const std::string& model_path, const std::string& tokens_path, const std::string& logits_path) {
  const auto weights = Weights::open(model_path);
  if (!weights.ok()) {
    ADD_FAILURE() << to_text(weights.error());
    return {};
  }
  auto model = FloatModel::load(weights.value());
  if (!model.ok()) {
    ADD_FAILURE() << to_text(model.error());
    return {};
  }
  const auto tokens = read_numbers<std::uint32_t>(tokens_path);
  const auto golden = read_numbers<float>(logits_path);
  const std::size_t width = weights.value().config().vocabulary;
  Comparison result;
  for (std::size_t row = 0; row < golden.size() / width; ++row) {
    const auto logits = model.value().step(tokens[row]);
    if (logits.size() != width) return {};
    compare_row(logits, std::span(golden).subspan(row * width, width), result);
  }
  return result;
}

Comparison compare_stored(const std::string& model, const std::string& folder) {
  return compare(models(model), models(folder + "/golden_tokens.i32"), models(folder + "/golden_logits.f32"));
}

TEST(FloatModel, HasTheLogitsOfStories) {
  const Comparison result = compare_stored("stories260K/stories260K.gguf", "stories260K");
  EXPECT_EQ(result.rows, 96u);
  EXPECT_LE(result.largest, kTolerance);
}

TEST(FloatModel, HasTheLogitsOfBabyLlama) {
  const Comparison result = compare_stored("babyllama105/babyllama105-F16.gguf", "babyllama105");
  EXPECT_EQ(result.rows, 256u);
  EXPECT_LE(result.largest, kTolerance);
}

TEST(FloatModel, HasTheLogitsOfGpt2) {
  const Comparison result = compare_stored("gpt2-tiny", "gpt2-tiny");
  EXPECT_EQ(result.rows, 96u);
  EXPECT_LE(result.largest, kTolerance);
}

// Four bits cost accuracy, but not the model: most choices stay.
TEST(FloatModel, StaysCloseWithFourBits) {
  const Comparison result = compare_stored("babyllama105/babyllama105-Q4_0.gguf", "babyllama105");
  EXPECT_EQ(result.rows, 256u);
  EXPECT_GT(result.largest, 0.1);
  EXPECT_GE(result.choices, 200u);
}

TEST(FloatModel, StartsAgain) {
  const auto weights = Weights::open(models("stories260K/stories260K.gguf"));
  ASSERT_TRUE(weights.ok());
  auto model = FloatModel::load(weights.value());
  ASSERT_TRUE(model.ok());
  const auto logits_of = [&](std::uint32_t token) {
    const auto logits = model.value().step(token);
    return std::vector<double>(logits.begin(), logits.end());
  };
  const auto first = logits_of(1), second = logits_of(1);
  EXPECT_EQ(model.value().position(), 2u);
  model.value().reset();
  EXPECT_EQ(logits_of(1), first);
  EXPECT_NE(first, second);
}

}  // namespace
}  // namespace avow::model
