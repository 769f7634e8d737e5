// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_error.hpp"

#include <fmt/format.h>

namespace avow::model {

const char* name(TokenizerCause cause) noexcept {
  switch (cause) {
    case TokenizerCause::kCount:
      return "tokenizer.count";
    case TokenizerCause::kTokenSize:
      return "tokenizer.token_size";
    case TokenizerCause::kRepeatedToken:
      return "tokenizer.repeated_token";
    case TokenizerCause::kTypes:
      return "tokenizer.types";
    case TokenizerCause::kScores:
      return "tokenizer.scores";
    case TokenizerCause::kByteTokens:
      return "tokenizer.byte_tokens";
    case TokenizerCause::kSpaceToken:
      return "tokenizer.space_token";
    case TokenizerCause::kNotByteLevel:
      return "tokenizer.not_byte_level";
    case TokenizerCause::kMerge:
      return "tokenizer.merge";
    case TokenizerCause::kRepeatedMerge:
      return "tokenizer.repeated_merge";
    case TokenizerCause::kIdRange:
      return "tokenizer.id_range";
    case TokenizerCause::kIds:
      return "tokenizer.ids";
    case TokenizerCause::kMissing:
      return "tokenizer.missing";
    case TokenizerCause::kFieldType:
      return "tokenizer.field_type";
    case TokenizerCause::kJson:
      return "tokenizer.json";
    case TokenizerCause::kUnsupported:
      return "tokenizer.unsupported";
    case TokenizerCause::kTextSize:
      return "tokenizer.text_size";
    case TokenizerCause::kUnencodable:
      return "tokenizer.unencodable";
    case TokenizerCause::kNoSpecial:
      return "tokenizer.no_special";
    case TokenizerCause::kTooManyTokens:
      return "tokenizer.too_many_tokens";
  }
  return "tokenizer.unknown";
}

std::string shown_bytes(std::string_view bytes) {
  constexpr std::size_t kMost = 64;
  std::string out = "\"";
  for (const char c : bytes.substr(0, kMost)) {
    if (c >= ' ' && c <= '~' && c != '"' && c != '\\') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
    }
  }
  return out + (bytes.size() > kMost ? "\"..." : "\"");
}

}  // namespace avow::model
