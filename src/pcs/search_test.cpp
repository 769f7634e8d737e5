// SPDX-License-Identifier: Apache-2.0
#include "pcs/search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "base/test_stride.hpp"
#include "pcs/parameters.hpp"
#include "pcs/security.hpp"

namespace avow::pcs {
namespace {

constexpr double kKib = 1024;
constexpr double kGib = 1024.0 * 1024 * 1024;

// Cost model
// -----------------------------------------------------------------------------------------------------------

TEST(Cost, ExpectedMultiProofAgreesWithSampling) {
  std::mt19937 rng(1);  // NOLINT(cert-msc51-cpp): the same samples in every run
  constexpr std::uint32_t kLogDomain = 10;
  constexpr std::uint32_t kQueries = 60;
  constexpr int kRuns = 4000;
  double leaves = 0;
  double siblings = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::set<std::uint32_t> layer;
    for (std::uint32_t i = 0; i < kQueries; ++i) layer.insert(static_cast<std::uint32_t>(rng()) % (1u << kLogDomain));
    leaves += static_cast<double>(layer.size());
    for (std::uint32_t depth = 0; depth < kLogDomain; ++depth) {
      std::set<std::uint32_t> parents;
      for (const std::uint32_t node : layer) {
        siblings += layer.count(node ^ 1) == 0 ? 1 : 0;
        parents.insert(node / 2);
      }
      layer = parents;
    }
  }
  EXPECT_NEAR(leaves / kRuns, expected_leaves(kLogDomain, kQueries), 0.1);
  EXPECT_NEAR(siblings / kRuns, expected_siblings(kLogDomain, kQueries), 0.5);
}

TEST(Cost, MultiProofOfOneQueryIsAPath) {
  EXPECT_NEAR(expected_leaves(20, 1), 1, 1e-6);
  EXPECT_NEAR(expected_siblings(20, 1), 20, 1e-9);
}

TEST(Cost, BytesOfASmallOpeningByHand) {
  Config config;
  config.log_rows = 12;
  config.oracles = {
      {.log_inv_rate = 2, .log_fold = 0, .queries = 1, .query_grinding_bits = 1, .fold_grinding_bits = 3},
      {.log_inv_rate = 3, .log_fold = 4, .queries = 1, .query_grinding_bits = 0, .fold_grinding_bits = 0},
      {.log_inv_rate = 4, .log_fold = 3, .queries = 1, .query_grinding_bits = 2, .fold_grinding_bits = 1}};
  // Three columns of witness and two of a model: three column variables.
  const OpeningCost cost =
      estimate_cost(config, {.witness_values = 3 * 4096 - 5, .model_values = 2 * 4096, .claims = 1});
  EXPECT_EQ(cost.bytes.sumchecks, 48 * (3 + 4 + 3 + 5));
  EXPECT_EQ(cost.bytes.roots_and_answers, 2 * (32 + 24));
  EXPECT_EQ(cost.bytes.nonces, 8 * (2 + 3 + 3));  // two before queries, three column rounds, three of the last oracle
  EXPECT_NEAR(cost.bytes.leaves, 8 * 5 + 24 * 16 + 24 * 8, 1e-6);
  EXPECT_NEAR(cost.bytes.paths, 32 * (2 * 14 + 11 + 9), 1e-6);
  EXPECT_EQ(cost.bytes.final_coefficients, 24 * 32);
}

TEST(Cost, ShapeCountsAllColumnsAndTheOutOfDomainClaims) {
  const Shape alone = shape_of({.witness_values = std::uint64_t{1} << 24, .claims = 400}, 19);
  EXPECT_EQ(alone.log_columns, 5u);
  EXPECT_EQ(alone.claims, 401u);
  const Shape both =
      shape_of({.witness_values = std::uint64_t{1} << 24, .model_values = std::uint64_t{1} << 27, .claims = 400}, 21);
  EXPECT_EQ(both.log_columns, 7u);  // 72 columns
  EXPECT_EQ(both.claims, 402u);
}

TEST(Cost, TransactionGasIsAMaximumNotASum) {
  EXPECT_EQ(transaction_gas(100000, 0), 21000 + 4.0e6);
  EXPECT_EQ(transaction_gas(100000, 2.0e6), 21000 + 4.0e6);
  EXPECT_EQ(transaction_gas(100000, 3.0e6), 21000 + 4.6e6);
  EXPECT_EQ(transaction_gas(131072, 0), 21000 + 40.0 * 131072);
  EXPECT_EQ(transaction_gas(131073, 0), 42000 + 40.0 * 131073);
  EXPECT_EQ(transaction_gas(100000, 20.0e6), 42000 + 21.6e6);  // the gas limit needs a second one
}

// Search
// ---------------------------------------------------------------------------------------------------------------

SearchProblem small_problem() {
  SearchProblem problem;
  problem.level = 100;
  problem.sizes.witness_values = 1 << 15;
  problem.min_log_rows = problem.max_log_rows = 10;
  problem.budget_seconds = 0.05;
  return problem;
}

TEST(Search, NothingFitsNothingIsFound) {
  SearchProblem problem = small_problem();
  problem.budget_seconds = 1e-6;
  EXPECT_FALSE(search(problem).has_value());
  problem = small_problem();
  problem.max_oracle_bytes = 1000;
  EXPECT_FALSE(search(problem).has_value());
  problem = small_problem();
  problem.max_log_columns = 4;  // 32 columns have 5
  EXPECT_FALSE(search(problem).has_value());
}

TEST(Search, KeepsItsLimits) {
  SearchProblem problem = small_problem();
  problem.sizes.model_values = 1 << 18;
  problem.max_model_cache_bytes = 72 << 18;
  problem.max_grinding_bits = 7;
  const auto found = search(problem);
  ASSERT_TRUE(found.has_value());
  EXPECT_LE(found->cost.model_codeword_bytes, problem.max_model_cache_bytes);
  EXPECT_LE(found->cost.commit_seconds + found->cost.open_seconds, problem.budget_seconds);
  for (const OracleConfig& oracle : found->config.oracles) {
    EXPECT_LE(oracle.query_grinding_bits, 7u);
    EXPECT_LE(oracle.fold_grinding_bits, 7u);
  }
}

TEST(Search, ALargerBudgetIsNeverWorse) {
  double previous = HUGE_VAL;
  for (const double budget : {0.02, 0.05, 0.2, 1.0}) {
    SearchProblem problem = small_problem();
    problem.budget_seconds = budget;
    const auto found = search(problem);
    ASSERT_TRUE(found.has_value());
    // Time is counted in steps of 1/250 of the budget: allow for what that rounds away.
    EXPECT_LE(found->cost.gas, previous * 1.001);
    previous = found->cost.gas;
  }
}

TEST(Search, OneQueryOrOneBitLessMissesTheLevel) {
  const auto found = search(small_problem());
  ASSERT_TRUE(found.has_value());
  const Shape shape{.log_columns = 10, .claims = 401};
  for (std::size_t i = 0; i < found->config.oracles.size(); ++i) {
    Config config = found->config;
    --config.oracles[i].queries;
    EXPECT_LT(analyse_security(config, shape).bits(), 100);
    config = found->config;
    if (config.oracles[i].query_grinding_bits == 0) continue;
    --config.oracles[i].query_grinding_bits;
    EXPECT_LT(analyse_security(config, shape).bits(), 100);
  }
}

// Independent of the search: every configuration of one or two tail oracles from a coarse grid, judged by the public
// functions alone. None may be cheaper than what the search returns.
TEST(Search, NoConfigurationOfACoarseGridIsBetter) {
  const SearchProblem problem = small_problem();
  const auto found = search(problem);
  ASSERT_TRUE(found.has_value());
  const Shape shape{.log_columns = problem.max_log_columns, .claims = 401};
  const auto tune = [&](Config& config, std::size_t i, std::uint32_t grinding) {
    OracleConfig& oracle = config.oracles[i];
    const double bits = query_bits(Regime::kJohnson, oracle.log_inv_rate, 1);
    oracle.query_grinding_bits = grinding;
    oracle.queries = static_cast<std::uint32_t>(std::ceil((100.001 - grinding) / bits));
  };
  int feasible = 0;
  const auto judge = [&](const Config& config) {
    if (validate(config) != ConfigError::kNone || analyse_security(config, shape).bits() < 100) return;
    const OpeningCost cost = estimate_cost(config, problem.sizes);
    // A hundredth below the budget: the search rounds times up.
    if (cost.commit_seconds + cost.open_seconds > problem.budget_seconds * 0.99) return;
    // The search leaves out oracles most of which would be opened.
    for (std::size_t i = 0; i < config.oracles.size(); ++i) {
      if (std::ldexp(1.0, static_cast<int>(config.log_domain(i))) < 4 * config.oracles[i].queries) return;
    }
    ++feasible;
    EXPECT_GE(cost.gas, found->cost.gas - 1);
  };
  for (std::uint32_t mu0 = 2; mu0 <= 8; ++mu0) {
    for (std::uint32_t mu1 = 3; mu1 <= 12; ++mu1) {
      for (std::uint32_t fold1 = 2; fold1 <= 6; ++fold1) {
        for (std::uint32_t grinding = 8; grinding <= 20; grinding += 3) {
          Config config;
          config.level = 100;
          config.log_rows = 10;
          config.oracles = {{.log_inv_rate = mu0}, {.log_inv_rate = mu1, .log_fold = fold1}};
          tune(config, 0, grinding);
          tune(config, 1, grinding);
          judge(config);
          for (std::uint32_t mu2 = mu1; mu2 <= 14; mu2 += 2) {
            Config longer = config;
            longer.oracles.push_back({.log_inv_rate = mu2, .log_fold = 3});
            tune(longer, 2, grinding);
            judge(longer);
          }
        }
      }
    }
  }
  EXPECT_GT(feasible, 100);
}

// Table
// ----------------------------------------------------------------------------------------------------------------

std::string read_parameters_file() {
  std::ifstream file(AVOW_SOURCE_DIR "/spec/parameters.json");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<ParameterSet> all_sets() {
  std::vector<ParameterSet> sets = parameter_tables().witness;
  sets.insert(sets.end(), parameter_tables().model.begin(), parameter_tables().model.end());
  return sets;
}

std::string name_of(const ParameterSet& set) {
  return std::string(set.model_values == 0 ? "Witness" : "Model") + std::to_string(set.level) + "Rows" +
         std::to_string(set.log_rows);
}

}  // namespace

// Found by lookup of the argument's namespace: gtest names a parameter by it.
static std::ostream& operator<<(std::ostream& out, const ParameterSet& set) { return out << name_of(set); }

namespace {

class ParameterTable : public testing::TestWithParam<ParameterSet> {};
INSTANTIATE_TEST_SUITE_P(All, ParameterTable, testing::ValuesIn(base::some_of(all_sets(), 4)),
                         [](const auto& entry) { return name_of(entry.param); });

TEST_P(ParameterTable, EntryIsWhatTheSearchFinds) {
  const auto found = search(search_problem(GetParam()));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->config, GetParam().config())
      << "after a change of the cost model spec/parameters.json must be written anew (search_again)";
}

TEST_P(ParameterTable, EntryReachesItsLevel) {
  const ParameterSet& set = GetParam();
  ASSERT_EQ(validate(set.config()), ConfigError::kNone);
  for (std::uint32_t log_columns = 0; log_columns <= set.max_log_columns; ++log_columns) {
    const SecurityReport report = analyse_security(set.config(), {.log_columns = log_columns, .claims = 1u << 20});
    EXPECT_GE(report.bits(), static_cast<std::int32_t>(set.level)) << log_columns << " column variables";
  }
}

TEST(Parameters, FileIsWhatTheBuildEmbedded) {
  EXPECT_EQ(format_parameters(parameter_tables()), read_parameters_file());
}

// The build turns the file into C++ by text replacement; this reads it as JSON.
TEST(Parameters, EmbeddingKeptEveryValue) {
  const auto file = nlohmann::json::parse(read_parameters_file());
  EXPECT_EQ(file.at("version"), parameter_tables().version);
  const auto compare = [](const nlohmann::json& expected, const std::vector<ParameterSet>& sets) {
    ASSERT_EQ(expected.size(), sets.size());
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const auto& object = expected[i];
      EXPECT_EQ(object.at("level"), sets[i].level);
      EXPECT_EQ(object.at("log_rows"), sets[i].log_rows);
      EXPECT_EQ(object.at("max_log_columns"), sets[i].max_log_columns);
      EXPECT_EQ(object.at("witness_values"), sets[i].witness_values);
      EXPECT_EQ(object.at("model_values"), sets[i].model_values);
      EXPECT_EQ(object.at("budget_ms"), sets[i].budget_ms);
      ASSERT_EQ(object.at("oracles").size(), sets[i].oracles.size());
      for (std::size_t j = 0; j < sets[i].oracles.size(); ++j) {
        const auto& oracle = object.at("oracles")[j];
        EXPECT_EQ(oracle.at("log_inv_rate"), sets[i].oracles[j].log_inv_rate);
        EXPECT_EQ(oracle.at("log_fold"), sets[i].oracles[j].log_fold);
        EXPECT_EQ(oracle.at("queries"), sets[i].oracles[j].queries);
        EXPECT_EQ(oracle.at("query_grinding_bits"), sets[i].oracles[j].query_grinding_bits);
        EXPECT_EQ(oracle.at("fold_grinding_bits"), sets[i].oracles[j].fold_grinding_bits);
      }
    }
  };
  compare(file.at("witness"), parameter_tables().witness);
  compare(file.at("model"), parameter_tables().model);
}

