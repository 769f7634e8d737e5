// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "chain/error.hpp"

/// Whoever asks: posts requests, follows them, checks what was answered, takes money back.
namespace avow::requester {

/// Why something was not done: one value per cause.
enum class Cause : std::uint8_t {
  kChain = 1,  ///< what nodes or contracts said: `chain` has it
  kFile,       ///< a file that cannot be read or written
  kRecord,     ///< a record of a request that is none
  kNames,      ///< a list of models that is none
  kName,       ///< a model's name that the list does not have
  kTokenizer,  ///< a file that is no tokenizer, or one of another model than is meant
  kModel,      ///< a model that is not registered, or a registry that gives another key
  kFrozen,     ///< verifier and model that contradicted themselves: nothing is paid any more
  kQuestion,   ///< a question that the model cannot answer
  kOffer,      ///< an offer that the market would not take
  kTokens,     ///< an account with too few tokens
  kUnknown,    ///< a request that neither the chain nor this machine knows
  kState,      ///< a request that does not stand where this can be done
  kPayment,    ///< transactions that do not hold the proof of what was paid
  kProof,      ///< a proof that does not hold, or not of what was asked
  kCancelled,  ///< whoever called wanted to end; what was sent stands
};

struct Error {
  Cause cause;
  std::string text;
  std::optional<chain::Error> chain{};
};

template <typename T>
using Result = base::Result<T, Error>;

inline base::Err<Error> fail(Cause cause, std::string text) { return {{cause, std::move(text), {}}}; }
/// What the chain's client said, after what was tried.
[[nodiscard]] base::Err<Error> fail(const std::string& what, const chain::Error& error);

/// "proof", "chain".
[[nodiscard]] const char* name(Cause cause) noexcept;

}  // namespace avow::requester
