// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/chat_template.hpp"
#include "model/tokenizer.hpp"

namespace avow::model {

enum class ChatRole : std::uint8_t { kSystem, kUser, kAssistant };

struct ChatMessage {
  ChatRole role = ChatRole::kUser;
  std::string text;
};

struct ChatOptions {
  Unencodable unencodable = Unencodable::kRefuse;
  /// More ids are an error: a context that the caller has.
  std::size_t max_tokens = std::numeric_limits<std::size_t>::max();
};

/// The ids of a conversation that the assistant is to go on with: perhaps a message of the system, then user and
/// assistant in turn, the user last (kMessages otherwise). Only the template's own markers become special tokens. A
/// marker's text in a message is text; where the vocabulary has no token for a marker, so that it is text itself, a
/// message that contains it is refused (kMarker).
[[nodiscard]] base::Result<std::vector<TokenId>, TokenizerError> encode_chat(const Tokenizer& tokenizer,
                                                                             const ChatTemplate& chat_template,
                                                                             std::span<const ChatMessage> messages,
                                                                             const ChatOptions& options = {});

/// What the template writes, for people: ids come from encode_chat alone, as here markers and messages look alike. The
/// beginning and the end token are `bos` and `eos`.
[[nodiscard]] base::Result<std::string, TokenizerError> chat_text(const ChatTemplate& chat_template,
                                                                  std::span<const ChatMessage> messages,
                                                                  std::string_view bos, std::string_view eos);

}  // namespace avow::model
