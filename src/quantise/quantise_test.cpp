// SPDX-License-Identifier: Apache-2.0
// Real models in integers against their originals, with every range of the specification checked.
#include "quantise/quantise.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/hex.hpp"
#include "base/test_stride.hpp"
#include "hash/keccak.hpp"
#include "model/float_model.hpp"
#include "model/tokenizer_files_testing.hpp"
#include "quantise/agreement.hpp"
#include "quantise/simulation_testing.hpp"

namespace avow::quantise {
namespace {

using testing::Simulation;

std::string models(const std::string& name) { return AVOW_SOURCE_DIR "/models/" + name; }

model::Weights weights_of(const std::string& name) {
  auto weights = model::Weights::open(models(name));
  if (!weights.ok()) ADD_FAILURE() << to_text(weights.error());
  return std::move(weights).value();
}

Import imported(const model::Weights& weights, std::uint64_t context) {
  auto result = import_model(weights, {context});
  if (!result.ok()) ADD_FAILURE() << result.error().text;
  EXPECT_EQ(compile::check_plan(result.value().model.plan), std::nullopt);
  return std::move(result).value();
}

constexpr const char* kStory =
    "Once upon a time, there was a little girl named Lily. She liked to play outside in the park with her dog, Max. "
    "One "
    "sunny day, they found a big red ball under a tree. Lily wanted to kick the ball, but Max took it in his mouth and "
    "ran away. \"Stop, Max!\" she said. Max did not stop. He ran to the pond and dropped the ball into the water. Lily "
    "was "
    "sad because she could not swim. Then an old man with a long stick came by. He saw that Lily was crying and asked, "
    "\"What is wrong?\" Lily told him about the ball. The man smiled and pulled the ball out of the water with his "
    "stick. "
    "Lily was very happy. She thanked the man and gave Max a hug. From that day on, they only played with the ball far "
    "away from the pond, and the three of them became good friends.";

struct Case {
  const char* name;
  const char* file;
  const char* tokenizer;  // a GGUF file or a tokenizer.json
  std::uint64_t context;
};

std::vector<std::uint32_t> story_tokens(const Case& c) {
  const std::string path = models(c.tokenizer);
  const bool gguf = path.ends_with(".gguf");
  const auto tokenizer = gguf ? model::tokenizer_of_gguf(path) : model::tokenizer_of_json(model::read_file(path));
  model::EncodeOptions options;
  if (gguf) options.ends = model::Ends::kBos;
  auto ids = tokenizer.encode(kStory, options).value();
  std::vector<std::uint32_t> tokens(ids.begin(), ids.end());
  if (!gguf) tokens.insert(tokens.begin(), 1023);  // <|endoftext|>
  if (tokens.size() > c.context) tokens.resize(c.context);
  return tokens;
}

class RealModel : public ::testing::TestWithParam<Case> {};

TEST_P(RealModel, AgreesWithItsOriginal) {
  const Case& c = GetParam();
  const auto weights = weights_of(c.file);
  const Import import = imported(weights, c.context);
  ASSERT_EQ(import.model.plan.context, c.context);
  auto original = model::FloatModel::load(weights);
  ASSERT_TRUE(original.ok());
  Simulation simulation(import.model);
  Agreement agreement;
  const auto tokens = story_tokens(c);
  ASSERT_GE(tokens.size(), 200u);
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const auto real = original.value().step(tokens[i]);
    std::vector<double> integers;
    for (const std::int64_t z : simulation.step(tokens[i])) integers.push_back(static_cast<double>(z) / 256);
    agreement.add(real, integers, tokens[i + 1]);
  }
  EXPECT_EQ(simulation.failure(), "");
  EXPECT_NEAR(agreement.ratio(), 1, 0.002);
  EXPECT_LE(agreement.kl(), 2e-4);
  EXPECT_GE(agreement.top1(), 0.99);
}

// Random words, each word again and again, and words that follow one another so that the stream grows: no range is
// left, and no bound is exceeded.
TEST_P(RealModel, KeepsItsRangesForHostileTokens) {
  const Case& c = GetParam();
  const Import import = imported(weights_of(c.file), c.context);
  const compile::Plan& plan = import.model.plan;
  Simulation simulation(import.model);
  std::mt19937_64 random(5);
  for (int run = 0; run < 3; ++run) {
    simulation.reset();
    for (std::uint64_t i = 0; i < (run == 0 ? plan.context : 40); ++i) {
      simulation.step(static_cast<std::uint32_t>(random() % plan.vocabulary));
    }
  }
  for (std::size_t run = 0; run < 40; run += base::kTestStride) {
    simulation.reset();
    const auto token = static_cast<std::uint32_t>(random() % plan.vocabulary);
    for (int i = 0; i < 6; ++i) simulation.step(token);
  }
  simulation.reset();
  std::uint32_t least_likely = 0;
  for (int i = 0; i < 60; ++i) {
    const auto z = simulation.step(least_likely);
    least_likely = static_cast<std::uint32_t>(std::min_element(z.begin(), z.end()) - z.begin());
  }
  EXPECT_EQ(simulation.failure(), "");
  const auto& seen = simulation.sizes();
  const Bounds& bounds = import.bounds;
  const std::pair<double, double> pairs[] = {{seen.norm_output, bounds.norm_output},
                                             {seen.stream, bounds.stream},
                                             {seen.query, bounds.query},
                                             {seen.key, bounds.key},
                                             {seen.value, bounds.value},
                                             {seen.gate, bounds.gate},
                                             {seen.up, bounds.up},
                                             {seen.score, bounds.score},
                                             {seen.product, bounds.product},
                                             {seen.logit, bounds.logit}};
  for (const auto& [size, bound] : pairs) EXPECT_LE(size, bound);
}

std::vector<Case> cases() {
  std::vector<Case> all = {
      Case{"stories260K", "stories260K/stories260K.gguf", "stories260K/stories260K.gguf", 256},
      Case{"babyllama105", "babyllama105/babyllama105-F16.gguf", "babyllama105/babyllama105-F16.gguf", 256},
      Case{"babyllama105Q4", "babyllama105/babyllama105-Q4_0.gguf", "babyllama105/babyllama105-Q4_0.gguf", 256},
      Case{"gpt2Tiny", "gpt2-tiny", "gpt2-tiny/tokenizer.json", 256}};
  if (base::kTestStride > 1) all.resize(1);
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, RealModel, ::testing::ValuesIn(cases()),
                         [](const auto& param) { return param.param.name; });

// Every cell of every tensor, and the numbers of the plan.
std::string digest_of(const compile::IntegerModel& model) {
  base::Bytes bytes;
  const auto put = [&](std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i) & 255));
  };
  const compile::Plan& p = model.plan;
  for (const std::uint64_t number :
       {std::uint64_t{p.stream_bits}, std::uint64_t{p.stream_shift}, std::uint64_t{p.embedding_up},
        std::uint64_t{p.output_up}, std::uint64_t{p.down_up}, p.norm_epsilon, std::uint64_t{p.query_shift},
        std::uint64_t{p.key_shift}, std::uint64_t{p.value_shift}, std::uint64_t{p.gate_shift},
        std::uint64_t{p.up_shift}, std::uint64_t{p.score_shift}, std::uint64_t{p.mix_shift},
        std::uint64_t{p.product_shift}, std::uint64_t{p.product_bits}, std::uint64_t{p.logit_shift},
        std::uint64_t{p.logit_bits}, std::uint64_t{p.overflow_bits}, p.context}) {
    put(number, 8);
  }
  for (const auto& cells : model.cells) {
    put(cells.size(), 8);
    for (const std::int16_t cell : cells.narrow) put(static_cast<std::uint16_t>(cell), 2);
    for (const std::int32_t cell : cells.wide) put(static_cast<std::uint32_t>(cell), 4);
  }
  return base::to_hex(hash::keccak256(bytes));
}

