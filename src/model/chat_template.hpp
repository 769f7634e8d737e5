// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/tokenizer_error.hpp"

namespace avow::model {

/// The forms of conversations that are known (spec/tokenizer.md, section 10).
enum class ChatFamily : std::uint8_t {
  kChatMl = 1,  ///< `<|im_start|>user\n..<|im_end|>\n`
  kLlama2,      ///< `<s>[INST] .. [/INST] .. </s>`
  kLlama3,      ///< `<|start_header_id|>user<|end_header_id|>\n\n..<|eot_id|>`
  kPhi3,        ///< `<|user|>\n..<|end|>\n`
  kZephyr,      ///< `<|user|>\n..</s>\n`; TinyLlama's, too
};

/// "chatml", "llama2", "llama3", "phi3", "zephyr".
[[nodiscard]] const char* name(ChatFamily family) noexcept;

/// A chat template as far as it matters for messages of a system, a user and an assistant.
struct ChatTemplate {
  ChatFamily family = ChatFamily::kChatMl;
  bool has_system = true;           ///< it renders messages of the system
  bool writes_bos = false;          ///< it writes the beginning token itself, whatever add_bos says
  std::string default_system = {};  ///< what the system says where the messages do not begin with it; empty: nothing

  friend bool operator==(const ChatTemplate&, const ChatTemplate&) = default;
};

/// Which form the text of a chat template is. Such a text is a program in Jinja's language; nothing runs it. It is
/// recognised by the expressions that spec/tokenizer.md lists, each of which must be there as it is; kTemplate for
/// anything else.
[[nodiscard]] base::Result<ChatTemplate, TokenizerError> recognise_chat_template(std::string_view text);

}  // namespace avow::model
