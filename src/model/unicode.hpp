// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace avow::model {

/// What the pre-tokenisers distinguish in a code point, after Unicode 14.0: general categories L and N, the property
/// White_Space. The numbers are those of unicode_ranges.inc.
enum class CharClass : std::uint8_t {
  kUnassigned = 0,  ///< category Cn; a later version of Unicode may say otherwise
  kOther = 1,
  kLetter = 2,
  kNumber = 3,
  kSpace = 4,
};

/// The class of a code point; kUnassigned from 0x110000 on.
[[nodiscard]] CharClass char_class(std::uint32_t code_point) noexcept;

/// A byte that is not part of well-formed UTF-8 (overlong forms, surrogates and values above 0x10ffff are not) is a
/// character of its own with this code point, which has no class.
inline constexpr std::uint32_t kInvalidCodePoint = 0xffffffff;

struct Char {
  std::uint32_t code_point;
  std::uint32_t size_bytes;  ///< 1 to 4
};

/// The character at the start of the text, which is not empty.
[[nodiscard]] Char first_char(std::string_view text) noexcept;

/// How many bytes at the end of the text are the beginning of a well-formed character that more bytes could complete: 0
/// to 3.
[[nodiscard]] std::size_t unfinished_suffix(std::string_view text) noexcept;

}  // namespace avow::model
