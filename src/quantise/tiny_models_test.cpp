// SPDX-License-Identifier: Apache-2.0
// Small random models of every kind: what is folded changes nothing, and no weights make a model leave its ranges.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "base/test_stride.hpp"
#include "model/float_model.hpp"
#include "model/tiny_models_testing.hpp"
#include "quantise/quantise.hpp"
#include "quantise/simulation_testing.hpp"

namespace avow::quantise {
namespace {

using model::testing::Bias;
using model::testing::GgufWriter;
using model::testing::TinyTensor;
using testing::Simulation;
using Tensors = std::vector<TinyTensor>;

// Weights refer to the bytes.
struct TinyModel {
  base::Bytes bytes;
  std::optional<model::Weights> weights;
};

void open(TinyModel& tiny, GgufWriter metadata, const Tensors& tensors) {
  tiny.bytes = model::testing::gguf_of(std::move(metadata), tensors);
  const auto gguf = model::GgufFile::parse(tiny.bytes, "m.gguf");
  ASSERT_TRUE(gguf.ok()) << to_text(gguf.error());
  auto weights = model::Weights::from_gguf(gguf.value());
  ASSERT_TRUE(weights.ok()) << to_text(weights.error());
  tiny.weights.emplace(std::move(weights).value());
}

TinyTensor& tensor_of(Tensors& tensors, const std::string& name) {
  return *std::find_if(tensors.begin(), tensors.end(), [&](const TinyTensor& t) { return t.name == name; });
}

void without(Tensors& tensors, const std::string& name) {
  std::erase_if(tensors, [&](const TinyTensor& t) { return t.name == name; });
}

struct Kind {
  const char* name;
  std::function<void(TinyModel&, std::uint64_t seed, const std::function<void(Tensors&)>& change)> make;
};

std::vector<Kind> kinds() {
  const auto llama = [](const GgufWriter& metadata, const Tensors& tensors) {
    return [=](TinyModel& tiny, const std::function<void(Tensors&)>& change) {
      Tensors changed = tensors;
      change(changed);
      open(tiny, metadata, changed);
    };
  };
  using Change = std::function<void(Tensors&)>;
  const auto yarn = [=](float factor, float amplitude) {
    return [=](TinyModel& tiny, std::uint64_t seed, const Change& change) {
      GgufWriter metadata = model::testing::llama_metadata("llama");
      metadata.text("llama.rope.scaling.type", "yarn");
      metadata.f32("llama.rope.scaling.factor", factor);
      metadata.f32("llama.rope.scaling.attn_factor", amplitude);
      metadata.u32("llama.rope.scaling.original_context_length", 16);
      llama(metadata, model::testing::tiny_llama(seed, Bias::kNo))(tiny, change);
    };
  };
  return {
      {"llama",
       [=](TinyModel& tiny, std::uint64_t seed, const Change& change) {
         llama(model::testing::llama_metadata("llama"), model::testing::tiny_llama(seed, Bias::kNo))(tiny, change);
       }},
      {"llama, tied",
       [=](TinyModel& tiny, std::uint64_t seed, const Change& change) {
         Tensors tensors = model::testing::tiny_llama(seed, Bias::kNo);
         without(tensors, "output.weight");
         llama(model::testing::llama_metadata("llama"), tensors)(tiny, change);
       }},
      {"llama, yarn", yarn(4, 1)},
      {"llama, yarn of small amplitude", yarn(1, 0.125f)},
      {"qwen2",
       [=](TinyModel& tiny, std::uint64_t seed, const Change& change) {
         const Tensors tensors = model::testing::tiny_llama(seed, Bias::kYes);
         llama(model::testing::llama_metadata("qwen2"), model::testing::with_split_halves(tensors))(tiny, change);
       }},
      {"gpt2",
       [=](TinyModel& tiny, std::uint64_t seed, const Change& change) {
         llama(model::testing::gpt2_metadata(), model::testing::tiny_gpt2(seed))(tiny, change);
       }},
      {"gpt2, no bias of its head",
       [=](TinyModel& tiny, std::uint64_t seed, const Change& change) {
         Tensors tensors = model::testing::tiny_gpt2(seed);
         for (float& value : tensor_of(tensors, "output_norm.bias").values) value = 0;
         llama(model::testing::gpt2_metadata(), tensors)(tiny, change);
       }},
  };
}

// The largest difference of a logit over random tokens.
double difference(const TinyModel& tiny, std::uint64_t seed) {
  auto import = import_model(*tiny.weights, {});
  EXPECT_TRUE(import.ok()) << import.error().text;
  auto original = model::FloatModel::load(*tiny.weights);
  Simulation simulation(import.value().model);
  std::mt19937_64 random(seed);
  double largest = 0;
  for (std::uint64_t i = 0; i < import.value().model.plan.context; ++i) {
    const auto token = static_cast<std::uint32_t>(random() % 5);
    const auto real = original.value().step(token);
    const auto integers = simulation.step(token);
    for (std::size_t v = 0; v < real.size(); ++v) {
      largest = std::max(largest, std::abs(real[v] - static_cast<double>(integers[v]) / 256));
    }
  }
  EXPECT_EQ(simulation.failure(), "");
  return largest;
}

// A fold that is missing or wrong changes these logits, which are of size 1 to 5, by far more.
TEST(TinyModels, HaveTheLogitsOfTheirOriginals) {
  for (const Kind& kind : kinds()) {
    for (std::uint64_t seed = 1; seed <= 6; seed += base::kTestStride) {
      TinyModel tiny;
      kind.make(tiny, seed, [](Tensors&) {});
      EXPECT_LE(difference(tiny, seed), 0.012) << kind.name << " " << seed;
    }
  }
}

TEST(TinyModels, KeepTheirHeadTiedUnlessItsBiasForbids) {
  const bool expected[] = {false, true, false, false, false, false, true};
  const auto all = kinds();
  for (std::size_t i = 0; i < all.size(); ++i) {
    TinyModel tiny;
    all[i].make(tiny, 3, [](Tensors&) {});
    const auto model = quantise(*tiny.weights, {});
    ASSERT_TRUE(model.ok());
    EXPECT_EQ(model.value().plan.tied, expected[i]) << all[i].name;
  }
}

// Weights of very different sizes, zeros, equal rows, single outliers: a refusal with a reason, or a model that stays
// in its ranges for all tokens.
TEST(TinyModels, StayInTheirRangesWhateverTheirWeights) {
  std::mt19937_64 random(17);
  std::size_t imported = 0, refused = 0;
  for (const Kind& kind : kinds()) {
    for (std::uint64_t seed = 1; seed <= 24; seed += base::kTestStride) {
      TinyModel tiny;
      kind.make(tiny, seed, [&](Tensors& tensors) {
        for (TinyTensor& tensor : tensors) {
          const std::uint64_t change = random() % 8;
          const int exponent = static_cast<int>(random() % (seed <= 16 ? 13 : 61)) - (seed <= 16 ? 6 : 30);
          const std::size_t special = random() % tensor.values.size();
          for (std::size_t i = 0; i < tensor.values.size(); ++i) {
            float& value = tensor.values[i];
            if (change == 0) value = std::ldexp(value, exponent);
            if (change == 1) value = 0;
            if (change == 2) value = value < 0 ? -1.0f : 1.0f;
            if (change == 3) value = i == special ? 100.0f : value / 1024;
            if (change == 4) value = tensor.values[i % 8];
          }
        }
      });
      const auto import = import_model(*tiny.weights, {});
      if (!import.ok()) {
        ++refused;
        EXPECT_THAT(import.error().cause, ::testing::AnyOf(Cause::kRange, Cause::kBound));
        EXPECT_FALSE(import.error().text.empty());
        continue;
      }
      ++imported;
      Simulation simulation(import.value().model);
      for (int run = 0; run < 8; ++run) {
        simulation.reset();
        for (int i = 0; i < 6; ++i) {
          const bool repeats = run < 5;
          const auto token = repeats ? static_cast<std::uint32_t>(run) : static_cast<std::uint32_t>(random() % 5);
          if (simulation.position() < import.value().model.plan.context) simulation.step(token);
        }
      }
      ASSERT_EQ(simulation.failure(), "") << kind.name << " " << seed;
    }
  }
  EXPECT_GE(imported, 80u / base::kTestStride);
  EXPECT_GE(refused, 10u / base::kTestStride);
}

TEST(TinyModels, AreRefusedWithTheirReason) {
  TinyModel tiny;
  const auto all = kinds();
  const auto expect_error = [&](Cause cause, const char* text, const Options& options = {}) {
    const auto result = quantise(*tiny.weights, options);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().cause, cause) << result.error().text;
    EXPECT_THAT(result.error().text, ::testing::HasSubstr(text));
  };
  all[0].make(tiny, 1, [](Tensors& t) { tensor_of(t, "blk.0.ffn_up.weight").values[5] = std::nanf(""); });
  expect_error(Cause::kWeights, "blk.0.ffn_up.weight");
  all[0].make(tiny, 1, [](Tensors& t) { tensor_of(t, "token_embd.weight").values[5] = 1e30f; });
  expect_error(Cause::kRange, "embedding has values beyond 2^60");
  all[0].make(tiny, 1, [](Tensors& t) {
    for (float& value : tensor_of(t, "output.weight").values) value *= 1e6f;
  });
  expect_error(Cause::kBound, "more than 20 bits");
  all[5].make(tiny, 1, [](Tensors&) {});
  expect_error(Cause::kContext, "7 tokens is more than 6", {7});
  all[0].make(tiny, 1, [](Tensors&) {});
  expect_error(Cause::kContext, "65537 tokens", {65537});
}

TEST(TinyModels, RoundTheirContextDown) {
  TinyModel tiny;
  kinds()[0].make(tiny, 1, [](Tensors&) {});
  const std::pair<std::uint64_t, std::uint64_t> pairs[] = {{0, 64}, {1, 1},  {2, 2},   {3, 3},    {4, 4},   {5, 4},
                                                           {6, 6},  {11, 8}, {12, 12}, {100, 96}, {95, 64}, {200, 192}};
  for (const auto& [asked, given] : pairs) {
    const auto model = quantise(*tiny.weights, {asked});
    ASSERT_TRUE(model.ok()) << asked << model.error().text;
    EXPECT_EQ(model.value().plan.context, given);
  }
}

}  // namespace
}  // namespace avow::quantise
