// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "statement/error.hpp"
#include "statement/statement.hpp"

/// What can be said about every proof of a statement without seeing one (spec/statement.md, section 8). Whoever makes a
/// verifying key is an adversary, so every client runs check_uniqueness() on a key; whoever imports a model runs
/// check_no_wrap() on its tensors. Both require a valid statement and take bounded time and memory on any: beyond a
/// fixed amount of work they refuse with kTooComplex.
namespace avow::statement {

/// Why a witness tensor is no free choice of the prover's.
enum class Reason : std::uint8_t {
  kInput = 1,     ///< it is one, and declared so
  kCounted,       ///< multiplicities: the histogram of the lookups
  kEquation,      ///< a claim that is linear in it
  kDigits,        ///< a range or zero claim in which it is a digit: requantisation, limbs, saturation
  kFunction,      ///< the value in the row of a table that the keys name
  kSandwich,      ///< between two inequalities that exclude its successor: division, square root
  kMaximum,       ///< a maximum that is attained
  kHint,          ///< the selector of a maximum: may stay undetermined, and nothing relies on it
  kUndetermined,  ///< multiplicities of lookups of undetermined hints, on which nothing relies
};

/// How one witness tensor is determined by public values, inputs and model tensors.
struct Finding {
  TensorId tensor = 0;
  Reason reason{};
  std::string claim;  ///< the zero claim or lookup that did it; empty of inputs and multiplicities
  /// Boolean structured tensors read along the tensor's axes: it is determined where all of them are 1. Empty:
  /// everywhere.
  std::vector<Access> masks;
};

/// One for each witness tensor, in order: each is uniquely determined by public values, inputs and model tensors,
/// whatever field elements model tensors hold. Else refused, with
///   kTableKeys      a table whose structured columns do not tell its rows apart,
///   kNotDetermined  a witness tensor that no rule pins down; the text says which claims mention it,
///   kWrap           the entry of a range that may reach p/2, or that nothing bounds and no rule needs,
///   kTooComplex     more work than the analysis does.
[[nodiscard]] base::Result<std::vector<Finding>, Error> analyse_uniqueness(const Statement& statement);
/// The same, refusal only.
[[nodiscard]] std::optional<Error> check_uniqueness(const Statement& statement);

/// What is known of the integers in one model tensor.
struct TensorBound {
  std::int64_t min = 0;
  std::int64_t max = 0;
  /// If `row_norm` is given: the sum of |cell| over the axes `norm_axes` (of the tensor) is at most that, whatever the
  /// indices of the other axes. The bound of a product with a matrix is then norm * largest factor.
  std::vector<AxisId> norm_axes{};
  std::optional<std::uint64_t> row_norm{};
};
/// For each tensor of the statement; needed of model tensors, ignored of others.
struct ModelBounds {
  std::vector<std::optional<TensorBound>> tensors;
};

/// With the model's actual integers and the largest lengths that parameters allow: every definition, zero claim, column
/// and lookup entry, as an integer, lies in (-p/2, p/2); of a virtual tensor, where a claim depends on it. Witness
/// tensors count with what their lookups check, never with their range notes. Else refused, with
///   kModelBounds  a model tensor without bounds, or with bounds outside its range note,
///   kUnbounded    something that reads a witness tensor which no claim bounds,
///   kWrap         something that may reach p/2,
///   kTooComplex   more work than the analysis does.
[[nodiscard]] std::optional<Error> check_no_wrap(const Statement& statement, const ModelBounds& bounds);

}  // namespace avow::statement
