// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pcs/config.hpp"
#include "pcs/cost.hpp"
#include "pcs/parameters.hpp"

namespace avow::pcs {

/// What a configuration is searched for.
struct SearchProblem {
  std::uint32_t level = 128;
  OpeningSizes sizes;
  /// log_rows is one of these.
  std::uint32_t min_log_rows = 10;
  std::uint32_t max_log_rows = 21;
  /// The level holds up to this many column variables, so that a model's configuration serves larger witnesses, too.
  std::uint32_t max_log_columns = 10;

  double budget_seconds = 6;      ///< of the prover, grinding included
  bool budget_has_commit = true;  ///< whether committing to the witness counts into it
  std::uint32_t max_grinding_bits = 22;
  std::uint64_t max_model_cache_bytes = UINT64_MAX;  ///< codewords and tree, on disk
  /// In memory, of the witness and of a tail oracle each: tree and one coset.
  std::uint64_t max_oracle_bytes = UINT64_MAX;
};

struct SearchResult {
  Config config;
  OpeningCost cost;
};

/// The configuration of least estimated gas that reaches the level within the limits, or nothing if there is none. The
/// same arguments always give the same result; ties go to the configuration found first.
///
/// Exhaustive over log_rows, rates, folds, grinding and the length of the final polynomial; queries and fold grinding
/// are the least that reach the level. Tails are built from their end and kept on a front of (calldata gas, total gas,
/// seconds), seconds being rounded up to 1/kTimeSteps of the budget: that bounds the front and is the only loss.
[[nodiscard]] std::optional<SearchResult> search(const SearchProblem& problem, const ProverSpeed& speed = {});

/// What an entry of the parameter table was searched for, log_rows fixed.
[[nodiscard]] SearchProblem search_problem(const ParameterSet& set);
/// The tables with every entry's oracles searched anew (an entry for which nothing is found loses its oracles). After a
/// change of the cost model, format_parameters of this is the new spec/parameters.json.
[[nodiscard]] ParameterTables search_again(ParameterTables tables, const ProverSpeed& speed = {});

/// One line an entry: level, sizes, proven bits, bytes, gas, seconds, memory; for `avow pcs table`.
[[nodiscard]] std::string format_summary(const ParameterTables& tables, const ProverSpeed& speed = {});

}  // namespace avow::pcs
