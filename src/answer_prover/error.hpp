// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace avow::answer_prover {

/// Why there is no answer or no proof; one value per cause.
enum class Cause : std::uint8_t {
  kModel = 1,  ///< no model that can be run or committed to
  kLevel,      ///< no commitment of this size is known at this level
  kRequest,    ///< a request that breaks a rule (spec/answer.md)
  kRun,        ///< the runtime refuses, which no imported model gives it a reason for
  kAnswer,     ///< an output that the model does not give
  kMemory,     ///< the proof would need more memory than it may use
  kCancelled,
  kProof,  ///< the proof was not made, or does not hold: a fault of this program
};

/// A cause, and what it is about in words.
struct Error {
  Cause cause;
  std::string text;
};

}  // namespace avow::answer_prover
