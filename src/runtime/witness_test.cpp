// SPDX-License-Identifier: Apache-2.0
#include "runtime/witness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/test_stride.hpp"
#include "runtime/model_testing.hpp"
#include "runtime/reference_testing.hpp"
#include "runtime/runtime.hpp"

namespace avow::runtime {
namespace {

using compile::IntegerModel;
using compile::Plan;
using testing::Numbers;

WitnessRequest random_request(const Plan& plan, std::uint64_t seed) {
  std::mt19937_64 rng(seed);
  const std::size_t lengths[] = {1, 2, 3, 8, 12, 33, 48};
  WitnessRequest request;
  request.ids.resize(lengths[rng() % std::size(lengths)]);
  for (auto& id : request.ids) id = static_cast<std::uint32_t>(rng() % plan.vocabulary);
  request.positions.resize(1 + rng() % 40);
  for (auto& p : request.positions) p = static_cast<std::uint32_t>(rng() % request.ids.size());
  request.sampling.tau = static_cast<std::uint32_t>(rng() % 16385);
  request.sampling.top_k = static_cast<std::uint32_t>(1 + rng() % plan.vocabulary);
  request.sampling.portion = static_cast<std::uint32_t>(1 + rng() % 65536);
  if (rng() % 4 != 0) {
    request.sampling.seed.emplace();
    for (auto& byte : *request.sampling.seed) byte = static_cast<std::uint8_t>(rng());
  }
  return request;
}

Numbers numbers_of(const WitnessTensor& tensor) {
  Numbers out;
  for (std::size_t i = 0; i < tensor.size(); ++i) out.push_back(tensor[i]);
  return out;
}

// The public values of a witness's one request that the reference has, too.
std::map<std::string, Numbers> values_of(const Witness& witness, const compile::Lengths& lengths) {
  const auto instance = compile::make_instance(witness.runs, lengths);
  std::map<std::string, Numbers> values;
  for (std::size_t i = 0; i < compile::kPublicValues.size(); ++i) {
    values[std::string(compile::kPublicValues[i])] = instance.values[i];
  }
  for (const char* given : {"id", "position", "tau", "k", "P"}) values.erase(given);
  return values;
}

void expect_equal(const Witness& witness, const testing::Reference& reference, const compile::Lengths& lengths) {
  for (const auto& [name, numbers] : reference.tensors) {
    const auto found = witness.tensors.find(name);
    ASSERT_NE(found, witness.tensors.end()) << name << " is missing";
    ASSERT_EQ(numbers_of(found->second), numbers) << name;
    std::uint64_t size = 1;
    for (const std::uint64_t axis : found->second.shape) size *= axis;
    EXPECT_EQ(size, numbers.size()) << name;
  }
  for (const auto& [name, tensor] : witness.tensors)
    EXPECT_TRUE(reference.tensors.contains(name)) << name << " is extra";
  EXPECT_EQ(values_of(witness, lengths), reference.values);
}

// The comparison shows something only of numbers that are not all alike.
using Extremes = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;
void note(const Witness& witness, Extremes& extremes) {
  for (const auto& [name, tensor] : witness.tensors) {
    for (const std::int64_t n : numbers_of(tensor)) {
      auto& [least, largest] = extremes.try_emplace(name, n, n).first->second;
      least = std::min(least, n);
      largest = std::max(largest, n);
    }
  }
}

void compare(const IntegerModel& model, const WitnessRequest& request, Extremes& extremes) {
  ASSERT_FALSE(check_model(model));
  const auto witness = make_witness(model, request);
  ASSERT_TRUE(witness.ok()) << witness.error().text;
  expect_equal(witness.value(), testing::run_reference(model, request),
               {1, request.ids.size(), request.positions.size()});
  note(witness.value(), extremes);
}

TEST(Witness, EqualsTheReferenceOnRandomModels) {
  Extremes extremes;
  for (std::uint64_t seed = 0; seed < 96; seed += base::kTestStride) {
    SCOPED_TRACE(seed);
    const IntegerModel model = testing::random_model(testing::random_plan(seed), seed);
    compare(model, random_request(model.plan, seed), extremes);
    if (HasFailure()) return;
  }
  // Many words that are almost alike, so that sums of the selection are as long as they get.
  for (std::uint64_t seed = 0; seed < 8; seed += base::kTestStride) {
    SCOPED_TRACE(seed);
    Plan plan = testing::random_plan(seed);
    plan.vocabulary = 150001;
    testing::scale(plan, seed);
    plan.digit_bits = 16;
    const IntegerModel model = testing::random_model(plan, seed);
    WitnessRequest request = random_request(plan, seed);
    request.positions.resize(2);
    request.sampling.tau = static_cast<std::uint32_t>(seed % 2);
    request.sampling.top_k = seed % 3 == 0 ? 150001 : 1;
    request.sampling.portion = seed % 4 == 0 ? 1 : 65536;
    compare(model, request, extremes);
    if (HasFailure()) return;
  }
  if (base::kTestStride > 1) return;  // too few to see every cell take two values
  for (const auto& [name, range] : extremes) {
    EXPECT_NE(range.first, range.second) << name;
  }
}

TEST(Witness, TensorsHaveTheAxesOfTheSpecification) {
  Plan plan = testing::random_plan(4);  // LLaMA
  plan.layers = 2, plan.kv_heads = 3, plan.group = 2, plan.head_size = 4, plan.width = 7, plan.hidden = 9;
  plan.vocabulary = 11;
  testing::scale(plan, 1);
  plan.digit_bits = 16;
  const IntegerModel model = testing::random_model(plan, 1);
  const auto witness = make_witness(model, {{1, 2, 3, 4, 5}, {3, 4}, {}});
  ASSERT_TRUE(witness.ok()) << witness.error().text;
  using Shape = std::vector<std::uint64_t>;
  const std::pair<const char*, Shape> shapes[] = {
      {"attention_norm.low", {1, 2, 5, 7}},
      {"attention_norm.byte", {1, 2, 5, 8}},
      {"feed_forward_norm.scale", {1, 2, 5}},
      {"final_norm.out", {1, 2, 7}},
      {"final_norm.root", {1, 2}},
      {"query", {1, 2, 3, 2, 5, 2, 2}},
      {"turned_key", {1, 2, 3, 5, 2, 2}},
      {"value", {1, 2, 3, 5, 4}},
      {"score", {1, 2, 3, 2, 5, 5}},
      {"score_max", {1, 2, 3, 2, 5}},
      {"mix", {1, 2, 3, 2, 5, 4}},
      {"gate", {1, 2, 5, 9}},
      {"product.low", {1, 2, 5, 9}},
      {"logit", {1, 2, 11}},
      {"logit.digit_1", {1, 2, 11}},
      {"shown", {1, 2, 8, 4}},
      {"reciprocal.low.digit_1", {1, 2, 3, 2, 5}},
  };
  for (const auto& [name, shape] : shapes) {
    ASSERT_TRUE(witness.value().tensors.contains(name)) << name;
    EXPECT_EQ(witness.value().tensors.at(name).shape, shape) << name;
  }
}

// Requests of unequal lengths lie one after the other, each as it would alone; the last fills the places that are left.
TEST(Witness, HoldsEachRequestAsItWouldAlone) {
  const Plan plan = testing::random_plan(3);
  const IntegerModel model = testing::random_model(plan, 3);
  const compile::Lengths lengths{4, 8, 6};
  std::vector<WitnessRequest> requests = {{{1, 2, 3}, {2, 0}, {4000, 5, 60000, base::Digest{1}}},
                                          {{5, 4, 3, 2, 1, 0}, {1, 2, 3, 4, 5}, {}},
                                          {{9}, {0}, {100, 7, 65536, base::Digest{2}}}};
  const auto together = make_witness(model, requests, lengths);
  ASSERT_TRUE(together.ok()) << together.error().text;
  ASSERT_EQ(together.value().runs.size(), 3u);
  for (std::size_t r = 0; r < 4; ++r) {
    SCOPED_TRACE(r);
    const auto alone = make_witness(model, {&requests[std::min<std::size_t>(r, 2)], 1}, {1, 8, 6});
    ASSERT_TRUE(alone.ok()) << alone.error().text;
    if (r < 3) {
      EXPECT_EQ(together.value().runs[r], alone.value().runs[0]);
    }
    for (const auto& [name, tensor] : alone.value().tensors) {
      const Numbers all = numbers_of(together.value().tensors.at(name)), own = numbers_of(tensor);
      ASSERT_EQ(all.size(), 4 * own.size());
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(r * own.size());
      ASSERT_TRUE(std::equal(own.begin(), own.end(), begin)) << name;
    }
  }
}

TEST(Witness, RefusesWhatItsLengthsHaveNoPlaceFor) {
  const IntegerModel model = testing::random_model(testing::random_plan(0), 0);
  const std::vector<WitnessRequest> requests = {{{0, 0}, {0, 1, 1}, {}}, {{0}, {0}, {}}};
  for (const compile::Lengths lengths : {compile::Lengths{1, 2, 3}, {2, 1, 3}, {2, 2, 2}}) {
    const auto witness = make_witness(model, requests, lengths);
    ASSERT_FALSE(witness.ok());
    EXPECT_EQ(witness.error().cause, Cause::kLengths);
  }
  EXPECT_EQ(make_witness(model, {}, {1, 1, 1}).error().cause, Cause::kLengths);
  EXPECT_TRUE(make_witness(model, requests, {2, 2, 3}).ok());
}

TEST(Witness, RefusesWhatIsNoRun) {
  const IntegerModel model = testing::random_model(testing::random_plan(0), 0);
  const auto cause = [&](const WitnessRequest& request) {
    const auto witness = make_witness(model, request);
    return witness.ok() ? Cause{} : witness.error().cause;
  };
  EXPECT_EQ(cause({{}, {0}, {}}), Cause::kLengths);
  EXPECT_EQ(cause({{0}, {}, {}}), Cause::kLengths);
  EXPECT_EQ(cause({{0, 0}, {2}, {}}), Cause::kPlace);
  EXPECT_EQ(cause({{70}, {0}, {}}), Cause::kToken);
  EXPECT_EQ(cause({std::vector<std::uint32_t>(65), {0}, {}}), Cause::kContext);
  EXPECT_EQ(cause({{0}, {0}, {4096, 0, 1, {}}}), Cause::kRequest);
  EXPECT_EQ(cause({{0}, {0}, {}}), Cause{});
}

TEST(Witness, RefusesTensorsThatNoStatementHas) {
  Plan plan = testing::random_plan(1);
  plan.layers = 1, plan.kv_heads = 16, plan.group = 17, plan.head_size = 2, plan.context = 1 << 16;
  testing::scale(plan, 1);
  const IntegerModel model = testing::random_model(plan, 1);
  const auto witness = make_witness(model, {std::vector<std::uint32_t>(1 << 16), {0}, {}});
  ASSERT_FALSE(witness.ok());
  EXPECT_EQ(witness.error().cause, Cause::kMemory);
  EXPECT_EQ(witness.error().text, "score has 1168231104512 cells for a request");
}

}  // namespace
}  // namespace avow::runtime
