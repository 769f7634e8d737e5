// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "model/tokenizer_data.hpp"
#include "model/tokenizer_error.hpp"

namespace avow::model {

/// What a tokenizer.json does to text before the merges: its normalizer and pre_tokenizer.
struct TextSteps {
  TokenizerKind kind = TokenizerKind::kCharacterBpe;
  PreTokenizer pre_tokenizer = PreTokenizer::kNone;
  SpacePrefix space_prefix = SpacePrefix::kNever;
  bool to_nfc = false;
};
[[nodiscard]] base::Result<TextSteps, TokenizerError> read_text_steps(const nlohmann::json& root);

/// What it puts before and behind the ids: its post_processor.
struct EndSteps {
  std::optional<TokenId> bos;
  std::optional<TokenId> eos;
};
[[nodiscard]] base::Result<EndSteps, TokenizerError> read_end_steps(const nlohmann::json& root);

/// The beginning of a value's text, for an error.
[[nodiscard]] std::string shown(const nlohmann::json& value);

}  // namespace avow::model
