// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <utility>

#include "model/tokenizer.hpp"
#include "model/tokenizer_bytes.hpp"
#include "model/unicode.hpp"

namespace avow::model {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

base::Err<TokenizerError> beyond(TokenId id, std::size_t count) {
  return {TokenizerError{TokenizerCause::kIdRange, fmt::format("id {} of {} tokens", id, count)}};
}

}  // namespace

std::string Tokenizer::piece(TokenId id) const {
  AVOW_CHECK(id < token_count());
  const std::string& token = data_.tokens[id];
  if (data_.kind == TokenizerKind::kByteLevelBpe) return token;
  switch (data_.types[id]) {
    case TokenType::kByte:
      return {static_cast<char>(*byte_of_token(token))};
    case TokenType::kNormal:
    case TokenType::kUserDefined:
      return unmark_spaces(token);
    default:
      return token;
  }
}

bool Tokenizer::is_control(TokenId id) const noexcept {
  AVOW_CHECK(id < token_count());
  return data_.types[id] == TokenType::kControl;
}

base::Result<std::string, TokenizerError> Tokenizer::decode(std::span<const TokenId> ids, DecodeFrom from) const {
  StreamDecoder decoder(*this, from);
  std::string out;
  for (const TokenId id : ids) {
    if (id >= token_count()) return beyond(id, token_count());
    decoder.append(id, out);
  }
  return out;
}

void StreamDecoder::append(TokenId id, std::string& out) {
  const TokenizerData& data = tokenizer_->data_;
  const bool byte_level = data.kind == TokenizerKind::kByteLevelBpe;
  // A space was put behind special tokens, too.
  const bool space_behind = data.space_prefix == SpacePrefix::kAlways || data.space_prefix == SpacePrefix::kUnlessSpace;
  switch (data.types[id]) {
    case TokenType::kControl:
      strip_space_ = strip_space_ || space_behind;
      return;
    case TokenType::kUnused:
      return;
    case TokenType::kUnknown:
      out += kReplacement;
      strip_space_ = false;
      return;
    case TokenType::kUserDefined:
      // With a mark for the space it comes from merging, inside of text.
      if (!byte_level && data.tokens[id].find(kSpaceMark) != std::string::npos) break;
      out += tokenizer_->piece(id);
      strip_space_ = space_behind;
      return;
    case TokenType::kByte:
    case TokenType::kNormal:
      break;
  }
  const std::string piece = tokenizer_->piece(id);
  const bool strip = strip_space_ && !byte_level && data.space_prefix != SpacePrefix::kNever &&
                     data.types[id] != TokenType::kByte && piece[0] == ' ';
  out.append(piece, strip ? 1 : 0);
  strip_space_ = false;
}

base::Result<std::string, TokenizerError> StreamDecoder::feed(TokenId id) {
  if (id >= tokenizer_->token_count()) return beyond(id, tokenizer_->token_count());
  append(id, pending_);
  std::string out = std::move(pending_);
  pending_ = out.substr(out.size() - unfinished_suffix(out));
  out.resize(out.size() - pending_.size());
  return out;
}

std::string StreamDecoder::finish() { return std::exchange(pending_, {}); }

}  // namespace avow::model
