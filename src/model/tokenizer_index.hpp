// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/tokenizer_data.hpp"

namespace avow::model {

/// Tokens by their bytes. A hash only orders the tokens, so that a vocabulary made to collide costs a binary search and
/// no more. Refers to the tokens: they must outlive it, in place.
class TokenIndex {
 public:
  TokenIndex() = default;
  /// The tokens with the given ids.
  TokenIndex(std::span<const std::string> tokens, std::span<const TokenId> ids);

  /// The token with these bytes; of several, the lowest id.
  [[nodiscard]] std::optional<TokenId> find(std::string_view bytes) const noexcept;
  /// Two different ids with the same bytes, the lower one first, if there are such.
  [[nodiscard]] std::optional<std::pair<TokenId, TokenId>> repeated() const;

 private:
  struct Entry {
    std::uint64_t hash;
    TokenId id;
  };
  [[nodiscard]] std::string_view bytes_of(const Entry& entry) const noexcept { return tokens_[entry.id]; }

  std::span<const std::string> tokens_;
  std::vector<Entry> entries_;         // by hash, bytes, id
  std::vector<std::uint32_t> bucket_;  // entries whose hash starts with i: [bucket_[i], bucket_[i + 1])
  unsigned shift_ = 63;
  std::size_t longest_ = 0;
};

}  // namespace avow::model