TEST(Parameters, EverySizeAndLevelIsThereAndNothingElse) {
  for (const Profile profile : {Profile::kWitness, Profile::kModel}) {
    for (const std::uint32_t level : {100u, 128u}) {
      for (std::uint32_t m = 10; m <= 21; ++m) {
        const auto config = choose_parameters(m, level, profile);
        ASSERT_TRUE(config.has_value()) << m;
        EXPECT_EQ(config->log_rows, m);
        EXPECT_EQ(config->level, level);
      }
      EXPECT_FALSE(choose_parameters(9, level, profile).has_value());
      EXPECT_FALSE(choose_parameters(22, level, profile).has_value());
    }
    EXPECT_FALSE(choose_parameters(19, 80, profile).has_value());
  }
}

TEST(Parameters, RowsAreChosenBySize) {
  EXPECT_EQ(choose_log_rows(1, 0), 10u);
  EXPECT_EQ(choose_log_rows(std::uint64_t{1} << 24, 0), 19u);
  EXPECT_EQ(choose_log_rows((std::uint64_t{1} << 24) + 1, 0), 20u);
  EXPECT_EQ(choose_log_rows(std::uint64_t{1} << 24, std::uint64_t{1} << 27), 21u);
  EXPECT_EQ(choose_log_rows(1, (std::uint64_t{1} << 26) + 1), 21u);
  EXPECT_EQ(choose_log_rows(std::uint64_t{1} << 30, 1), 21u);
}

