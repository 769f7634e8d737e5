// SPDX-License-Identifier: Apache-2.0
// The one description: what the runtime computes is what the statement of its plan says.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <random>

#include "compile/compile.hpp"
#include "runtime/model_testing.hpp"
#include "runtime/witness.hpp"
#include "statement/checker.hpp"

namespace avow::runtime {
namespace {

using compile::IntegerModel;
using compile::ModelTensor;
using compile::Plan;
using statement::Statement;
using statement::TensorKind;

std::vector<std::int64_t> widened(const auto& cells) {
  std::vector<std::int64_t> list(cells.size());
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = cells[i];
  return list;
}

std::vector<std::int64_t> public_values(const PublicValues& v, const std::string& name) {
  const auto list = [](const std::vector<std::uint32_t>& numbers) {
    return std::vector<std::int64_t>(numbers.begin(), numbers.end());
  };
  if (name == "id") return list(v.id);
  if (name == "position") return list(v.position);
  if (name == "tau") return {v.tau};
  if (name == "k") return {v.top_k};
  if (name == "P") return {v.portion};
  if (name == "random") return list(v.random);
  if (name == "chosen") return list(v.chosen);
  if (name == "last_k") return list(v.last_k);
  if (name == "last_p") return list(v.last_p);
  if (name == "above_k") return list(v.above_k);
  if (name == "above_p") return list(v.above_p);
  EXPECT_EQ(name, "above");
  return list(v.above);
}

// Every witness tensor of the statement is one of the runtime's, and the other way round.
statement::Assignment assignment(const Statement& statement, const IntegerModel& model, const Witness& witness) {
  statement::Assignment result;
  std::size_t used = 0;
  for (const auto& tensor : statement.tensors) {
    result.arrays.emplace_back();
    if (tensor.kind == TensorKind::kModel) {
      for (std::size_t i = 0; i < compile::kModelTensors; ++i) {
        const auto which = static_cast<ModelTensor>(i);
        if (tensor.name == name_of(which)) result.arrays.back() = widened(model.of(which));
      }
    }
    if (tensor.kind != TensorKind::kWitness || tensor.name.ends_with(".count")) continue;
    const auto it = witness.tensors.find(tensor.name);
    if (it == witness.tensors.end()) {
      ADD_FAILURE() << "the runtime has no " << tensor.name;
      continue;
    }
    result.arrays.back() = widened(it->second);
    ++used;
  }
  EXPECT_EQ(used, witness.tensors.size());
  return result;
}

class RuntimeAndStatement : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RuntimeAndStatement, Agree) {
  const std::uint64_t seed = GetParam();
  const Plan plan = testing::random_plan(seed);
  ASSERT_EQ(compile::check_plan(plan), std::nullopt) << *compile::check_plan(plan);
  const IntegerModel model = testing::random_model(plan, seed);
  std::mt19937_64 rng(seed);
  WitnessRequest request;
  for (std::size_t t = 0; t < std::min<std::uint64_t>(plan.context, 4); ++t) {
    request.ids.push_back(static_cast<std::uint32_t>(rng() % plan.vocabulary));
  }
  request.positions = {0, static_cast<std::uint32_t>(request.ids.size() - 1)};
  request.positions.resize(std::min<std::uint64_t>(plan.context, 2));
  request.sampling = {static_cast<std::uint32_t>(rng() % 8192), 1 + static_cast<std::uint32_t>(rng() % plan.vocabulary),
                      static_cast<std::uint32_t>(1 + rng() % 65536), base::Digest{}};
  const auto witness = make_witness(model, request);
  ASSERT_TRUE(witness.ok()) << witness.error().text;

  const auto statement = compile::compile(plan);
  ASSERT_TRUE(statement.ok()) << statement.error().text;
  const Statement& s = statement.value();
  statement::Instance instance{{request.ids.size(), request.positions.size()}, {}};
  for (const auto& values : s.values) instance.values.push_back(public_values(witness.value().values, values.name));
  const auto binding = statement::Binding::bind(s, instance);
  ASSERT_TRUE(binding.ok()) << binding.error().text;
  const auto report = statement::check(binding.value(), assignment(s, model, witness.value()));
  ASSERT_TRUE(report.ok()) << report.error().text;
  for (const auto& failure : report.value().failures) ADD_FAILURE() << failure.text;
  for (const auto& warning : report.value().warnings) {
    ADD_FAILURE() << "warning " << static_cast<int>(warning.kind) << " " << warning.name
                  << fmt::format("{}", warning.index);
  }
}

INSTANTIATE_TEST_SUITE_P(Plans, RuntimeAndStatement, ::testing::Range<std::uint64_t>(0, 16));

}  // namespace
}  // namespace avow::runtime
