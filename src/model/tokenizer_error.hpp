// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace avow::model {

/// Why a vocabulary, a text or ids are refused; one value per cause.
enum class TokenizerCause : std::uint8_t {
  kCount = 1,      ///< no tokens, or more tokens, merges or bytes than tokenizer_limits allows
  kTokenSize,      ///< a token is empty or longer than tokenizer_limits::kTokenBytes or kSpecialBytes
  kRepeatedToken,  ///< two tokens with the same bytes
  kTypes,          ///< not one type for each token, or an unknown type
  kScores,         ///< not one score for each token where there must be, a score where there is none, or no number
  kByteTokens,     ///< a byte token that is not `<0x00>` to `<0xFF>`, only some of the 256, or one where none belongs
  kSpaceToken,     ///< byte tokens without a token for U+2581: spaces would come back as U+2581
  kNotByteLevel,   ///< a token of a byte-level vocabulary holds a character that stands for no byte
  kMerge,          ///< a merge of something that is no normal token, or with such a result, or one that is no pair
  kRepeatedMerge,  ///< a merge twice
  kIdRange,        ///< an id beyond the vocabulary
  kIds,            ///< the ids of a tokenizer.json are not 0, 1, .. each once
  kMissing,        ///< a field that is needed is not there
  kFieldType,      ///< a field has another type than it must have
  kJson,           ///< not JSON, too long or too deep
  kUnsupported,    ///< a kind, pre-tokeniser, normaliser, option that this implementation does not have
  kTextSize,       ///< a text longer than tokenizer_limits::kTextBytes
  kUnencodable,    ///< a character without a token, and the caller did not ask for the unknown token
  kNoSpecial,      ///< the beginning or the unknown token is asked for and the vocabulary has none
  kTooManyTokens,  ///< the text takes more tokens than the caller allows
  kTemplate,       ///< no chat template, or one that is none of those of chat_template.hpp
  kMessages,       ///< messages in an order that the chat template does not have, or with a role that it lacks
  kMarker,         ///< a message with text that would pass for a part of the chat template
};

/// A cause, and what it is about in words: the token, the field, the option by name.
struct TokenizerError {
  TokenizerCause cause;
  std::string text;
};

/// The cause's name in the specification: "tokenizer.repeated_token".
[[nodiscard]] const char* name(TokenizerCause cause) noexcept;

/// The error as a failed Result.
[[nodiscard]] inline base::Err<TokenizerError> fail(TokenizerCause cause, std::string text) {
  return {TokenizerError{cause, std::move(text)}};
}

/// Foreign bytes for an error's text: printable ASCII as it is, other bytes as \xNN, cut after 64 bytes.
[[nodiscard]] std::string shown_bytes(std::string_view bytes);

}  // namespace avow::model
