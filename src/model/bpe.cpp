// SPDX-License-Identifier: Apache-2.0
#include "model/bpe.hpp"

#include <algorithm>

namespace avow::model {

MergeTable::MergeTable(std::span<const Merge> merges, std::span<const TokenId> results, std::size_t token_count)
    : first_(token_count + 1, 0), entries_(merges.size()) {
  for (const Merge& merge : merges) ++first_[merge.left + 1];
  for (std::size_t i = 0; i < token_count; ++i) first_[i + 1] += first_[i];
  std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    entries_[next[merges[rank].left]++] = {merges[rank].right, {static_cast<std::uint32_t>(rank), results[rank]}};
  }
  for (std::size_t i = 0; i < token_count; ++i) {
    std::sort(entries_.begin() + first_[i], entries_.begin() + first_[i + 1],
              [](const Entry& a, const Entry& b) { return a.right < b.right; });
  }
}

std::optional<Merged> MergeTable::find(TokenId left, TokenId right) const noexcept {
  if (left == kNoToken || right == kNoToken) return std::nullopt;
  const auto begin = entries_.begin() + first_[left];
  const auto end = entries_.begin() + first_[left + 1];
  const auto at =
      std::lower_bound(begin, end, right, [](const Entry& entry, TokenId wanted) { return entry.right < wanted; });
  if (at == end || at->right != right) return std::nullopt;
  return at->merged;
}

namespace {
// std::push_heap keeps the greatest in front: greater is what is merged earlier.
constexpr auto kLater = [](const auto& a, const auto& b) {
  return a.priority != b.priority ? a.priority > b.priority : a.left > b.left;
};
}  // namespace

void Merger::push(const Candidate& candidate) {
  heap_.push_back(candidate);
  std::push_heap(heap_.begin(), heap_.end(), kLater);
}

Merger::Candidate Merger::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), kLater);
  const Candidate top = heap_.back();
  heap_.pop_back();
  return top;
}

}  // namespace avow::model
