// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_merges.hpp"

#include <fmt/format.h>

#include <string>

#include "model/tokenizer_bytes.hpp"
#include "model/tokenizer_check.hpp"

namespace avow::model {
namespace {

using base::Err;

}  // namespace

base::Result<bool, TokenizerError> decode_byte_alphabet(TokenizerData& data) {
  for (TokenId id = 0; id < data.tokens.size(); ++id) {
    if (data.types[id] != TokenType::kNormal && data.types[id] != TokenType::kUnused) continue;
    auto bytes = from_byte_alphabet(data.tokens[id]);
    if (!bytes) {
      return fail(TokenizerCause::kNotByteLevel, fmt::format("token {}, {}", id, shown_bytes(data.tokens[id])));
    }
    data.tokens[id] = std::move(*bytes);
  }
  return true;
}

MergeReader::MergeReader(const TokenizerData& data) : data_(data), index_(data.tokens, mergeable_ids(data)) {}

base::Result<TokenId, TokenizerError> MergeReader::token_of(std::string_view text) const {
  std::optional<TokenId> id;
  if (data_.kind == TokenizerKind::kByteLevelBpe) {
    if (const auto bytes = from_byte_alphabet(text)) id = index_.find(*bytes);
  } else {
    id = index_.find(text);
  }
  if (id) return *id;
  return fail(TokenizerCause::kMerge,
              fmt::format("merge {} is of {}, no normal token", merges_.size(), shown_bytes(text)));
}

base::Result<bool, TokenizerError> MergeReader::add(std::string_view merge) {
  // The first part may itself begin with a space, but no part is empty.
  const std::size_t space = merge.find(' ', 1);
  if (merge.size() < 3 || space == std::string_view::npos || space + 1 == merge.size()) {
    return fail(TokenizerCause::kMerge, fmt::format("merge {}, {}, is no pair", merges_.size(), shown_bytes(merge)));
  }
  return add(merge.substr(0, space), merge.substr(space + 1));
}

base::Result<bool, TokenizerError> MergeReader::add(std::string_view left, std::string_view right) {
  if (merges_.size() == tokenizer_limits::kMerges) {
    return fail(TokenizerCause::kCount, fmt::format("more than {} merges", tokenizer_limits::kMerges));
  }
  const auto left_id = token_of(left);
  if (!left_id) return Err{left_id.error()};
  const auto right_id = token_of(right);
  if (!right_id) return Err{right_id.error()};
  merges_.push_back({left_id.value(), right_id.value()});
  return true;
}

}  // namespace avow::model
