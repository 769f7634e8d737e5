// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_special.hpp"

#include <algorithm>
#include <utility>

namespace avow::model {

SpecialTokens::SpecialTokens(std::span<const std::string> tokens, std::vector<TokenId> ids)
    : tokens_(tokens), sorted_(std::move(ids)) {
  std::sort(sorted_.begin(), sorted_.end(), [&](TokenId a, TokenId b) { return tokens[a] < tokens[b]; });
  for (const TokenId id : sorted_) ++by_first_.at(std::size_t{static_cast<std::uint8_t>(tokens[id][0])} + 1);
  for (std::size_t b = 1; b < by_first_.size(); ++b) by_first_.at(b) += by_first_.at(b - 1);
}

std::optional<TokenId> SpecialTokens::longest_at(std::string_view text) const noexcept {
  const std::size_t first = static_cast<std::uint8_t>(text[0]);
  std::size_t begin = by_first_.at(first);
  std::size_t end = by_first_.at(first + 1);
  std::optional<TokenId> found;
  // [begin, end): the tokens whose first `depth` bytes are those of the text.
  for (std::size_t depth = 1; begin < end; ++depth) {
    if (tokens_[sorted_[begin]].size() == depth) found = sorted_[begin++];
    if (begin == end || depth == text.size()) break;
    const auto byte_of = [&](TokenId id) { return static_cast<std::uint8_t>(tokens_[id][depth]); };
    const auto wanted = static_cast<std::uint8_t>(text[depth]);
    if (byte_of(sorted_[begin]) == wanted && byte_of(sorted_[end - 1]) == wanted) continue;
    const auto from = sorted_.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = sorted_.begin() + static_cast<std::ptrdiff_t>(end);
    const auto low = std::partition_point(from, to, [&](TokenId id) { return byte_of(id) < wanted; });
    const auto high = std::partition_point(low, to, [&](TokenId id) { return byte_of(id) == wanted; });
    begin = static_cast<std::size_t>(low - sorted_.begin());
    end = static_cast<std::size_t>(high - sorted_.begin());
  }
  return found;
}

std::optional<SpecialTokens::Match> SpecialTokens::find(std::string_view text, std::size_t from) const noexcept {
  if (sorted_.empty()) return std::nullopt;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (const auto id = longest_at(text.substr(i))) return Match{i, *id};
  }
  return std::nullopt;
}

}  // namespace avow::model
