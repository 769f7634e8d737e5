// SPDX-License-Identifier: Apache-2.0
// The one description: what the runtime computes is what the statement of its plan says.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/test_stride.hpp"
#include "compile/compile.hpp"
#include "pcs/parameters.hpp"
#include "prover/prove.hpp"
#include "quantise/quantise.hpp"
#include "runtime/model_testing.hpp"
#include "runtime/witness.hpp"
#include "statement/checker.hpp"
#include "statement/serialize.hpp"

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

// A run, and the statement of its plan with everything that it speaks of.
struct Case {
  Statement statement;
  statement::Instance instance;
  statement::Assignment assignment;
};

Case case_of(const IntegerModel& model, const std::vector<WitnessRequest>& requests) {
  compile::Lengths least{requests.size(), 1, 1};
  for (const auto& request : requests) {
    least.tokens = std::max<std::uint64_t>(least.tokens, request.ids.size());
    least.steps = std::max<std::uint64_t>(least.steps, request.positions.size());
  }
  const auto lengths = compile::instance_lengths(least);
  const auto witness = make_witness(model, requests, lengths);
  EXPECT_TRUE(witness.ok()) << witness.error().text;
  Case made{compile::compile(model.plan).value(), compile::make_instance(witness.value().runs, lengths), {}};
  made.assignment = assignment(made.statement, model, witness.value());
  return made;
}

WitnessRequest random_request(const Plan& plan, std::size_t tokens, std::size_t steps, std::mt19937_64& rng) {
  WitnessRequest request;
  for (std::size_t t = 0; t < std::min<std::uint64_t>(plan.context, tokens); ++t) {
    request.ids.push_back(static_cast<std::uint32_t>(rng() % plan.vocabulary));
  }
  for (std::size_t s = 0; s < steps; ++s) {
    request.positions.push_back(static_cast<std::uint32_t>(rng() % request.ids.size()));
  }
  request.sampling = {static_cast<std::uint32_t>(rng() % 8192), 1 + static_cast<std::uint32_t>(rng() % plan.vocabulary),
                      static_cast<std::uint32_t>(1 + rng() % 65536), base::Digest{}};
  return request;
}

// Several requests, of unequal lengths and choices.
Case random_case(std::uint64_t seed) {
  const Plan plan = testing::random_plan(seed);
  EXPECT_EQ(compile::check_plan(plan), std::nullopt);
  std::mt19937_64 rng(seed);
  std::vector<WitnessRequest> requests;
  for (std::size_t i = 0; i <= seed % 3 * 2; ++i) {
    const std::size_t steps = 1 + rng() % std::min<std::uint64_t>(plan.context, 3);
    requests.push_back(random_request(plan, 1 + rng() % 5, steps, rng));
  }
  return case_of(testing::random_model(plan, seed), requests);
}

void expect_agreement(const Case& made) {
  const auto binding = statement::Binding::bind(made.statement, made.instance);
  ASSERT_TRUE(binding.ok()) << binding.error().text;
  const auto report = statement::check(binding.value(), made.assignment);
  ASSERT_TRUE(report.ok()) << report.error().text;
  for (const auto& failure : report.value().failures) ADD_FAILURE() << failure.text;
  for (const auto& warning : report.value().warnings) {
    ADD_FAILURE() << "warning " << static_cast<int>(warning.kind) << ": " << warning.name
                  << fmt::format("{}", warning.index);
  }
}

class RuntimeAndStatement : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RuntimeAndStatement, Agree) { expect_agreement(random_case(GetParam())); }

INSTANTIATE_TEST_SUITE_P(Plans, RuntimeAndStatement,
                         ::testing::Range<std::uint64_t>(0, base::kTestStride > 1 ? 4 : 16));

// Models that people made, imported; greedy, and drawn.
TEST(RealModels, AgreeWithTheirStatements) {
  for (const char* name : {"stories260K/stories260K.gguf", "babyllama105/babyllama105-F16.gguf", "gpt2-tiny"}) {
    SCOPED_TRACE(name);
    const auto weights = model::Weights::open(AVOW_SOURCE_DIR "/models/" + std::string(name));
    ASSERT_TRUE(weights.ok()) << to_text(weights.error());
    const auto model = quantise::quantise(weights.value(), {.context = 64});
    ASSERT_TRUE(model.ok()) << model.error().text;
    expect_agreement(case_of(model.value(), {{{1, 44, 17, 92, 3, 0}, {4, 4}, {}}, {{5, 6}, {0}, {}}}));
    if (base::kTestStride > 1) return;
    expect_agreement(case_of(model.value(), {{{9, 8, 7, 6}, {0, 3}, {5000, 40, 60000, base::Digest{7}}}}));
  }
}

// And what a prover proves and a verifier accepts.
TEST(RuntimeAndProof, Agree) {
  const std::uint64_t seeds = std::getenv("AVOW_LONG") != nullptr ? 16 : 1;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE(seed);
    Case made = random_case(seed);
    std::vector<prover::Array> arrays;
    std::uint64_t model_cells = 0;
    for (std::size_t i = 0; i < made.statement.tensors.size(); ++i) {
      if (made.statement.tensors[i].kind == TensorKind::kModel) model_cells += made.assignment.arrays[i].size();
      arrays.push_back(prover::Array::of(made.assignment.arrays[i]));
    }
    const auto config = pcs::choose_config(1 << 20, model_cells, 100);
    ASSERT_TRUE(config.has_value());
    const auto model = prover::Model::commit(statement::unnamed(made.statement), *config, std::move(arrays));
    ASSERT_TRUE(model.ok()) << to_string(model.error());
    std::vector<prover::Array> witness;
    for (const auto& cells : made.assignment.arrays) witness.push_back(prover::Array::of(cells));
    const auto proved = prover::prove(*model.value(), made.instance, std::move(witness));
    ASSERT_TRUE(proved.ok()) << proved.error();

    const auto key = verifier::parse_key(serialize(model.value()->key()));
    ASSERT_TRUE(key.ok()) << to_string(key.error());
    const auto verdict = [&](const statement::Instance& instance) {
      return verifier::Verifier::make(key.value(), instance).value().verify({}, proved.value().proof);
    };
    EXPECT_EQ(verdict(made.instance), std::nullopt);
    // Another answer, another prompt.
    for (const char* name : {"chosen", "id"}) {
      statement::Instance other = made.instance;
      for (std::size_t i = 0; i < made.statement.values.size(); ++i) {
        const auto& values = made.statement.values[i];
        if (values.name == name)
          other.values[i][0] = (other.values[i][0] + 1) % static_cast<std::int64_t>(values.bound);
      }
      EXPECT_NE(verdict(other), std::nullopt) << name;
    }
  }
}

}  // namespace
}  // namespace avow::runtime
