// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pcs/config.hpp"

namespace avow::pcs {

/// What a configuration was searched for, and the configuration. One object of spec/parameters.json; the members have
/// the names and the order of its keys, because the build turns the file into an initializer of ParameterTables.
struct ParameterSet {
  std::uint32_t level = 0;
  std::uint32_t log_rows = 0;
  std::uint32_t max_log_columns = 0;  ///< the level holds for up to 2^this columns in all
  std::uint32_t claims = 0;           ///< pieces assumed in the gas estimate; the level holds for far more
  std::uint64_t witness_values = 0;   ///< sizes that the gas and the budget were computed for
  std::uint64_t model_values = 0;     ///< 0: the witness alone
  std::uint32_t budget_ms = 0;        ///< of the prover: commit and open (witness), open alone (with a model)
  std::uint32_t max_grinding_bits = 0;
  std::uint64_t max_model_cache_bytes = 0;  ///< codewords and tree on disk
  std::uint64_t max_oracle_bytes = 0;       ///< in memory, of the witness and of a tail oracle each
  std::vector<OracleConfig> oracles;

  [[nodiscard]] Config config() const {
    return {.level = level, .log_rows = log_rows, .max_log_columns = max_log_columns, .oracles = oracles};
  }
  friend bool operator==(const ParameterSet&, const ParameterSet&) = default;
};

struct ParameterTables {
  std::uint32_t version = 0;
  std::vector<ParameterSet> witness;  ///< a witness opened alone
  std::vector<ParameterSet> model;    ///< a model and a witness opened together

  friend bool operator==(const ParameterTables&, const ParameterTables&) = default;
};

/// spec/parameters.json as of the build.
[[nodiscard]] const ParameterTables& parameter_tables();

enum class Profile : std::uint8_t { kWitness, kModel };

/// The configuration for columns of 2^log_rows at this level (128 or 100), or nothing if the table has none.
[[nodiscard]] std::optional<Config> choose_parameters(std::uint32_t log_rows, std::uint32_t level, Profile profile);

/// The least log_rows in the table that was searched for at least these sizes, or the largest in the table.
/// model_values of 0 means a witness alone. Levels share their sizes.
[[nodiscard]] std::uint32_t choose_log_rows(std::uint64_t witness_values, std::uint64_t model_values);

/// The configuration for a witness and a model of these sizes, or nothing if the table has none for the level. Where
/// the witness is the larger part, that of a witness alone with the cells of both. A set serves up to 3/2 of the size
/// that it was searched for: a few more columns cost less than columns of twice the length.
[[nodiscard]] std::optional<Config> choose_config(std::uint64_t witness_values, std::uint64_t model_values,
                                                  std::uint32_t level);

/// The text of spec/parameters.json for these tables; a test compares it with the file.
[[nodiscard]] std::string format_parameters(const ParameterTables& tables);

}  // namespace avow::pcs
