// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "verifier/error.hpp"

namespace avow::answer {

/// Why a delivery, a key, a proof or a file is refused: one value per cause, see the table of spec/answer.md.
enum class Check : std::uint8_t {
  kTruncated = 1,  ///< a delivery that ends too soon
  kTrailing,       ///< bytes after its last answer
  kVersion,        ///< a delivery of another version
  kCount,          ///< no answer, or more than compile::kMostRequests
  kIds,            ///< a list of more tokens or stop ids than any model's rules allow
  kFlag,           ///< an end that is neither 0 nor 1
  kInput,          ///< a request without a token
  kToken,          ///< an id of input, output or stop ids that is no word of the model
  kSampling,       ///< tau, top_k or portion out of range, or greedy with numbers that greedy does not use
  kStopIds,        ///< stop ids that are not strictly increasing, or more than kMostStopIds
  kContext,        ///< input and max_new_tokens together exceed the context
  kLength,         ///< no output, or more than max_new_tokens
  kShown,          ///< what is shown of choices is not one for each output, or a threshold is beyond the distances
  kStop,           ///< a stop id before the last output
  kEnd,            ///< an end that is not how the answer ends
  kRepeated,       ///< two requests of one id
  kSize,           ///< more padded places than any proof can have
  kModel,          ///< a delivery of another model
  kKey,            ///< a key that the verifier refuses
  kApplication,    ///< a key's application bytes that end too soon, or of another version
  kPlan,           ///< bytes that are no plan, or a plan that breaks a rule
  kStatement,      ///< a key whose statement is not its plan's
  kProof,          ///< an instance or a proof that the verifier refuses
  kFileMagic,      ///< no proof file
  kFileVersion,    ///< a proof file of another version
  kFileSize,       ///< a part larger than its cap
  kFileTruncated,  ///< a proof file that ends too soon
  kFileTrailing,   ///< bytes after its last part
};

struct Rejection {
  Check check;
  std::uint32_t where = 0;                      ///< the answer that it is about, from 0; 0 if it is about all
  std::string text{};                           ///< what it is about, in words; may be empty
  std::optional<verifier::Rejection> reason{};  ///< the verifier's, of kKey and kProof
};

/// The check's name as written in the specification: "answer.stop".
[[nodiscard]] const char* name(Check check) noexcept;
/// The same, but the verifier's name where it was the verifier that refused: "key.config", "proof.sum", "pcs.merkle".
[[nodiscard]] const char* name(const Rejection& rejection) noexcept;
/// The name, where, and the text if there is one.
[[nodiscard]] std::string to_string(const Rejection& rejection);

}  // namespace avow::answer
