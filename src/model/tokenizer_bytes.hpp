// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace avow::model {

/// U+2581, which stands for a space in tokens of the kinds kSpm and kCharacterBpe.
inline constexpr std::string_view kSpaceMark = "\xe2\x96\x81";

/// The bytes that a token of a byte-level vocabulary stands for: GPT-2's files write each byte as one printable
/// character (spec/tokenizer.md, section 6). Nothing if a character is not one of the 256.
[[nodiscard]] std::optional<std::string> from_byte_alphabet(std::string_view text);

/// The byte of `<0x00>` to `<0xFF>`, upper-case hexadecimal; nothing for anything else.
[[nodiscard]] std::optional<std::uint8_t> byte_of_token(std::string_view text) noexcept;

/// The text with kSpaceMark for each space, and the reverse.
[[nodiscard]] std::string mark_spaces(std::string_view text);
[[nodiscard]] std::string unmark_spaces(std::string_view text);

}  // namespace avow::model
