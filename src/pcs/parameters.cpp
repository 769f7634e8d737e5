// SPDX-License-Identifier: Apache-2.0
#include "pcs/parameters.hpp"

#include <fmt/format.h>

#include <iterator>

namespace avow::pcs {
namespace {

const std::vector<ParameterSet>& sets_of(Profile profile) {
  return profile == Profile::kModel ? parameter_tables().model : parameter_tables().witness;
}

std::string format_oracle(const OracleConfig& oracle) {
  return fmt::format(
      R"({{"log_inv_rate": {}, "log_fold": {}, "queries": {}, "query_grinding_bits": {}, "fold_grinding_bits": {}}})",
      oracle.log_inv_rate, oracle.log_fold, oracle.queries, oracle.query_grinding_bits, oracle.fold_grinding_bits);
}

std::string format_set(const ParameterSet& set) {
  std::string text = fmt::format(
      R"(  {{"level": {}, "log_rows": {}, "max_log_columns": {}, "claims": {}, "witness_values": {}, "model_values": {},
   "budget_ms": {}, "max_grinding_bits": {}, "max_model_cache_bytes": {}, "max_oracle_bytes": {},
   "oracles": [)",
      set.level, set.log_rows, set.max_log_columns, set.claims, set.witness_values, set.model_values, set.budget_ms,
      set.max_grinding_bits, set.max_model_cache_bytes, set.max_oracle_bytes);
  const char* separator = "\n    ";
  for (const OracleConfig& oracle : set.oracles) {
    text += separator + format_oracle(oracle);
    separator = ",\n    ";
  }
  return text + "]}";
}

std::string format_sets(const std::vector<ParameterSet>& sets) {
  std::string text = "[";
  const char* separator = "\n";
  for (const ParameterSet& set : sets) {
    text += separator + format_set(set);
    separator = ",\n";
  }
  return text + "\n ]";
}

}  // namespace

const ParameterTables& parameter_tables() {
  // Generated from spec/parameters.json by the build: keys become designators, brackets become braces.
  static const ParameterTables kTables =
#include "pcs/parameters_table.inc"
      ;
  return kTables;
}

std::optional<Config> choose_parameters(std::uint32_t log_rows, std::uint32_t level, Profile profile) {
  for (const ParameterSet& set : sets_of(profile)) {
    if (set.log_rows == log_rows && set.level == level) return set.config();
  }
  return std::nullopt;
}

std::uint32_t choose_log_rows(std::uint64_t witness_values, std::uint64_t model_values) {
  const ParameterSet* best = nullptr;
  const auto fits = [&](const ParameterSet& set) {
    return set.witness_values >= witness_values && set.model_values >= model_values;
  };
  for (const ParameterSet& set : sets_of(model_values == 0 ? Profile::kWitness : Profile::kModel)) {
    const bool better = best == nullptr || (fits(set) ? !fits(*best) || set.log_rows < best->log_rows
                                                      : !fits(*best) && set.log_rows > best->log_rows);
    if (better) best = &set;
  }
  return best == nullptr ? 0 : best->log_rows;
}

std::optional<Config> choose_config(std::uint64_t witness_values, std::uint64_t model_values, std::uint32_t level) {
  const auto served = [](std::uint64_t values) { return values - values / 3; };
  if (model_values > witness_values) {
    return choose_parameters(choose_log_rows(served(witness_values), served(model_values)), level, Profile::kModel);
  }
  return choose_parameters(choose_log_rows(served(witness_values + model_values), 0), level, Profile::kWitness);
}

std::string format_parameters(const ParameterTables& tables) {
  return fmt::format("{{\n \"version\": {},\n \"witness\": {},\n \"model\": {}\n}}\n", tables.version,
                     format_sets(tables.witness), format_sets(tables.model));
}

}  // namespace avow::pcs
