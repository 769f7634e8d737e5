// SPDX-License-Identifier: Apache-2.0
#include "pcs/security.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace avow::pcs {
namespace {

using nlohmann::json;

json load_vectors() {
  std::ifstream file(AVOW_SOURCE_DIR "/spec/vectors/soundcalc.json");
  return json::parse(file);
}

SoundcalcInput read_input(const json& vector) {
  SoundcalcInput input;
  input.log_degree = vector.at("log_degree");
  input.folding_factors = vector.at("folding_factors").get<std::vector<std::uint32_t>>();
  input.log_inv_rates = vector.at("log_inv_rates").get<std::vector<std::uint32_t>>();
  input.num_queries = vector.at("num_queries").get<std::vector<std::uint32_t>>();
  input.grinding_bits_queries = vector.at("grinding_bits_queries").get<std::vector<std::uint32_t>>();
  input.grinding_bits_folding = vector.at("grinding_bits_folding").get<std::vector<std::vector<std::uint32_t>>>();
  input.constraint_degree = vector.at("constraint_degree");
  input.batch_size = vector.at("batch_size");
  input.grinding_batching_phase = vector.at("grinding_batching_phase");
  return input;
}

Config read_config(const json& object) {
  Config config;
  config.log_rows = object.at("log_rows");
  for (const json& oracle : object.at("oracles")) {
    config.oracles.push_back({.log_inv_rate = oracle.at("log_inv_rate"),
                              .log_fold = oracle.at("log_fold"),
                              .queries = oracle.at("queries"),
                              .query_grinding_bits = oracle.at("query_grinding_bits"),
                              .fold_grinding_bits = oracle.at("fold_grinding_bits")});
  }
  return config;
}

void expect_rounds(const json& vector, const std::vector<SecurityRow>& rows, const char* regime) {
  const json& names = vector.at("rounds");
  const json& floors = vector.at(regime).at("floor");
  const json& bits = vector.at(regime).at("bits");
  ASSERT_EQ(rows.size(), names.size());
  ASSERT_EQ(rows.size(), floors.size());
  ASSERT_EQ(rows.size(), bits.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SCOPED_TRACE(rows[i].name);
    EXPECT_EQ(rows[i].name, names[i].get<std::string>());
    EXPECT_EQ(rows[i].floor_bits, floors[i].get<std::int32_t>());
    EXPECT_NEAR(rows[i].bits, bits[i].get<double>(), 1e-9);
    EXPECT_TRUE(rows[i].known_to_soundcalc);
  }
}

void expect_vector(const json& vector, const SoundcalcInput& input) {
  expect_rounds(vector, soundcalc_rounds(input, Regime::kJohnson), "johnson");
  expect_rounds(vector, soundcalc_rounds(input, Regime::kUniqueDecoding), "unique");
}

TEST(Security, AgreesWithSoundcalcOnItsOwnExamples) {
  const json vectors = load_vectors();
  ASSERT_EQ(vectors.at("stock").size(), 4u);
  for (const json& vector : vectors.at("stock")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    expect_vector(vector, read_input(vector));
  }
}

TEST(Security, AgreesWithSoundcalcRoundByRound) {
  const json vectors = load_vectors();
  ASSERT_GE(vectors.at("family").size(), 60u);
  for (const json& vector : vectors.at("family")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const Config config = read_config(vector.at("config"));
    ASSERT_EQ(validate(config), ConfigError::kNone);
    const Shape shape{.log_columns = vector.at("config").at("log_columns"), .claims = 1};
    // The map itself is recorded, too: what soundcalc was asked is what our function says it should be asked.
    const SoundcalcInput input = to_soundcalc(config, shape);
    EXPECT_EQ(input.log_degree, vector.at("log_degree"));
    EXPECT_EQ(json(input.folding_factors), vector.at("folding_factors"));
    EXPECT_EQ(json(input.log_inv_rates), vector.at("log_inv_rates"));
    EXPECT_EQ(json(input.num_queries), vector.at("num_queries"));
    EXPECT_EQ(json(input.grinding_bits_queries), vector.at("grinding_bits_queries"));
    EXPECT_EQ(json(input.grinding_bits_folding), vector.at("grinding_bits_folding"));
    EXPECT_EQ(input.constraint_degree, vector.at("constraint_degree"));
    EXPECT_EQ(input.batch_size, vector.at("batch_size"));
    expect_vector(vector, input);
  }
}

Config analysed_config() {
  Config config;
  config.log_rows = 20;
  config.oracles = {
      {.log_inv_rate = 4, .log_fold = 0, .queries = 54, .query_grinding_bits = 22, .fold_grinding_bits = 0},
      {.log_inv_rate = 6, .log_fold = 6, .queries = 37, .query_grinding_bits = 20, .fold_grinding_bits = 2},
      {.log_inv_rate = 8, .log_fold = 6, .queries = 28, .query_grinding_bits = 18, .fold_grinding_bits = 1}};
  return config;
}

double bits_of_row(const SecurityReport& report, const std::string& name, Regime regime) {
  for (const SecurityRow& row : report.rows) {
    if (row.name == name && row.regime == regime) return row.bits;
  }
  ADD_FAILURE() << "no row " << name;
  return 0;
}

// Against numbers worked out by hand from the formulas of spec/security.md, with q = 2^192 (p is 2^64 to 2^-32).
TEST(Security, OtherRoundsFollowTheirFormulas) {
  const SecurityReport report = analyse_security(analysed_config(), {.log_columns = 8, .claims = 401});
  const double log_list = std::log2(50.0) + 4;  // 1/(2 eta sqrt(rho)) = 50/rho
  EXPECT_NEAR(bits_of_row(report, "OOD(i=0), each commitment", Regime::kJohnson), 192 + 1 - 28 - 2 * log_list, 1e-6);
  EXPECT_NEAR(bits_of_row(report, "OOD(i=0), each commitment", Regime::kUniqueDecoding), 192 + 1 - 28, 1e-6);
  EXPECT_NEAR(bits_of_row(report, "joining of claims", Regime::kJohnson), 192 - std::log2(400) - log_list, 1e-6);
  EXPECT_NEAR(bits_of_row(report, "joining of claims", Regime::kUniqueDecoding), 192 - std::log2(400), 1e-6);
  EXPECT_NEAR(bits_of_row(report, "final sumcheck, each round", Regime::kJohnson), 191, 1e-6);
  EXPECT_EQ(bits_of_row(report, "Keccak-256 collision", Regime::kJohnson), 128);
}

// The columns are words over the code of dimension 2^log_rows, whatever their number; soundcalc's map counts the column
// variables into the dimension, so what we report must never be above the bound on the code itself.
TEST(Security, MapOfTheColumnFoldIsConservative) {
  const SecurityReport report = analyse_security(analysed_config(), {.log_columns = 8, .claims = 2});
  const double interleaved = fold_bits(Regime::kJohnson, 4, 20);
  EXPECT_NEAR(bits_of_row(report, "fold(i=0,s=8)", Regime::kJohnson), interleaved, 1e-9);
  double previous = 0;
  for (int s = 1; s <= 8; ++s) {
    const double bits = bits_of_row(report, "fold(i=0,s=" + std::to_string(s) + ")", Regime::kJohnson);
    EXPECT_GT(bits, previous);
    EXPECT_LE(bits, interleaved);
    previous = bits;
  }
}

TEST(Security, BiasIsChargedToTheWorstRound) {
  const SecurityReport report = analyse_security(analysed_config(), {.log_columns = 8, .claims = 2});
  for (const Regime regime : {Regime::kJohnson, Regime::kUniqueDecoding}) {
    double worst = 1000;
    for (const SecurityRow& row : report.rows) {
      if (row.regime == regime && row.formula.find("above") == std::string_view::npos && row.bits != 128) {
        worst = std::min(worst, row.bits);
      }
    }
    const double biased = bits_of_row(report, "worst round, biased challenges", regime);
    EXPECT_LT(biased, worst);
    EXPECT_NEAR(biased, worst, 1e-4);
  }
}

TEST(Security, ReportTakesTheMinimumOfEachRegimeAndTheBetterRegime) {
  const SecurityReport report = analyse_security(analysed_config(), {.log_columns = 8, .claims = 2});
  for (const Regime regime : {Regime::kJohnson, Regime::kUniqueDecoding}) {
    EXPECT_EQ(report.bits(regime), std::min(report.soundcalc_bits(regime), report.other_bits(regime)));
    for (const SecurityRow& row : report.rows) {
      if (row.regime == regime) {
        EXPECT_LE(report.bits(regime), row.floor_bits);
      }
    }
  }
  EXPECT_EQ(report.bits(), report.bits(Regime::kJohnson));
  EXPECT_LT(report.bits(Regime::kUniqueDecoding), report.bits());
}

TEST(Security, RowsThatDoNotExistAreLeftOut) {
  Config config = analysed_config();
  config.log_rows = 12;  // nothing left for a final sumcheck
  const SecurityReport report = analyse_security(config, {.log_columns = 0, .claims = 1});
  for (const SecurityRow& row : report.rows) {
    EXPECT_THAT(row.name, testing::Not(testing::StartsWith("fold(i=0")));
    EXPECT_NE(row.name, "joining of claims");
    EXPECT_NE(row.name, "final sumcheck, each round");
  }
}

TEST(Security, ManyQueriesOfALowRateDoNotUnderflow) {
  Config config = analysed_config();
  config.oracles[2].log_inv_rate = 20;
  config.oracles[2].queries = 1024;
  const SecurityReport report = analyse_security(config, {.log_columns = 8, .claims = 2});
  EXPECT_NEAR(bits_of_row(report, "fin", Regime::kJohnson), 1024 * (10 - std::log2(1.01)) + 18, 1e-6);
}

TEST(Security, TableHasALineForEachRound) {
  const SecurityReport report = analyse_security(analysed_config(), {.log_columns = 3, .claims = 5});
  const std::string table = format_security(report);
  for (const SecurityRow& row : report.rows) EXPECT_THAT(table, testing::HasSubstr(row.name));
  EXPECT_THAT(table, testing::HasSubstr("not known to soundcalc"));
}

}  // namespace
}  // namespace avow::pcs
