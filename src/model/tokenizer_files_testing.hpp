// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/tokenizer.hpp"

namespace avow::model {

/// The whole file; aborts if it cannot be read.
[[nodiscard]] std::string read_file(const std::string& path);

/// The folder of vocabularies and texts that are too large for the repository, with a final slash: $AVOW_SHARED, or
/// `shared` beside the source tree. Empty if there is none.
[[nodiscard]] std::string shared_folder();

/// The tokenizer of a GGUF file or a tokenizer.json; a failure of the test and an abort if there is none.
[[nodiscard]] Tokenizer tokenizer_of_gguf(const std::string& path);
[[nodiscard]] Tokenizer tokenizer_of_json(const std::string& text);

/// The ids, or the error as a failure of the test.
[[nodiscard]] std::vector<TokenId> ids_of(const Tokenizer& tokenizer, std::string_view text,
                                          const EncodeOptions& options = {});
/// The text of ids, likewise.
[[nodiscard]] std::string text_of(const Tokenizer& tokenizer, const std::vector<TokenId>& ids);

/// A byte-level vocabulary: the 256 bytes, what the merges yield, and <|end|> as the last token.
[[nodiscard]] TokenizerData byte_level_data(const std::vector<std::pair<std::string, std::string>>& merges);

/// SentencePiece's BPE: <unk>, <s>, </s>, the 256 byte tokens if asked for, U+2581, then the tokens with falling
/// scores.
[[nodiscard]] TokenizerData spm_data(const std::vector<std::string>& tokens, bool with_bytes);

}  // namespace avow::model
