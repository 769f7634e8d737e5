// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_bytes.hpp"

#include <array>

#include "model/unicode.hpp"

namespace avow::model {
namespace {

// Bytes that are printable in Latin-1 stand for themselves; the others follow from U+0100 on, in order.
constexpr bool stands_for_itself(std::uint32_t byte) noexcept {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
}

constexpr std::uint16_t kNoByte = 0xffff;
constexpr auto kByteOf = [] {
  std::array<std::uint16_t, 0x144> out{};
  for (auto& entry : out) entry = kNoByte;
  std::uint32_t next = 0x100;
  for (std::uint32_t b = 0; b < 256; ++b) {
    out[stands_for_itself(b) ? b : next++] = static_cast<std::uint16_t>(b);  // NOLINT: constexpr before C++17's at()
  }
  return out;
}();

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> from_byte_alphabet(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Char c = first_char(text);
    if (c.code_point >= kByteOf.size() || kByteOf.at(c.code_point) == kNoByte) return std::nullopt;
    out += static_cast<char>(kByteOf.at(c.code_point));
    text.remove_prefix(c.size_bytes);
  }
  return out;
}

std::optional<std::uint8_t> byte_of_token(std::string_view text) noexcept {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return std::nullopt;
  const int high = hex_digit(text[3]);
  const int low = hex_digit(text[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<std::uint8_t>(high * 16 + low);
}

std::string mark_spaces(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  for (const char c : text) {
    if (c == ' ') {
      out += kSpaceMark;
    } else {
      out += c;
    }
  }
  return out;
}

std::string unmark_spaces(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t mark = text.find(kSpaceMark, at);
    out += text.substr(at, mark - at);
    if (mark == std::string_view::npos) break;
    out += ' ';
    at = mark + kSpaceMark.size();
  }
  return out;
}

}  // namespace avow::model
