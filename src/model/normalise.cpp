// SPDX-License-Identifier: Apache-2.0
#include "model/normalise.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/check.hpp"
#include "model/unicode.hpp"

namespace avow::model {
namespace {

using CodePoints = std::vector<utf8proc_int32_t>;

constexpr auto kOptions = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);

// Code points below U+0300 neither combine nor decompose for form C, and this is the first byte of that one.
constexpr std::uint8_t kFirstLead = 0xcc;

auto combining_class(utf8proc_int32_t code_point) { return utf8proc_get_property(code_point)->combining_class; }

void append_decomposed(CodePoints& out, std::uint32_t code_point) {
  std::array<utf8proc_int32_t, 8> parts{};  // four at most (UAX #15, table 7)
  int boundary_class = 0;
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code_point), parts.data(),
                                             static_cast<utf8proc_ssize_t>(parts.size()), kOptions, &boundary_class);
  AVOW_CHECK(count >= 1 && static_cast<std::size_t>(count) <= parts.size());
  out.insert(out.end(), parts.begin(), parts.begin() + count);
}

// The canonical order: in each run of marks by their class, equal ones as they stand. The library's own way of doing it
// takes time quadratic in a run's length.
void sort_marks(CodePoints& text) {
  for (auto at = text.begin(); at != text.end();) {
    const auto is_starter = [](utf8proc_int32_t code_point) { return combining_class(code_point) == 0; };
    const auto begin = std::find_if_not(at, text.end(), is_starter);
    at = std::find_if(begin, text.end(), is_starter);
    std::stable_sort(begin, at, [](auto left, auto right) { return combining_class(left) < combining_class(right); });
  }
}

// Composes what has been collected and appends it.
void flush(CodePoints& text, std::string& out) {
  if (text.empty()) return;
  sort_marks(text);
  const auto size = utf8proc_normalize_utf32(text.data(), static_cast<utf8proc_ssize_t>(text.size()), kOptions);
  AVOW_CHECK(size >= 0 && static_cast<std::size_t>(size) <= text.size());
  for (utf8proc_ssize_t i = 0; i < size; ++i) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto length = utf8proc_encode_char(text[static_cast<std::size_t>(i)], bytes.data());
    out.append(bytes.begin(), bytes.begin() + length);
  }
  text.clear();
}

}  // namespace

std::string to_nfc(std::string_view text) {
  if (std::none_of(text.begin(), text.end(), [](char c) { return static_cast<std::uint8_t>(c) >= kFirstLead; })) {
    return std::string(text);
  }
  std::string out;
  out.reserve(text.size());
  CodePoints pending;
  while (!text.empty()) {
    const Char c = first_char(text);
    // Nothing combines across what Unicode 14.0 does not know: a starter without compositions (UAX #15, section 3).
    if (c.code_point == kInvalidCodePoint || char_class(c.code_point) == CharClass::kUnassigned) {
      flush(pending, out);
      out += text.substr(0, c.size_bytes);
    } else {
      append_decomposed(pending, c.code_point);
    }
    text.remove_prefix(c.size_bytes);
  }
  flush(pending, out);
  return out;
}

}  // namespace avow::model
