// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "model/tokenizer_bytes.hpp"

namespace avow::model {
namespace {

using Checked = base::Result<bool, TokenizerError>;

Checked check_counts(const TokenizerData& data) {
  namespace limits = tokenizer_limits;
  if (data.tokens.empty() || data.tokens.size() > limits::kTokens) {
    return fail(TokenizerCause::kCount, fmt::format("{} tokens", data.tokens.size()));
  }
  if (data.merges.size() > limits::kMerges) {
    return fail(TokenizerCause::kCount, fmt::format("{} merges", data.merges.size()));
  }
  if (data.chat_template.size() > limits::kTemplateBytes) {
    return fail(TokenizerCause::kCount, fmt::format("a chat template of {} bytes", data.chat_template.size()));
  }
  if (data.types.size() != data.tokens.size()) {
    return fail(TokenizerCause::kTypes, fmt::format("{} types, {} tokens", data.types.size(), data.tokens.size()));
  }
  const std::size_t scores = data.kind == TokenizerKind::kSpm ? data.tokens.size() : 0;
  if (data.scores.size() != scores) {
    return fail(TokenizerCause::kScores, fmt::format("{} scores, {} tokens", data.scores.size(), data.tokens.size()));
  }
  return true;
}

Checked check_kind(const TokenizerData& data) {
  const auto kind = static_cast<unsigned>(data.kind);
  const auto pre = static_cast<unsigned>(data.pre_tokenizer);
  const auto prefix = static_cast<unsigned>(data.space_prefix);
  if (kind < 1 || kind > 3) return fail(TokenizerCause::kUnsupported, fmt::format("tokenizer kind {}", kind));
  if (pre > 3) return fail(TokenizerCause::kUnsupported, fmt::format("pre-tokeniser {}", pre));
  if (prefix > 3) return fail(TokenizerCause::kUnsupported, fmt::format("space prefix {}", prefix));
  const bool byte_level = data.kind == TokenizerKind::kByteLevelBpe;
  if (!byte_level && (pre != 0 || data.ignore_merges || data.to_nfc)) {
    return fail(TokenizerCause::kUnsupported,
                "pre-tokenisers, ignore_merges and normalisation are for byte-level vocabularies");
  }
  if (data.kind == TokenizerKind::kSpm && !data.merges.empty()) {
    return fail(TokenizerCause::kUnsupported, "merges beside scores");
  }
  return true;
}

// A token's size, type and score, by itself.
Checked check_token(const TokenizerData& data, TokenId id) {
  const std::string& token = data.tokens[id];
  const TokenType type = data.types[id];
  const auto number = static_cast<unsigned>(type);
  if (number < 1 || number > 6) return fail(TokenizerCause::kTypes, fmt::format("token {} has type {}", id, number));
  const bool special = type == TokenType::kUserDefined || type == TokenType::kControl || type == TokenType::kUnknown;
  const std::size_t most = special ? tokenizer_limits::kSpecialBytes : tokenizer_limits::kTokenBytes;
  if (token.empty() || token.size() > most) {
    return fail(TokenizerCause::kTokenSize, fmt::format("token {} has {} bytes, at most {}", id, token.size(), most));
  }
  if (type == TokenType::kByte && (data.kind == TokenizerKind::kByteLevelBpe || !byte_of_token(token))) {
    return fail(TokenizerCause::kByteTokens, fmt::format("token {}, {}, is no byte token", id, shown_bytes(token)));
  }
  if (data.kind == TokenizerKind::kSpm) {
    const std::uint32_t magnitude = data.scores[id] & 0x7fffffff;
    if (magnitude > 0x7f800000 || data.scores[id] == 0x80000000) {
      return fail(TokenizerCause::kScores, fmt::format("token {} has score bits 0x{:08x}", id, data.scores[id]));
    }
  }
  return true;
}

Checked check_ids(const TokenizerData& data) {
  const auto check = [&](const char* which, const std::optional<TokenId>& id) -> Checked {
    if (!id || *id < data.tokens.size()) return true;
    return fail(TokenizerCause::kIdRange, fmt::format("{} is {} of {} tokens", which, *id, data.tokens.size()));
  };
  for (const auto& [which, id] : {std::pair("the beginning token", data.bos), std::pair("the end token", data.eos),
                                  std::pair("the unknown token", data.unknown)}) {
    if (Checked checked = check(which, id); !checked) return checked;
  }
  if (data.add_bos && !data.bos) return fail(TokenizerCause::kNoSpecial, "add_bos without a beginning token");
  if (data.add_eos && !data.eos) return fail(TokenizerCause::kNoSpecial, "add_eos without an end token");
  return true;
}

// Byte tokens: all or none. With them, a space must have a token, or it would come back as three bytes of U+2581.
Checked check_bytes(const TokenizerData& data) {
  const auto count = std::count(data.types.begin(), data.types.end(), TokenType::kByte);
  if (count == 0) return true;
  if (count != 256) return fail(TokenizerCause::kByteTokens, fmt::format("{} byte tokens of 256", count));
  for (TokenId id = 0; id < data.tokens.size(); ++id) {
    if (data.tokens[id] == kSpaceMark && data.types[id] == TokenType::kNormal) return true;
  }
  return fail(TokenizerCause::kSpaceToken, "byte tokens, but no normal token U+2581 for the space");
}

}  // namespace

bool is_mergeable(TokenizerKind kind, TokenType type) noexcept {
  if (type == TokenType::kNormal) return true;
  return kind == TokenizerKind::kSpm && (type == TokenType::kUserDefined || type == TokenType::kUnused);
}

std::vector<TokenId> mergeable_ids(const TokenizerData& data) {
  std::vector<TokenId> ids;
  for (TokenId id = 0; id < data.types.size(); ++id) {
    if (is_mergeable(data.kind, data.types[id])) ids.push_back(id);
  }
  return ids;
}

Checked check_vocabulary(const TokenizerData& data) {
  if (Checked checked = check_counts(data); !checked) return checked;
  if (Checked checked = check_kind(data); !checked) return checked;
  std::size_t bytes = 0;
  for (TokenId id = 0; id < data.tokens.size(); ++id) {
    if (Checked checked = check_token(data, id); !checked) return checked;
    bytes += data.tokens[id].size();
  }
  if (bytes > tokenizer_limits::kVocabularyBytes) {
    return fail(TokenizerCause::kCount, fmt::format("a vocabulary of {} bytes", bytes));
  }
  if (Checked checked = check_ids(data); !checked) return checked;
  std::vector<TokenId> all(data.tokens.size());
  std::iota(all.begin(), all.end(), 0);
  if (const auto twice = TokenIndex(data.tokens, all).repeated()) {
    return fail(TokenizerCause::kRepeatedToken, fmt::format("tokens {} and {} are both {}", twice->first, twice->second,
                                                            shown_bytes(data.tokens[twice->first])));
  }
  return check_bytes(data);
}

base::Result<std::vector<TokenId>, TokenizerError> merge_results(const TokenizerData& data, const TokenIndex& index) {
  std::vector<TokenId> results;
  std::string joined;
  for (std::size_t rank = 0; rank < data.merges.size(); ++rank) {
    const Merge& merge = data.merges[rank];
    for (const TokenId side : {merge.left, merge.right}) {
      if (side >= data.tokens.size()) {
        return fail(TokenizerCause::kIdRange,
                    fmt::format("merge {} is of token {} of {}", rank, side, data.tokens.size()));
      }
      if (!is_mergeable(data.kind, data.types[side])) {
        return fail(TokenizerCause::kMerge, fmt::format("merge {} is of token {}, which is not normal", rank, side));
      }
    }
    joined = data.tokens[merge.left] + data.tokens[merge.right];
    const auto result = index.find(joined);
    if (!result) {
      return fail(TokenizerCause::kMerge,
                  fmt::format("merge {} yields {}, no normal token", rank, shown_bytes(joined)));
    }
    results.push_back(*result);
  }
  std::vector<std::uint64_t> pairs;
  for (const Merge& merge : data.merges) pairs.push_back(std::uint64_t{merge.left} << 32 | merge.right);
  std::sort(pairs.begin(), pairs.end());
  if (const auto twice = std::adjacent_find(pairs.begin(), pairs.end()); twice != pairs.end()) {
    return fail(TokenizerCause::kRepeatedMerge,
                fmt::format("the merge of tokens {} and {} is there twice", *twice >> 32, *twice & 0xffffffff));
  }
  return results;
}

}  // namespace avow::model
