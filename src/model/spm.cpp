// SPDX-License-Identifier: Apache-2.0
#include "model/spm.hpp"

#include <algorithm>

#include "model/unicode.hpp"

namespace avow::model {
namespace {

// The bytes of a character as a number: no two characters share one, nor does a byte that is none.
std::uint64_t key_of(std::string_view character) noexcept {
  std::uint64_t key = 0;
  for (const char byte : character) key = key << 8 | static_cast<std::uint8_t>(byte);
  return key;
}

std::string_view take_character(std::string_view& text) noexcept {
  const std::string_view character = text.substr(0, first_char(text).size_bytes);
  text.remove_prefix(character.size());
  return character;
}

}  // namespace

CharacterPairs::CharacterPairs(std::span<const std::string> tokens, std::span<const TokenId> ids) {
  for (const TokenId id : ids) {
    std::string_view rest = tokens[id];
    for (std::uint64_t last = key_of(take_character(rest)); !rest.empty();) {
      const std::uint64_t next = key_of(take_character(rest));
      if (last < 128 && next < 128) {
        ascii_.set(last * 128 + next);
      } else {
        pairs_.push_back(last << 32 | next);
      }
      last = next;
    }
  }
  std::sort(pairs_.begin(), pairs_.end());
  pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
  pairs_.shrink_to_fit();
}

bool CharacterPairs::has(std::uint64_t pair) const noexcept {
  const std::uint64_t first = pair >> 32;
  const std::uint64_t second = pair & 0xffffffff;
  if (first < 128 && second < 128) return ascii_[first * 128 + second];
  return std::binary_search(pairs_.begin(), pairs_.end(), pair);
}

std::size_t CharacterPairs::first_segment(std::string_view text) const noexcept {
  std::string_view rest = text;
  std::uint64_t last = key_of(take_character(rest));
  while (!rest.empty()) {
    std::string_view behind = rest;
    const std::uint64_t next = key_of(take_character(behind));
    if (!has(last << 32 | next)) break;
    last = next;
    rest = behind;
  }
  return text.size() - rest.size();
}

std::vector<std::uint32_t> spm_priorities(std::span<const std::uint32_t> scores) {
  std::vector<std::uint32_t> priorities;
  // Bits of positive numbers grow with the number, those of negative ones fall.
  for (const std::uint32_t bits : scores) {
    const std::uint32_t rising = (bits >> 31) != 0 ? ~bits : bits | 0x80000000;
    priorities.push_back(~rising);
  }
  return priorities;
}

void UnusedSplits::resolve(std::string_view text, const TokenIndex& index, std::span<const TokenType> types,
                           std::vector<Symbol>& symbols) const {
  if (left_size_.empty()) return;
  std::vector<Symbol> out;
  std::vector<Symbol> open;
  for (const Symbol& symbol : symbols) {
    open.push_back(symbol);
    while (!open.empty()) {
      const Symbol top = open.back();
      open.pop_back();
      const bool unused = top.id != kNoToken && types[top.id] == TokenType::kUnused;
      const auto split = unused ? left_size_.find(top.id) : left_size_.end();
      if (split == left_size_.end()) {
        out.push_back(top);
        continue;
      }
      const std::uint32_t size = split->second;
      const auto part = [&](std::uint32_t begin, std::uint32_t bytes) {
        return Symbol{begin, bytes, index.find(text.substr(begin, bytes)).value_or(kNoToken)};
      };
      open.push_back(part(top.begin + size, top.size - size));
      open.push_back(part(top.begin, size));
    }
  }
  symbols = std::move(out);
}

std::optional<Merged> SpmLookUp::operator()(const Symbol& left, const Symbol& right) const {
  const auto id = index_->find(text_.substr(left.begin, std::size_t{left.size} + right.size));
  if (!id) return std::nullopt;
  if (types_[*id] == TokenType::kUnused) splits_->note(*id, left.size);
  return Merged{priorities_[*id], *id};
}

}  // namespace avow::model
