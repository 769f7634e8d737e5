// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace avow::model {

/// How text is cut into words before the merges of a byte-level BPE; spec/tokenizer.md gives the regular expressions.
enum class PreTokenizer : std::uint8_t {
  kNone = 0,    ///< the whole text is one word
  kGpt2 = 1,    ///< GPT-2
  kLlama3 = 2,  ///< LLaMA 3
  kQwen2 = 3,   ///< Qwen2
};

/// The size of the first word, 1 to text.size(); the text is not empty. Words follow each other without gaps. What
/// comes before the text does not matter: none of the expressions looks back.
[[nodiscard]] std::size_t first_word(PreTokenizer kind, std::string_view text) noexcept;

}  // namespace avow::model
