// SPDX-License-Identifier: Apache-2.0
#include "model/chat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "model/unicode.hpp"

namespace avow::model {
namespace {

using base::Err;
using ChatChecked = base::Result<bool, TokenizerError>;

Err<TokenizerError> no_chat(TokenizerCause cause, std::string text) { return {TokenizerError{cause, std::move(text)}}; }

// What a template writes, piece by piece.
struct ChatPart {
  enum class Kind : std::uint8_t {
    kText,     // by the template
    kContent,  // by whoever wrote the message
    kMarker,
    kBos,
    kEos,
  };
  Kind kind;
  std::string text;
};
using Kind = ChatPart::Kind;
using Parts = std::vector<ChatPart>;

// Every marker that a family has, whether or not these messages need it.
std::vector<std::string_view> markers_of(ChatFamily family) {
  switch (family) {
    case ChatFamily::kChatMl:
      return {"<|im_start|>", "<|im_end|>"};
    case ChatFamily::kLlama2:
      return {"[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"};
    case ChatFamily::kLlama3:
      return {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"};
    case ChatFamily::kPhi3:
      return {"<|system|>", "<|user|>", "<|assistant|>", "<|end|>"};
    case ChatFamily::kZephyr:
      return {"<|system|>", "<|user|>", "<|assistant|>"};
  }
  return {};
}

const char* role_name(ChatRole role) {
  switch (role) {
    case ChatRole::kSystem:
      return "system";
    case ChatRole::kUser:
      return "user";
    case ChatRole::kAssistant:
      return "assistant";
  }
  return "";
}

// Python's str.strip() takes away four control characters besides white space.
enum class Stripped : std::uint8_t { kWhiteSpace, kPython };
bool is_stripped(std::uint32_t code_point, Stripped what) {
  if (what == Stripped::kPython && code_point >= 0x1c && code_point <= 0x1f) return true;
  return char_class(code_point) == CharClass::kSpace;
}

std::string_view left_stripped(std::string_view text, Stripped what) {
  while (!text.empty()) {
    const Char c = first_char(text);
    if (!is_stripped(c.code_point, what)) break;
    text.remove_prefix(c.size_bytes);
  }
  return text;
}

std::string python_stripped(std::string_view text) {
  text = left_stripped(text, Stripped::kPython);
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Char c = first_char(text.substr(at));
    at += c.size_bytes;
    if (!is_stripped(c.code_point, Stripped::kPython)) end = at;
  }
  return std::string(text.substr(0, end));
}

ChatChecked check_messages(const ChatTemplate& chat_template, std::span<const ChatMessage> messages) {
  std::size_t first = 0;
  if (!messages.empty() && messages[0].role == ChatRole::kSystem) {
    if (!chat_template.has_system) {
      return no_chat(TokenizerCause::kMessages, "the chat template has no place for the system's message");
    }
    first = 1;
  }
  const auto turns = messages.subspan(first);
  if (turns.size() % 2 != 1) return no_chat(TokenizerCause::kMessages, "the last message is not the user's");
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const ChatRole due = i % 2 == 0 ? ChatRole::kUser : ChatRole::kAssistant;
    if (turns[i].role == due) continue;
    return no_chat(TokenizerCause::kMessages, fmt::format("message {} is by the {}, where it is the turn of the {}",
                                                          first + i, role_name(turns[i].role), role_name(due)));
  }
  return true;
}

Parts chatml_parts(const ChatTemplate& chat_template, std::span<const ChatMessage> messages) {
  Parts parts;
  const auto put = [&](const char* role, Kind kind, const std::string& text) {
    parts.push_back({Kind::kMarker, "<|im_start|>"});
    parts.push_back({Kind::kText, fmt::format("{}\n", role)});
    parts.push_back({kind, text});
    parts.push_back({Kind::kMarker, "<|im_end|>"});
    parts.push_back({Kind::kText, "\n"});
  };
  const bool spoken = messages[0].role == ChatRole::kSystem;
  if (!spoken && !chat_template.default_system.empty()) put("system", Kind::kText, chat_template.default_system);
  for (const ChatMessage& message : messages) put(role_name(message.role), Kind::kContent, message.text);
  parts.push_back({Kind::kMarker, "<|im_start|>"});
  parts.push_back({Kind::kText, "assistant\n"});
  return parts;
}

// The system's message is a part of the user's first one, and white space around both is taken away.
Parts llama2_parts(std::span<const ChatMessage> messages) {
  Parts parts;
  const bool spoken = messages[0].role == ChatRole::kSystem;
  for (std::size_t i = spoken ? 1 : 0; i < messages.size(); ++i) {
    if (messages[i].role == ChatRole::kAssistant) {
      parts.push_back({Kind::kText, " "});
      parts.push_back({Kind::kContent, python_stripped(messages[i].text)});
      parts.push_back({Kind::kText, " "});
      parts.push_back({Kind::kEos, {}});
      continue;
    }
    parts.push_back({Kind::kBos, {}});
    parts.push_back({Kind::kMarker, "[INST]"});
    parts.push_back({Kind::kText, " "});
    if (spoken && i == 1) {
      parts.push_back({Kind::kMarker, "<<SYS>>"});
      parts.push_back({Kind::kText, "\n"});
      parts.push_back({Kind::kContent, messages[0].text});
      parts.push_back({Kind::kText, "\n"});
      parts.push_back({Kind::kMarker, "<</SYS>>"});
      // The message's end is stripped together with these line breaks, its beginning is not.
      const std::string rest = python_stripped("x" + messages[i].text).substr(1);
      if (rest.empty()) {
        parts.push_back({Kind::kText, " "});
      } else {
        parts.push_back({Kind::kText, "\n\n"});
        parts.push_back({Kind::kContent, rest});
        parts.push_back({Kind::kText, " "});
      }
    } else {
      parts.push_back({Kind::kContent, python_stripped(messages[i].text)});
      parts.push_back({Kind::kText, " "});
    }
    parts.push_back({Kind::kMarker, "[/INST]"});
  }
  return parts;
}

Parts llama3_parts(std::span<const ChatMessage> messages) {
  Parts parts;
  const auto put_role = [&](const char* role) {
    parts.push_back({Kind::kMarker, "<|start_header_id|>"});
    parts.push_back({Kind::kText, role});
    parts.push_back({Kind::kMarker, "<|end_header_id|>"});
    parts.push_back({Kind::kText, "\n\n"});
  };
  for (const ChatMessage& message : messages) {
    put_role(role_name(message.role));
    parts.push_back({Kind::kContent, python_stripped(message.text)});
    parts.push_back({Kind::kMarker, "<|eot_id|>"});
  }
  put_role("assistant");
  return parts;
}

// Phi-3 and Zephyr differ in what ends a message.
Parts named_parts(std::span<const ChatMessage> messages, const ChatPart& end) {
  Parts parts;
  const auto put_role = [&](ChatRole role) {
    parts.push_back({Kind::kMarker, fmt::format("<|{}|>", role_name(role))});
    parts.push_back({Kind::kText, "\n"});
  };
  for (const ChatMessage& message : messages) {
    put_role(message.role);
    parts.push_back({Kind::kContent, message.text});
    parts.push_back(end);
    parts.push_back({Kind::kText, "\n"});
  }
  put_role(ChatRole::kAssistant);
  return parts;
}

base::Result<Parts, TokenizerError> parts_of(const ChatTemplate& chat_template, std::span<const ChatMessage> messages) {
  if (ChatChecked checked = check_messages(chat_template, messages); !checked) return Err{checked.error()};
  switch (chat_template.family) {
    case ChatFamily::kChatMl:
      return chatml_parts(chat_template, messages);
    case ChatFamily::kLlama2:
      return llama2_parts(messages);
    case ChatFamily::kLlama3:
      return llama3_parts(messages);
    case ChatFamily::kPhi3:
      return named_parts(messages, {Kind::kMarker, "<|end|>"});
    case ChatFamily::kZephyr:
      return named_parts(messages, {Kind::kEos, {}});
  }
  return no_chat(TokenizerCause::kTemplate, "no such chat template");
}

// Which tokens the markers of a family are, and which tokens no message may become.
class ChatTokens {
 public:
  ChatTokens(const TokenizerData& data, ChatFamily family) : markers_(markers_of(family)) {
    for (TokenId id = 0; id < data.tokens.size(); ++id) {
      const bool control = data.types[id] == TokenType::kControl;
      if (!control && data.types[id] != TokenType::kUserDefined) continue;
      const std::string& token = data.tokens[id];
      const bool is_marker = std::find(markers_.begin(), markers_.end(), token) != markers_.end();
      if (is_marker) ids_[token] = id;
      if (id == data.unknown && !is_marker) continue;  // what it stands for is nobody's words
      if (is_marker || control || (token.front() == '<' && token.back() == '>')) barred_.push_back(id);
    }
    for (const auto& end : {data.bos, data.eos}) {
      if (end) barred_.push_back(*end);
    }
  }

