// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/bpe.hpp"
#include "model/tokenizer_index.hpp"

namespace avow::model {

/// Scores as priorities: the higher a score, given as the bits of a binary32 that is no NaN, the lower its priority.
[[nodiscard]] std::vector<std::uint32_t> spm_priorities(std::span<const std::uint32_t> scores);

/// Which characters stand side by side in a token. No merge joins any others, so a text falls into segments that can be
/// merged one by one, in memory that stays in the cache, with the same outcome as the whole.
class CharacterPairs {
 public:
  CharacterPairs() = default;
  /// The pairs in the tokens with the given ids.
  CharacterPairs(std::span<const std::string> tokens, std::span<const TokenId> ids);

  /// The size of the first segment, 1 to text.size(); the text is not empty.
  [[nodiscard]] std::size_t first_segment(std::string_view text) const noexcept;

 private:
  [[nodiscard]] bool has(std::uint64_t pair) const noexcept;

  std::vector<std::uint64_t>
      pairs_;  // sorted: the bytes of both characters, the first one in the upper half, not both below 0x80
  std::bitset<128 * 128> ascii_;  // those of two characters below 0x80
};

/// SentencePiece merges through unused tokens and then takes them apart again. Where each one would be cut is what the
/// last pair that could become it says.
class UnusedSplits {
 public:
  /// `id`, an unused token, could be made of a left part of this size.
  void note(TokenId id, std::uint32_t left_size) { left_size_[id] = left_size; }
  /// Takes every symbol that is an unused token apart, down to other tokens or single characters.
  void resolve(std::string_view text, const TokenIndex& index, std::span<const TokenType> types,
               std::vector<Symbol>& symbols) const;

 private:
  std::map<TokenId, std::uint32_t> left_size_;
};

/// What two neighbours become in SentencePiece's BPE: the token of their joined bytes, if there is one.
class SpmLookUp {
 public:
  SpmLookUp(std::string_view text, const TokenIndex& index, std::span<const std::uint32_t> priorities,
            std::span<const TokenType> types, UnusedSplits& splits) noexcept
      : text_(text), index_(&index), priorities_(priorities), types_(types), splits_(&splits) {}

  std::optional<Merged> operator()(const Symbol& left, const Symbol& right) const;

 private:
  std::string_view text_;
  const TokenIndex* index_;
  std::span<const std::uint32_t> priorities_;
  std::span<const TokenType> types_;
  UnusedSplits* splits_;
};

}  // namespace avow::model
