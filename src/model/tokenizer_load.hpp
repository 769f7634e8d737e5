// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"
#include "model/error.hpp"
#include "model/tokenizer.hpp"

namespace avow::model {

class GgufFile;

/// Why the files of a model give no tokenizer: the file could not be read as what it is, or what it says about its
/// tokenizer is refused.
struct TokenizerFileError {
  std::variant<Cause, TokenizerCause> cause;
  std::string file;
  std::uint64_t offset;  ///< of the value that is wrong; 0 where the reason is no place in the file
  std::string reason;
};

/// `file: offset N: reason`, with the cause's name before the reason if it is one of TokenizerCause.
[[nodiscard]] std::string to_text(const TokenizerFileError& error);

/// The tokenizer of a model as it lies on disk: a GGUF file, or a Hugging Face folder. Of a folder it reads
/// tokenizer.json and, where they are there, bos_token_id and eos_token_id of config.json (of several the first) and
/// the chat template: chat_template.jinja, else chat_template of tokenizer_config.json (of several that with the name
/// "default"). Vocabularies without weights are accepted.
[[nodiscard]] base::Result<Tokenizer, TokenizerFileError> load_tokenizer(const std::string& path);

/// The same of a GGUF file that is open.
[[nodiscard]] base::Result<Tokenizer, TokenizerFileError> load_tokenizer(const GgufFile& gguf);

}  // namespace avow::model
