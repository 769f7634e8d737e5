// SPDX-License-Identifier: Apache-2.0
#include "model/chat_template.hpp"

#include <fmt/format.h>

#include <optional>

#include "model/tokenizer_data.hpp"

namespace avow::model {
namespace {

base::Err<TokenizerError> no_template(std::string text) {
  return {TokenizerError{TokenizerCause::kTemplate, std::move(text) + "; a plain prompt still works"}};
}

std::string with_replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t found = text.find(from, at);
    out += text.substr(at, found - at);
    if (found == std::string_view::npos) return out;
    out += to;
    at = found + from.size();
  }
}

// Without the spaces on either side of every `sign`.
std::string without_spaces_around(std::string_view text, char sign) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != sign) {
      out += text[at];
      continue;
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += sign;
    while (at + 1 < text.size() && text[at + 1] == ' ') ++at;
  }
  return out;
}

// One way to write what templates write in several: spec/tokenizer.md, section 10.
std::string in_one_form(std::string_view text) {
  std::string out = with_replaced(text, "\\n", "\n");
  out = with_replaced(out, "\"", "'");
  out = with_replaced(out, "['content']", ".content");
  out = with_replaced(out, "['role']", ".role");
  out = without_spaces_around(out, '+');
  out = with_replaced(out, " | trim", "|trim");
  return with_replaced(out, "'+'", "");
}

class TemplateText {
 public:
  explicit TemplateText(std::string_view text) : text_(in_one_form(text)) {}

  template <typename... Parts>
  [[nodiscard]] bool has(const Parts&... parts) const {
    return (... && (text_.find(parts) != std::string::npos));
  }
  template <typename... Parts>
  [[nodiscard]] bool lacks(const Parts&... parts) const {
    return (... && (text_.find(parts) == std::string::npos));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// The system's words between ChatML's markers, if there are such; nothing if they are not plain text,
// or not everywhere the same.
std::optional<std::string> chatml_default(const TemplateText& source) {
  constexpr std::string_view kBegin = "'<|im_start|>system\n";
  constexpr std::string_view kEnd = "<|im_end|>\n'";
  const std::string& text = source.text();
  std::string words;
  for (std::size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at)) {
    at += kBegin.size();
    const std::size_t end = text.find_first_of("'<{}", at);
    if (end == at) continue;
    if (end == std::string::npos || text.compare(end, kEnd.size(), kEnd) != 0) return std::nullopt;
    const std::string found = text.substr(at, end - at);
    if (!words.empty() && words != found) return std::nullopt;
    words = found;
  }
  // Where nothing asks who speaks first, the text would stand there always.
  if (!words.empty() && source.lacks("messages[0].role")) return std::nullopt;
  return words;
}

std::optional<ChatTemplate> as_chatml(const TemplateText& text) {
  if (!text.has("'<|im_start|>'+message.role+'\n'+message.content", "<|im_end|>\n'", "'<|im_start|>assistant\n'") ||
      !text.lacks("<|im_sep|>", "trim", "strip")) {
    return std::nullopt;
  }
  const auto words = chatml_default(text);
  if (!words) return std::nullopt;
  return ChatTemplate{.family = ChatFamily::kChatMl, .default_system = *words};
}

std::optional<ChatTemplate> as_llama2(const TemplateText& text) {
  if (!text.has("'<<SYS>>\n'+system_message+'\n<</SYS>>\n\n'+message.content",
                "bos_token+'[INST] '+content.strip()+' [/INST]'", "' '+content.strip()+' '+eos_token") ||
      !text.lacks("system_message = '", "system_message='")) {
    return std::nullopt;
  }
  return ChatTemplate{.family = ChatFamily::kLlama2};
}

std::optional<ChatTemplate> as_llama3(const TemplateText& text) {
  if (!text.has("'<|start_header_id|>'+message.role+'<|end_header_id|>\n\n'+message.content|trim+'<|eot_id|>'",
                "'<|start_header_id|>assistant<|end_header_id|>\n\n'")) {
    return std::nullopt;
  }
  return ChatTemplate{.family = ChatFamily::kLlama3};
}

std::optional<ChatTemplate> as_phi3(const TemplateText& text) {
  const bool early = text.has("'<|user|>\n'+message.content+'<|end|>\n<|assistant|>\n'", "message.content+'<|end|>\n'");
  const bool late = text.has("'<|user|>\n'+message.content+'<|end|>\n'",
                             "'<|assistant|>\n'+message.content+'<|end|>\n'", "'<|assistant|>\n' }}");
  if ((!early && !late) || !text.lacks("trim", "strip")) return std::nullopt;
  const bool has_system = text.has("'<|system|>\n'+message.content+'<|end|>\n'");
  return ChatTemplate{.family = ChatFamily::kPhi3, .has_system = has_system};
}

// The line break behind each expression is part of what the template writes.
std::optional<ChatTemplate> as_zephyr(const TemplateText& text) {
  if (!text.has("{{ '<|user|>\n'+message.content+eos_token }}\n", "{{ '<|system|>\n'+message.content+eos_token }}\n",
                "{{ '<|assistant|>\n'+message.content+eos_token }}\n", "{{ '<|assistant|>' }}\n") ||
      !text.lacks("trim", "strip")) {
    return std::nullopt;
  }
  return ChatTemplate{.family = ChatFamily::kZephyr};
}

}  // namespace

const char* name(ChatFamily family) noexcept {
  switch (family) {
    case ChatFamily::kChatMl:
      return "chatml";
    case ChatFamily::kLlama2:
      return "llama2";
    case ChatFamily::kLlama3:
      return "llama3";
    case ChatFamily::kPhi3:
      return "phi3";
    case ChatFamily::kZephyr:
      return "zephyr";
  }
  return "unknown";
}

base::Result<ChatTemplate, TokenizerError> recognise_chat_template(std::string_view text) {
  if (text.empty()) return no_template("the model has no chat template");
  if (text.size() > tokenizer_limits::kTemplateBytes) {
    return no_template(fmt::format("a chat template of {} bytes", text.size()));
  }
  const TemplateText source(text);
  // Dates, and thoughts that are cut out of answers, would make other text than the expressions say.
  if (!source.lacks("date_string", "strftime", "<think>")) {
    return no_template("a chat template with dates or thoughts is not supported");
  }
  std::optional<ChatTemplate> found;
  for (const auto as_family : {as_chatml, as_llama2, as_llama3, as_phi3, as_zephyr}) {
    const auto matched = as_family(source);
    if (!matched) continue;
    if (found) return no_template("a chat template of two families");
    found = matched;
  }
  if (!found) return no_template("the chat template is none of chatml, llama2, llama3, phi3, zephyr");
  found->writes_bos = source.has("bos_token");
  return *found;
}

}  // namespace avow::model