  [[nodiscard]] std::optional<TokenId> id_of(const std::string& marker) const {
    const auto at = ids_.find(marker);
    return at == ids_.end() ? std::nullopt : std::optional(at->second);
  }
  [[nodiscard]] const std::vector<TokenId>& barred() const { return barred_; }

  // A message that contains what is a marker by its text alone could speak in the name of another.
  [[nodiscard]] ChatChecked check(const std::string& content) const {
    for (const std::string_view marker : markers_) {
      if (id_of(std::string(marker)) || content.find(marker) == std::string::npos) continue;
      return no_chat(TokenizerCause::kMarker,
                     fmt::format("a message contains {}, a part of the chat template", shown_bytes(marker)));
    }
    return true;
  }

 private:
  std::vector<std::string_view> markers_;
  std::map<std::string, TokenId> ids_;
  std::vector<TokenId> barred_;
};

// Texts side by side are one text: what the tokenizer makes of it depends on the whole.
void put_text(std::vector<PromptPiece>& pieces, std::string_view text) {
  if (pieces.empty() || pieces.back().token) pieces.emplace_back();
  pieces.back().text += text;
}

}  // namespace

base::Result<std::vector<TokenId>, TokenizerError> encode_chat(const Tokenizer& tokenizer,
                                                               const ChatTemplate& chat_template,
                                                               std::span<const ChatMessage> messages,
                                                               const ChatOptions& options) {
  const auto parts = parts_of(chat_template, messages);
  if (!parts) return Err{parts.error()};
  const TokenizerData& data = tokenizer.data();
  const ChatTokens tokens(data, chat_template.family);
  const bool own_bos = chat_template.family == ChatFamily::kLlama2;
  std::vector<PromptPiece> pieces;
  if (!own_bos && chat_template.writes_bos) {
    if (!data.bos) return no_chat(TokenizerCause::kNoSpecial, "the vocabulary has no beginning token");
    pieces.push_back({data.bos, {}});
  }
  for (const ChatPart& part : parts.value()) {
    if (part.kind == Kind::kBos || part.kind == Kind::kEos) {
      const auto& id = part.kind == Kind::kBos ? data.bos : data.eos;
      if (!id) return no_chat(TokenizerCause::kNoSpecial, "the vocabulary lacks the beginning or the end token");
      pieces.push_back({id, {}});
      continue;
    }
    if (part.kind == Kind::kContent) {
      if (ChatChecked checked = tokens.check(part.text); !checked) return Err{checked.error()};
    }
    const auto id = part.kind == Kind::kMarker ? tokens.id_of(part.text) : std::nullopt;
    if (id) {
      pieces.push_back({id, {}});
    } else {
      put_text(pieces, part.text);
    }
  }
  if (chat_template.family == ChatFamily::kPhi3) {
    // Phi-3's own tokenizer swallows white space behind special tokens.
    for (std::size_t i = 1; i < pieces.size(); ++i) {
      if (!pieces[i].token && pieces[i - 1].token) {
        pieces[i].text = std::string(left_stripped(pieces[i].text, Stripped::kWhiteSpace));
      }
    }
  }
  auto ids = tokenizer.encode_pieces(pieces, tokens.barred(), options.unencodable);
  if (!ids) return ids;
  if (!own_bos && !chat_template.writes_bos && data.add_bos) ids.value().insert(ids.value().begin(), *data.bos);
  if (ids.value().size() > options.max_tokens) {
    return no_chat(TokenizerCause::kTooManyTokens,
                   fmt::format("{} tokens, at most {}", ids.value().size(), options.max_tokens));
  }
  return ids;
}

base::Result<std::string, TokenizerError> chat_text(const ChatTemplate& chat_template,
                                                    std::span<const ChatMessage> messages, std::string_view bos,
                                                    std::string_view eos) {
  const auto parts = parts_of(chat_template, messages);
  if (!parts) return Err{parts.error()};
  std::string out;
  if (chat_template.writes_bos && chat_template.family != ChatFamily::kLlama2) out += bos;
  for (const ChatPart& part : parts.value()) {
    if (part.kind == Kind::kBos) out += bos;
    if (part.kind == Kind::kEos) out += eos;
    out += part.text;
  }
  return out;
}

}  // namespace avow::model
