// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "statement/binding.hpp"

/// The reference reader of a statement: evaluates everything by plain loops and says what does not hold. Slow, exact,
/// the oracle of all other readers.
namespace avow::statement {

/// For each tensor its cells, row-major: required of model and witness tensors; ignored of structured and virtual ones.
/// The multiplicities of a table may be left out (empty): they are counted then.
struct Assignment {
  std::vector<std::vector<std::int64_t>> arrays;
};

enum class ClaimKind : std::uint8_t {
  kZero,          ///< a cell that must be 0 is not
  kLookup,        ///< a tuple that is no row of its table
  kRows,          ///< a table with a row twice: multiplicities are not unique
  kMultiplicity,  ///< given multiplicities that are not the counts
};
/// Where a claim fails first.
struct Failure {
  ClaimKind kind = ClaimKind::kZero;
  std::string name;                  ///< of the virtual tensor, lookup or table
  std::vector<std::uint64_t> index;  ///< in its axes
  std::vector<std::int64_t> values;  ///< the cell, tuple, row, or given and true count
  std::string text;                  ///< all of it in words
};

enum class WarningKind : std::uint8_t {
  kWraps,  ///< the exact integer is not in (-p/2, p/2): the field element stands for another one
  kRange,  ///< a committed value outside its range note
};
/// The first cell of a tensor of which this is true. Not a failure: the statement is over the field.
struct Warning {
  WarningKind kind = WarningKind::kWraps;
  std::string name;
  std::vector<std::uint64_t> index;
};

struct Report {
  std::vector<Failure> failures;  ///< one for each claim that fails: zero claims, tables, lookups, multiplicities
  std::vector<Warning> warnings;
  /// Every tensor but the structured ones, as the representatives in (-p/2, p/2); multiplicities as counted or given.
  std::vector<std::vector<std::int64_t>> arrays;

  [[nodiscard]] bool ok() const noexcept { return failures.empty(); }
};

/// kArrays if an array is missing or of the wrong size, or if multiplicities that were left out depend on themselves.
[[nodiscard]] base::Result<Report, Error> check(const Binding& binding, Assignment assignment);

}  // namespace avow::statement
