// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/tokenizer_data.hpp"

namespace avow::model {

/// No token: a character that only longer tokens contain.
inline constexpr TokenId kNoToken = 0xffffffff;

/// A piece of a text during merging: an entry of a doubly linked list that starts at entry 0. A symbol that was merged
/// into its left neighbour has size 0 and is in the list no more.
struct Symbol {
  std::uint32_t begin;  ///< in bytes
  std::uint32_t size;
  TokenId id;
};

/// What two neighbours become, and how early: lower priorities first.
struct Merged {
  std::uint32_t priority;
  TokenId id;
};

/// The merges of a vocabulary by their two sides.
class MergeTable {
 public:
  MergeTable() = default;
  /// results[i] is what merges[i] yields; all ids are below token_count, no merge occurs twice.
  MergeTable(std::span<const Merge> merges, std::span<const TokenId> results, std::size_t token_count);

  /// The merge of two tokens; kNoToken has none.
  [[nodiscard]] std::optional<Merged> find(TokenId left, TokenId right) const noexcept;

 private:
  struct Entry {
    TokenId right;
    Merged merged;
  };
  std::vector<std::uint32_t> first_;  // entries of left token i: [first_[i], first_[i + 1]), by right token
  std::vector<Entry> entries_;
};

/// Merging of the symbols of one text with a heap: again and again the pair of neighbours with the lowest priority, of
/// equal ones the leftmost. n symbols take O(n log n) steps and look-ups. Keeps its memory from text to text; for one
/// thread.
class Merger {
 public:
  /// The symbols, in order and adjacent; look_up(left, right) -> optional<Merged>. What is left is in `symbols`, in
  /// order.
  template <typename LookUp>
  void merge(std::vector<Symbol>& symbols, const LookUp& look_up);

 private:
  struct Candidate {
    std::uint32_t priority;
    std::uint32_t left;
    std::uint32_t right;
    std::uint32_t size;
    TokenId id;
  };
  struct Neighbours {
    std::uint32_t previous;
    std::uint32_t next;
  };
  static constexpr std::uint32_t kEnd = 0xffffffff;

  void push(const Candidate& candidate);
  Candidate pop();

  std::vector<Candidate> heap_;
  std::vector<Neighbours> links_;
};

/// The same by trying every pair before each merge. The reference.
template <typename LookUp>
void merge_ref(std::vector<Symbol>& symbols, const LookUp& look_up) {
  for (;;) {
    std::size_t best = symbols.size();
    Merged merged{};
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const std::optional<Merged> found = look_up(symbols[i], symbols[i + 1]);
      if (!found || (best != symbols.size() && found->priority >= merged.priority)) continue;
      best = i;
      merged = *found;
    }
    if (best == symbols.size()) return;
    symbols[best].size += symbols[best + 1].size;
    symbols[best].id = merged.id;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

template <typename LookUp>
void Merger::merge(std::vector<Symbol>& symbols, const LookUp& look_up) {
  const auto count = static_cast<std::uint32_t>(symbols.size());
  links_.resize(count);
  heap_.clear();
  const auto consider = [&](std::uint32_t left, std::uint32_t right) {
    if (left == kEnd || right == kEnd) return;
    const std::optional<Merged> found = look_up(symbols[left], symbols[right]);
    if (found) push({found->priority, left, right, symbols[left].size + symbols[right].size, found->id});
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    links_[i] = {i == 0 ? kEnd : i - 1, i + 1 == count ? kEnd : i + 1};
    if (i > 0) consider(i - 1, i);
  }
  while (!heap_.empty()) {
    const Candidate top = pop();
    Symbol& left = symbols[top.left];
    Symbol& right = symbols[top.right];
    // Symbols only grow, so equal sizes mean that both sides are as they were when the pair was found.
    if (left.size == 0 || right.size == 0 || left.size + right.size != top.size) continue;
    left.size = top.size;
    left.id = top.id;
    right.size = 0;
    const std::uint32_t next = links_[top.right].next;
    links_[top.left].next = next;
    if (next != kEnd) links_[next].previous = top.left;
    consider(links_[top.left].previous, top.left);
    consider(top.left, next);
  }
  std::erase_if(symbols, [](const Symbol& symbol) { return symbol.size == 0; });
}

}  // namespace avow::model
