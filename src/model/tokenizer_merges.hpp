// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "model/tokenizer_data.hpp"
#include "model/tokenizer_error.hpp"
#include "model/tokenizer_index.hpp"

namespace avow::model {

/// Turns the normal and unused tokens of a byte-level vocabulary from a file's byte alphabet into their bytes. One type
/// for each token.
[[nodiscard]] base::Result<bool, TokenizerError> decode_byte_alphabet(TokenizerData& data);

/// Merges as files write them: pairs of tokens by their text, in the byte alphabet if the vocabulary is byte-level.
/// Refers to the data, whose tokens are decoded already.
class MergeReader {
 public:
  explicit MergeReader(const TokenizerData& data);

  /// The two parts with a space between them.
  [[nodiscard]] base::Result<bool, TokenizerError> add(std::string_view merge);
  [[nodiscard]] base::Result<bool, TokenizerError> add(std::string_view left, std::string_view right);
  [[nodiscard]] std::vector<Merge> take() { return std::move(merges_); }

 private:
  [[nodiscard]] base::Result<TokenId, TokenizerError> token_of(std::string_view text) const;

  const TokenizerData& data_;
  TokenIndex index_;
  std::vector<Merge> merges_;
};

}  // namespace avow::model
