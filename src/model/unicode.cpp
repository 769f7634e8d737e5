// SPDX-License-Identifier: Apache-2.0
#include "model/unicode.hpp"

#include <algorithm>
#include <array>

namespace avow::model {
namespace {

constexpr auto kRanges = std::to_array<std::uint32_t>({
#include "model/unicode_ranges.inc"
});

CharClass look_up(std::uint32_t code_point) noexcept {
  const auto* after = std::upper_bound(kRanges.begin(), kRanges.end(), code_point * 8 + 7);
  return static_cast<CharClass>(*(after - 1) & 7);
}

// Classes of the first code points, where most text lives.
constexpr std::uint32_t kDirect = 0x800;
const std::array<CharClass, kDirect>& direct_classes() noexcept {
  static const auto kClasses = [] {
    std::array<CharClass, kDirect> out{};
    for (std::uint32_t c = 0; c < kDirect; ++c) out[c] = look_up(c);
    return out;
  }();
  return kClasses;
}

// What a first byte says: the size of its character, and the range of the second byte that rules out overlong forms,
// surrogates and values above 0x10ffff (Unicode 14.0, table 3-7).
struct Lead {
  std::uint32_t size;
  std::uint8_t second_min;
  std::uint8_t second_max;
};
Lead lead_of(std::uint8_t byte) noexcept {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xc2) return {0, 0, 0};
  if (byte < 0xe0) return {2, 0x80, 0xbf};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};
  if (byte == 0xed) return {3, 0x80, 0x9f};
  if (byte < 0xf0) return {3, 0x80, 0xbf};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte < 0xf4) return {4, 0x80, 0xbf};
  if (byte == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

std::uint8_t byte_at(std::string_view text, std::size_t i) noexcept { return static_cast<std::uint8_t>(text[i]); }

// How many of the character's bytes the text has, as far as they are well-formed.
std::size_t matching_bytes(std::string_view text, const Lead& lead) noexcept {
  std::size_t n = 1;
  while (n < lead.size && n < text.size()) {
    const std::uint8_t b = byte_at(text, n);
    if (b < (n == 1 ? lead.second_min : 0x80) || b > (n == 1 ? lead.second_max : 0xbf)) break;
    ++n;
  }
  return n;
}

}  // namespace

CharClass char_class(std::uint32_t code_point) noexcept {
  if (code_point < kDirect) return direct_classes()[code_point];
  if (code_point >= 0x110000) return CharClass::kUnassigned;
  return look_up(code_point);
}

Char first_char(std::string_view text) noexcept {
  const std::uint8_t first = byte_at(text, 0);
  if (first < 0x80) return {first, 1};
  const Lead lead = lead_of(first);
  if (lead.size == 0 || matching_bytes(text, lead) < lead.size) return {kInvalidCodePoint, 1};
  std::uint32_t code_point = first & (0x7fu >> lead.size);
  for (std::size_t i = 1; i < lead.size; ++i) code_point = (code_point << 6) | (byte_at(text, i) & 0x3fu);
  return {code_point, lead.size};
}

std::size_t unfinished_suffix(std::string_view text) noexcept {
  for (std::size_t n = 1; n <= std::min<std::size_t>(3, text.size()); ++n) {
    const std::string_view tail = text.substr(text.size() - n);
    const Lead lead = lead_of(byte_at(tail, 0));
    if (lead.size > n && matching_bytes(tail, lead) == n) return n;
  }
  return 0;
}

}  // namespace avow::model
