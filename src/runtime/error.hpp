// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace avow::runtime {

/// Why a model, a request or a run is refused; one value per cause.
enum class Cause : std::uint8_t {
  kPlan = 1,  ///< a number of the plan breaks a rule, or a matrix is longer than the kernels sum exactly
  kCells,     ///< a tensor of the model with too many cells, too few, or of the wrong width
  kTable,     ///< a function table with a value that spec/integer_models.md section 2 does not allow
  kMemory,    ///< more places than there is memory for, or a witness with a tensor that no statement has
  kToken,     ///< a token id that is not in the vocabulary
  kContext,   ///< more tokens than the places of this run
  kPlace,     ///< logits of a place that is not among the tokens
  kEmpty,     ///< no token where one is needed
  kRequest,   ///< tau, k or P beyond what spec/integer_models.md section 6 allows
  kLengths,   ///< a witness of no tokens or no steps
  kRange,     ///< a tensor leaves its range: the model is scaled badly
};

/// A cause, and what it is about in words: the tensor by its name in spec/integer_models.md.
struct Error {
  Cause cause;
  std::string text;
};

/// Nothing, or the reason why not.
using MaybeError = std::optional<Error>;

}  // namespace avow::runtime
