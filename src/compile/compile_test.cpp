// SPDX-License-Identifier: Apache-2.0
#include "compile/compile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/test_stride.hpp"
#include "compile/instance.hpp"
#include "compile/plans_testing.hpp"
#include "compile/tensors.hpp"
#include "pcs/parameters.hpp"
#include "reduction/plan.hpp"
#include "statement/analysis.hpp"
#include "statement/serialize.hpp"
#include "verifier/key.hpp"

namespace avow::compile {
namespace {

using statement::Statement;

Statement compiled(const Plan& plan) {
  auto statement = compile(plan);
  EXPECT_TRUE(statement.ok()) << statement.error().text;
  return std::move(statement).value();
}

// Small plans and a large one; under sanitizers a LLaMA and a GPT-2.
std::vector<std::pair<std::string, Plan>> judged_plans() {
  auto plans = small_plans();
  if (base::kTestStride > 1) {
    plans = {plans.front(), plans.back()};
  } else {
    plans.emplace_back("124m", plan_of_124m());
  }
  return plans;
}

TEST(Compile, EveryPlanDeterminesItsWitness) {
  for (const auto& [name, plan] : judged_plans()) {
    ASSERT_EQ(check_plan(plan), std::nullopt) << name;
    const auto error = statement::check_uniqueness(compiled(plan));
    EXPECT_FALSE(error.has_value()) << name << ": " << error->text;
  }
}

// Whatever is left out, something is no longer unique, but for what ties public values to each other or to what they
// stand for.
TEST(Compile, EveryClaimIsNeeded) {
  const auto is_public = [](const std::string& name) { return name.starts_with("above_") || name == "max_above"; };
  const bool is_long = std::getenv("AVOW_LONG") != nullptr;
  for (const auto& [name, plan] : small_plans()) {
    if (!is_long && name != "biased") continue;
    const Statement whole = compiled(plan);
    for (std::size_t i = 0; i < whole.zero_claims.size(); i += base::kTestStride) {
      Statement without = whole;
      without.zero_claims.erase(without.zero_claims.begin() + static_cast<std::ptrdiff_t>(i));
      const std::string& claim = whole.tensors[whole.zero_claims[i]].name;
      EXPECT_NE(statement::check_uniqueness(without).has_value(), is_public(claim)) << name << ": " << claim;
    }
    for (std::size_t i = 0; i < whole.lookups.size(); i += base::kTestStride) {
      Statement without = whole;
      without.lookups.erase(without.lookups.begin() + static_cast<std::ptrdiff_t>(i));
      const std::string& claim = whole.lookups[i].name;
      // Where nothing is shifted, a sum equals its result, whose lookup is a range and for no wrap alone; but logits
      // are compared with the largest one, and operands of comparisons have ranges.
      const bool is_exact =
          claim != "logit" && std::any_of(whole.zero_claims.begin(), whole.zero_claims.end(),
                                          [&](auto id) { return whole.tensors[id].name == claim + ".exact"; });
      EXPECT_NE(statement::check_uniqueness(without).has_value(), is_public(claim) || is_exact)
          << name << ": " << claim;
    }
  }
}

// The largest cells that any model may have.
statement::TensorBound largest_cells(const std::string& name) {
  for (std::size_t i = 0; i < kModelTensors; ++i) {
    const ModelTensor tensor{static_cast<std::uint8_t>(i)};
    if (name == name_of(tensor)) return {range_of(tensor).least, range_of(tensor).largest};
  }
  ADD_FAILURE() << name;
  return {};
}

TEST(Compile, NoModelOfThesePlansWraps) {
  for (const auto& [name, plan] : judged_plans()) {
    const Statement statement = compiled(plan);
    statement::ModelBounds bounds;
    for (const auto& tensor : statement.tensors) {
      bounds.tensors.emplace_back();
      if (tensor.kind == statement::TensorKind::kModel) bounds.tensors.back() = largest_cells(tensor.name);
    }
    const auto error = statement::check_no_wrap(statement, bounds);
    EXPECT_FALSE(error.has_value()) << name << ": " << error->text;
  }
}

TEST(Compile, PublicValuesAreThoseOfInstances) {
  for (const auto& [name, plan] : judged_plans()) {
    const Statement statement = compiled(plan);
    ASSERT_EQ(statement.values.size(), kPublicValues.size());
    for (std::size_t i = 0; i < kPublicValues.size(); ++i) EXPECT_EQ(statement.values[i].name, kPublicValues[i]);
    std::vector<std::string> parameters;
    for (const auto& axis : statement.axes) {
      if (axis.kind == statement::AxisKind::kParameter) parameters.push_back(axis.name);
    }
    EXPECT_EQ(parameters, (std::vector<std::string>{"request", "token", "step"})) << name;
  }
}

TEST(Instance, LengthsAreTheLeastThatFit) {
  for (std::uint64_t n = 1; n <= 100; ++n) {
    std::uint64_t least = 1;
    for (; !(std::has_single_bit(least) || (least % 3 == 0 && std::has_single_bit(least / 3))) || least < n; ++least) {
    }
    EXPECT_EQ(instance_length(n), least) << n;
  }
}

TEST(Instance, FillsPlacesThatAreLeft) {
  const Sampling drawn{5000, 40, 60000, base::Digest{7}};
  const RequestRun first{{4, 5, 6}, {1, 2}, drawn, {{6, 10, 20, 3}, {9, 30, 5, 2}}},
      second{{7}, {0}, {}, {{8, 0, 4094, 1}}};
  const auto instance = make_instance(std::vector{first, second}, {3, 4, 3});
  EXPECT_EQ(instance.lengths, (std::vector<std::uint64_t>{3, 4, 3}));
  const std::int64_t u0 = random_number(drawn, 0), u1 = random_number(drawn, 1);
  EXPECT_NE(u0, u1);
  const std::vector<std::vector<std::int64_t>> values = {
      {4, 5, 6, 0, 7, 0, 0, 0, 7, 0, 0, 0},            // id
      {1, 2, 2, 0, 0, 0, 0, 0, 0},                     // position
      {3, 2, 2, 1, 1, 1, 1, 1, 1},                     // likeliest
      {5000, 4096, 4096},                              // tau
      {40, 1, 1},                                      // k
      {60000, 65536, 65536},                           // P
      {11, 6, 6, 1, 1, 1, 1, 1, 1},                    // above
      {10, 30, 30, 0, 0, 0, 0, 0, 0},                  // last_k
      {20, 5, 5, 4094, 4094, 4094, 4094, 4094, 4094},  // last_p
      {u0, u1, u1, 0, 0, 0, 0, 0, 0},                  // random
      {6, 9, 9, 8, 8, 8, 8, 8, 8},                     // chosen
  };
  EXPECT_EQ(instance.values, values);
}

verifier::VerifyingKey key_of(const Plan& plan) {
  verifier::VerifyingKey key;
  key.statement = statement::unnamed(compiled(plan));
  key.config = pcs::choose_config(std::uint64_t{1} << 25, std::uint64_t{1} << 27, 128).value();
  key.model.emplace();
  return key;
}

TEST(Compile, KeysAreSmallAndPassTheirChecks) {
  for (const auto& [name, plan] : judged_plans()) {
    const auto bytes = serialize(key_of(plan));
    EXPECT_LE(bytes.size() + verifier::kMaxApplicationBytes / 4, verifier::kMaxKeyBytes) << name;
    const auto parsed = verifier::parse_key(bytes);
    EXPECT_TRUE(parsed.ok()) << name << ": " << (parsed.ok() ? "" : to_string(parsed.error()));
  }
}

}  // namespace
}  // namespace avow::compile