TEST(Parameters, SummaryHasALineForEachEntry) {
  const std::string summary = format_summary(parameter_tables());
  EXPECT_EQ(static_cast<std::size_t>(std::count(summary.begin(), summary.end(), '\n')), 1 + all_sets().size());
}

TEST(Parameters, WitnessOf24BitsMeetsItsTargets) {
  const OpeningSizes sizes{.witness_values = std::uint64_t{1} << 24};
  const Config config = choose_parameters(19, 128, Profile::kWitness).value();
  const OpeningCost cost = estimate_cost(config, sizes);
  EXPECT_GE(analyse_security(config, shape_of(sizes, 19)).bits(), 128);
  EXPECT_LE(cost.commit_seconds + cost.open_seconds, 6);
  EXPECT_LE(cost.bytes.total(), 120 * kKib);
}

TEST(Parameters, ModelOf27BitsMeetsItsTargets) {
  const OpeningSizes sizes{.witness_values = std::uint64_t{1} << 24, .model_values = std::uint64_t{1} << 27};
  const struct {
    std::uint32_t level;
    double kib;
  } targets[] = {{128, 260}, {100, 200}};
  for (const auto& target : targets) {
    const Config config = choose_parameters(21, target.level, Profile::kModel).value();
    const OpeningCost cost = estimate_cost(config, sizes);
    EXPECT_GE(analyse_security(config, shape_of(sizes, 21)).bits(), static_cast<std::int32_t>(target.level));
    EXPECT_LE(cost.open_seconds, 8);
    EXPECT_LE(cost.bytes.total(), target.kib * kKib);
    EXPECT_LE(static_cast<double>(cost.model_codeword_bytes), 9.1 * kGib);
    EXPECT_LE(static_cast<double>(cost.model_tree_bytes), 1.5 * kGib);
  }
}

TEST(ReachesLevel, HoldsForEveryParameterSetAndNotForLess) {
  for (const auto* sets : {&parameter_tables().witness, &parameter_tables().model}) {
    for (const ParameterSet& set : *sets) {
      Config config = set.config();
      EXPECT_TRUE(reaches_level(config)) << set.log_rows;
      --config.oracles[0].queries;
      EXPECT_FALSE(reaches_level(config)) << set.log_rows;
    }
  }
  Config weak;
  weak.log_rows = 10;
  weak.oracles = {{.log_inv_rate = 1, .queries = 1}, {.log_inv_rate = 1, .log_fold = 1, .queries = 1}};
  EXPECT_FALSE(reaches_level(weak));
  weak.oracles.clear();
  EXPECT_FALSE(reaches_level(weak));
}

}  // namespace
}  // namespace avow::pcs