TEST(Quantise, IsTheSameOnEveryMachine) {
  const Import import = imported(weights_of("stories260K/stories260K.gguf"), 256);
  EXPECT_EQ(digest_of(import.model), "1229b48926b9cdfb80d287b7546486962bcb4d8a18e9c8cd8eaf475a05cca8bf");
}

TEST(Quantise, FillsEveryTensorOfThePlan) {
  for (const char* file : {"stories260K/stories260K.gguf", "gpt2-tiny"}) {
    const auto model = quantise(weights_of(file), {});
    ASSERT_TRUE(model.ok());
    for (std::size_t i = 0; i < compile::kModelTensors; ++i) {
      const auto tensor = static_cast<compile::ModelTensor>(i);
      const compile::Cells& cells = model.value().cells[i];
      EXPECT_EQ(cells.size(), compile::cells_of(model.value().plan, tensor)) << compile::name_of(tensor);
      EXPECT_EQ(cells.wide.empty(), !compile::is_wide(tensor) || cells.size() == 0) << compile::name_of(tensor);
      // -2^15 has no place among weights: section 7.
      for (const std::int16_t cell : cells.narrow) ASSERT_NE(cell, -32768) << compile::name_of(tensor);
    }
  }
}

// A choice has its words at every temperature and its distances within overflow_bits.
TEST(Quantise, LeavesRoomForEveryTemperature) {
  const Import import = imported(weights_of("stories260K/stories260K.gguf"), 64);
  Simulation simulation(import.model);
  const auto logits = simulation.step(1);
  std::string failure;
  const auto best = static_cast<std::uint64_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  EXPECT_EQ(testing::choose(import.model, logits, 1 << 12, 1, 1 << 16, 0, failure), best);
  for (const std::uint64_t tau : {0u, 1u, 1u << 12, 1u << 14}) {
    for (const std::uint64_t random : {0u, 12345678u, (1u << 28) - 1}) {
      EXPECT_LT(testing::choose(import.model, logits, tau, 512, 1 << 16, random, failure), 512u);
    }
  }
  // The farthest that logits can be apart.
  std::vector<std::int64_t> apart(512, -(std::int64_t{1} << (import.model.plan.logit_bits - 1)));
  apart[7] = (std::int64_t{1} << (import.model.plan.logit_bits - 1)) - 1;
  EXPECT_EQ(testing::choose(import.model, apart, 1 << 14, 512, 1 << 16, (1 << 28) - 1, failure), 7u);
  EXPECT_EQ(failure, "");
}

}  // namespace
}  // namespace avow::quantise
