// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/tokenizer_data.hpp"
#include "model/tokenizer_error.hpp"

namespace avow::model {

/// What the files beside a tokenizer.json say and it does not.
struct TokenizerHints {
  std::optional<TokenId> bos = {};  ///< config.json: bos_token_id
  std::optional<TokenId> eos = {};  ///< config.json: eos_token_id
  std::string chat_template = {};   ///< tokenizer_config.json: chat_template
};

/// The tokenizer of a Hugging Face tokenizer.json: a BPE model, byte-level or with characters and byte fallback, within
/// what spec/tokenizer.md, section 7, lists; anything else is an error that names it. What it returns has yet to pass
/// Tokenizer::create().
[[nodiscard]] base::Result<TokenizerData, TokenizerError> tokenizer_from_json(std::string_view file,
                                                                              const TokenizerHints& hints = {});

}  // namespace avow::model
