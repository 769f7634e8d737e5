// SPDX-License-Identifier: Apache-2.0
#include "runtime/runtime.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>

#include "base/test_stride.hpp"
#include "runtime/model_testing.hpp"
#include "runtime/reference_testing.hpp"

namespace avow::runtime {
namespace {

using compile::IntegerModel;
using compile::ModelTensor;
using compile::Plan;

using Ids = std::vector<std::uint32_t>;
using Logits = std::vector<std::int32_t>;

Ids random_ids(const Plan& plan, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 rng(seed);
  Ids ids(count);
  for (auto& id : ids) id = static_cast<std::uint32_t>(rng() % plan.vocabulary);
  return ids;
}

// The logits after every token, one row each.
Logits reference_logits(const IntegerModel& model, const Ids& ids) {
  WitnessRequest request{ids, {}, {}};
  for (std::uint32_t t = 0; t < ids.size(); ++t) request.positions.push_back(t);
  const auto numbers = testing::run_reference(model, request).tensors.at("logit");
  return {numbers.begin(), numbers.end()};
}

Logits row_of(const Logits& all, std::size_t row, const IntegerModel& model) {
  const auto words = static_cast<std::ptrdiff_t>(model.plan.vocabulary);
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(row) * words;
  return {begin, begin + words};
}

Runtime make_runtime(const IntegerModel& model, std::size_t places = 0) {
  auto runtime = Runtime::create(model, places);
  EXPECT_TRUE(runtime.ok());
  return std::move(runtime).value();
}

template <typename T>
Cause cause_of(const base::Result<T, Error>& result) {
  return result.ok() ? Cause{} : result.error().cause;
}

TEST(Runtime, StepsEqualTheReference) {
  for (std::uint64_t seed = 100; seed < 132; ++seed) {
    SCOPED_TRACE(seed);
    const IntegerModel model = testing::random_model(testing::random_plan(seed), seed);
    const Ids ids = random_ids(model.plan, 20, seed);
    const Logits expected = reference_logits(model, ids);
    Runtime runtime = make_runtime(model);
    for (std::size_t t = 0; t < ids.size(); ++t) {
      EXPECT_EQ(runtime.position(), t);
      const auto logits = runtime.step(ids[t]);
      ASSERT_TRUE(logits.ok()) << logits.error().text;
      ASSERT_EQ(logits.value(), row_of(expected, t, model)) << t;
    }
  }
}

// However a run is cut into calls, longer ones than a block among them.
TEST(Runtime, CutsOfARunAreEqual) {
  std::mt19937_64 rng(5);
  for (std::uint64_t seed = 200; seed < 232; ++seed) {
    SCOPED_TRACE(seed);
    const IntegerModel model = testing::random_model(testing::random_plan(seed), seed);
    const Ids ids = random_ids(model.plan, 48, seed);
    const Logits expected = reference_logits(model, ids);
    Runtime runtime = make_runtime(model, 48);
    while (runtime.position() < ids.size()) {
      const std::size_t first = runtime.position(), count = 1 + rng() % (ids.size() - first);
      std::vector<std::size_t> wanted(rng() % 40);
      for (auto& place : wanted) place = first + rng() % count;
      const auto logits = runtime.process(std::span(ids).subspan(first, count), wanted);
      ASSERT_TRUE(logits.ok()) << logits.error().text;
      Logits rows;
      for (const std::size_t place : wanted) {
        const Logits row = row_of(expected, place, model);
        rows.insert(rows.end(), row.begin(), row.end());
      }
      ASSERT_EQ(logits.value(), rows);
    }
  }
}

TEST(Runtime, RewindsAndResets) {
  const IntegerModel model = testing::random_model(testing::random_plan(10), 10);
  const Ids ids = random_ids(model.plan, 40, 1), others = random_ids(model.plan, 9, 2);
  Runtime runtime = make_runtime(model);
  ASSERT_TRUE(runtime.prompt(ids).ok());
  runtime.rewind(7);
  EXPECT_EQ(runtime.position(), 7u);
  Ids mixed(ids.begin(), ids.begin() + 7);
  mixed.insert(mixed.end(), others.begin(), others.end());
  const Logits expected = reference_logits(model, mixed);
  EXPECT_EQ(runtime.prompt(others).value(), row_of(expected, 15, model));
  runtime.rewind(100);
  EXPECT_EQ(runtime.position(), 16u);
  runtime.reset();
  EXPECT_EQ(runtime.prompt(mixed).value(), row_of(expected, 15, model));
}

TEST(Runtime, RefusesTokensAndPlacesThatAreNot) {
  const IntegerModel model = testing::random_model(testing::random_plan(1), 1);
  const auto words = static_cast<std::uint32_t>(model.plan.vocabulary);
  Runtime runtime = make_runtime(model, 3);
  ASSERT_TRUE(runtime.step(0).ok());
  EXPECT_EQ(cause_of(runtime.step(words)), Cause::kToken);
  EXPECT_EQ(cause_of(runtime.prompt({})), Cause::kEmpty);
  EXPECT_EQ(cause_of(runtime.prompt(Ids{0, 0, 0})), Cause::kContext);
  const std::size_t before = 0, after = 3;
  EXPECT_EQ(cause_of(runtime.process(Ids{0, 0}, {&before, 1})), Cause::kPlace);
  EXPECT_EQ(cause_of(runtime.process(Ids{0, 0}, {&after, 1})), Cause::kPlace);
  EXPECT_EQ(runtime.position(), 1u);
  EXPECT_TRUE(runtime.prompt(Ids{0, 0}).ok());
  EXPECT_EQ(cause_of(runtime.step(0)), Cause::kContext);
  EXPECT_EQ(cause_of(Runtime::create(model, model.plan.context + 1)), Cause::kContext);
}

TEST(Runtime, RefusesModelsThatAreNone) {
  const IntegerModel model = testing::random_model(testing::random_plan(3), 3);
  const auto cause = [&](const std::function<void(IntegerModel&)>& change) {
    IntegerModel changed = model;
    change(changed);
    return cause_of(Runtime::create(changed));
  };
  EXPECT_EQ(cause([](IntegerModel&) {}), Cause{});
  EXPECT_EQ(cause([](IntegerModel& m) { m.plan.mix_shift = 38; }), Cause::kPlan);
  EXPECT_EQ(cause([](IntegerModel& m) { m.plan.kv_heads = m.plan.group = 1 << 10; }), Cause::kPlan);
  for (std::size_t i = 0; i < compile::kModelTensors; ++i) {
    const auto tensor = static_cast<ModelTensor>(i);
    SCOPED_TRACE(compile::name_of(tensor));
    EXPECT_EQ(cause([&](IntegerModel& m) { m.of(tensor).narrow.own().push_back(0); }), Cause::kCells);
    EXPECT_EQ(cause([&](IntegerModel& m) { m.of(tensor).wide.own().push_back(0); }), Cause::kCells);
    const Cause without = cause([&](IntegerModel& m) { m.of(tensor) = {}; });
    EXPECT_EQ(without, compile::has(model.plan, tensor) ? Cause::kCells : Cause{});
  }
  EXPECT_EQ(cause([](IntegerModel& m) { m.of(ModelTensor::kExpValues).narrow.own()[0] = 16383; }), Cause::kTable);
  EXPECT_EQ(cause([](IntegerModel& m) { m.of(ModelTensor::kExpValues).narrow.own()[7] = 16385; }), Cause::kTable);
  EXPECT_EQ(cause([](IntegerModel& m) { m.of(ModelTensor::kExpValues).narrow.own()[7] = -1; }), Cause::kTable);
  EXPECT_EQ(cause([](IntegerModel& m) { m.of(ModelTensor::kRootValues).wide.own()[9] = 1 << 17; }), Cause::kTable);
  EXPECT_EQ(cause([](IntegerModel& m) { m.of(ModelTensor::kRootSlopes).wide.own()[9] = -1; }), Cause::kTable);
  EXPECT_EQ(cause([](IntegerModel& m) { m.of(ModelTensor::kWeightValues).wide.own()[1] = 65537; }), Cause::kTable);
  EXPECT_EQ(cause([](IntegerModel& m) { m.of(ModelTensor::kWeightValues).wide.own()[0] = 65534; }), Cause::kTable);
  EXPECT_EQ(cause([](IntegerModel& m) { m.of(ModelTensor::kWeightValues).wide.own()[4095] = 1; }), Cause::kTable);
  EXPECT_EQ(cause([](IntegerModel& m) { m.of(ModelTensor::kFoundValues).narrow.own()[256] = 0; }), Cause::kTable);
}

// Each change makes one tensor leave its range, and the error names that one; in a run and in a witness.
TEST(Runtime, NamesTheTensorThatLeavesItsRange) {
  const struct {
    const char* name;
    std::uint64_t seed;
    std::function<void(IntegerModel&)> change;
  } cases[] = {
      {"attention_norm.in", 0, [](IntegerModel& m) { m.plan.stream_shift = 0; }},
      {"attention_norm.scale", 0,
       [](IntegerModel& m) {
         for (auto& v : m.of(ModelTensor::kRootValues).wide.own()) v = 0;
         for (auto& v : m.of(ModelTensor::kRootSlopes).wide.own()) v = (1 << 16) - 1;
       }},
      {"attention_norm.out", 0,
       [](IntegerModel& m) {
         for (auto& v : m.of(ModelTensor::kRootValues).wide.own()) v = (1 << 16) - 1;
         auto& embedding = m.of(ModelTensor::kEmbedding).narrow.own();
         for (std::size_t i = 0; i < embedding.size(); ++i) embedding[i] = i % m.plan.width == 0 ? 32767 : 0;
       }},
      {"query", 0, [](IntegerModel& m) { m.plan.query_shift = 0; }},
      {"key", 1, [](IntegerModel& m) { m.plan.key_shift = 0; }},
      {"value", 0, [](IntegerModel& m) { m.plan.value_shift = 0; }},
      {"turned_query", 0,
       [](IntegerModel& m) {
         for (auto& v : m.of(ModelTensor::kQueryWeights).narrow.own()) v = 32767;
         for (auto& v : m.of(ModelTensor::kRotation).narrow.own()) v = 32767;
         m.plan.query_shift -= 2;
       }},
      {"turned_key", 0,
       [](IntegerModel& m) {
         for (auto& v : m.of(ModelTensor::kKeyWeights).narrow.own()) v = 32767;
         for (std::size_t i = 0; i < m.of(ModelTensor::kRotation).size(); ++i) {
           m.of(ModelTensor::kRotation).narrow.own()[i] = 32767;
         }
         for (auto& v : m.of(ModelTensor::kQueryWeights).narrow.own()) v = 0;
         for (auto& v : m.of(ModelTensor::kQueryBias).narrow.own()) v = 0;
         m.plan.key_shift = m.plan.query_shift - 2;
       }},
      {"score", 1, [](IntegerModel& m) { m.plan.score_shift = 0; }},
      {"gate", 0, [](IntegerModel& m) { m.plan.gate_shift = 0; }},
      {"up", 1, [](IntegerModel& m) { m.plan.up_shift = 0; }},
      {"product", 0,
       [](IntegerModel& m) {
         m.plan.product_shift = 0;
         m.plan.product_bits = 17;
       }},
      {"logit", 0, [](IntegerModel& m) { m.plan.logit_shift = 0; }},
      {"logit", 3, [](IntegerModel& m) { m.plan.logit_bits = 2; }},
      {"stream", 0, [](IntegerModel& m) { m.plan.output_up = 40; }},
      {"stream", 1, [](IntegerModel& m) { m.plan.down_up = 40; }},
  };
  for (const auto& [name, seed, change] : cases) {
    SCOPED_TRACE(name);
    IntegerModel model = testing::random_model(testing::random_plan(seed), seed);
    change(model);
    const Ids ids = random_ids(model.plan, 9, 3);
    Runtime runtime = make_runtime(model);
    const auto logits = runtime.prompt(ids);
    EXPECT_EQ(runtime.position(), 0u);
    const auto witness = make_witness(model, {ids, {8}, {}});
    ASSERT_FALSE(logits.ok());
    ASSERT_FALSE(witness.ok());
    for (const Error& error : {logits.error(), witness.error()}) {
      EXPECT_EQ(error.cause, Cause::kRange);
      EXPECT_EQ(error.text.substr(0, error.text.find(" leaves its range in layer ")), name);
    }
  }
}

// Any numbers in weights, tables and shifts: an answer or kRange, and nothing that the sanitizers object to.
TEST(Runtime, WildModelsAreAnswered) {
  std::mt19937_64 rng(11);
  std::size_t good = 0, bad = 0;
  for (std::uint64_t seed = 0; seed < 300; seed += base::kTestStride) {
    SCOPED_TRACE(seed);
    IntegerModel model = testing::random_model(testing::random_plan(seed), seed);
    Plan& plan = model.plan;
    unsigned* const numbers[] = {&plan.stream_shift,   &plan.embedding_up,  &plan.output_up,   &plan.down_up,
                                 &plan.query_shift,    &plan.key_shift,     &plan.value_shift, &plan.gate_shift,
                                 &plan.up_shift,       &plan.query_bias_up, &plan.score_shift, &plan.down_bias_up,
                                 &plan.output_bias_up, &plan.logit_shift};
    for (std::uint64_t changes = rng() % 3; changes > 0; --changes) {
      *numbers[rng() % std::size(numbers)] = static_cast<unsigned>(rng() % 41);
    }
    plan.stream_shift = std::min(plan.stream_shift, 62 - plan.stream_bits);
    for (const auto tensor : {ModelTensor::kEmbedding, ModelTensor::kOutputWeights, ModelTensor::kDownWeights,
                              ModelTensor::kHeadGain, ModelTensor::kRotation, ModelTensor::kActValues}) {
      if (rng() % 4 != 0) continue;
      const std::int16_t extremes[] = {-32768, 32767};
      for (auto& cell : model.of(tensor).narrow.own()) cell = extremes[rng() % 2];
    }
    const auto witness = make_witness(model, {random_ids(plan, 5, seed), {4, 4}, {}});
    ASSERT_TRUE(witness.ok() || witness.error().cause == Cause::kRange);
    ++(witness.ok() ? good : bad);
  }
  EXPECT_GT(good, 20u / base::kTestStride);
  EXPECT_GT(bad, 20u / base::kTestStride);
}

}  // namespace
}  // namespace avow::runtime
