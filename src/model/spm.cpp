// SPDX-License-Identifier: Apache-2.0
#include "model/spm.hpp"

namespace avow::model {

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
