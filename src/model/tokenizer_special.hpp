// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer_data.hpp"

namespace avow::model {

/// Searches text for special tokens: the leftmost, and of those that begin there the longest. Linear in the text, times
/// tokenizer_limits::kSpecialBytes. Refers to the tokens: they must outlive it, in place.
class SpecialTokens {
 public:
  struct Match {
    std::size_t begin;
    TokenId id;
  };

  SpecialTokens() = default;
  SpecialTokens(std::span<const std::string> tokens, std::vector<TokenId> ids);

  /// The first match that begins at `from` or later.
  [[nodiscard]] std::optional<Match> find(std::string_view text, std::size_t from) const noexcept;

 private:
  [[nodiscard]] std::optional<TokenId> longest_at(std::string_view text) const noexcept;

  std::span<const std::string> tokens_;
  std::vector<TokenId> sorted_;                // by bytes, so those with a common prefix are neighbours, shortest first
  std::array<std::uint32_t, 257> by_first_{};  // those that start with byte b: [by_first_[b], by_first_[b + 1])
};

}  // namespace avow::model
