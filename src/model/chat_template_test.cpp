// SPDX-License-Identifier: Apache-2.0
#include "model/chat_template.hpp"

#include <gtest/gtest.h>

#include "model/chat_testing.hpp"
#include "model/tokenizer_data.hpp"

namespace avow::model {
namespace {

ChatTemplate recognised(const std::string& text) {
  const auto found = recognise_chat_template(text);
  EXPECT_TRUE(found.ok()) << found.error().text;
  return found.ok() ? found.value() : ChatTemplate{};
}

std::string without(std::string text, const std::string& part) {
  const auto at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return text.erase(at, part.size());
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

TEST(ChatTemplate, KnowsTheTemplatesOfModelFiles) {
  EXPECT_EQ(recognised(chat_texts::kChatMl), (ChatTemplate{.family = ChatFamily::kChatMl}));
  EXPECT_EQ(recognised(chat_texts::kQwen2),
            (ChatTemplate{.family = ChatFamily::kChatMl, .default_system = "You are a helpful assistant."}));
  EXPECT_EQ(recognised(chat_texts::kLlama2), (ChatTemplate{.family = ChatFamily::kLlama2, .writes_bos = true}));
  EXPECT_EQ(recognised(chat_texts::kLlama3), (ChatTemplate{.family = ChatFamily::kLlama3, .writes_bos = true}));
  EXPECT_EQ(recognised(chat_texts::kPhi3Early),
            (ChatTemplate{.family = ChatFamily::kPhi3, .has_system = false, .writes_bos = true}));
  EXPECT_EQ(recognised(chat_texts::kPhi3), (ChatTemplate{.family = ChatFamily::kPhi3}));
  EXPECT_EQ(recognised(chat_texts::kZephyr), (ChatTemplate{.family = ChatFamily::kZephyr}));
}

TEST(ChatTemplate, KnowsThemInOtherSpellings) {
  for (const char* text : {chat_texts::kChatMl, chat_texts::kQwen2, chat_texts::kLlama2, chat_texts::kLlama3,
                           chat_texts::kPhi3Early, chat_texts::kPhi3}) {
    const ChatTemplate plain = recognised(text);
    EXPECT_EQ(recognised(replaced(text, "\\n", "\n")), plain);
    EXPECT_EQ(recognised(replaced(text, "'", "\"")), plain);
    EXPECT_EQ(recognised(replaced(text, " + ", "+")), plain);
    EXPECT_EQ(recognised(replaced(replaced(text, "['content']", ".content"), "['role']", ".role")), plain);
  }
}

TEST(ChatTemplate, RefusesWhatIsNotWhole) {
  const auto refuses = [](const std::string& text) {
    const auto found = recognise_chat_template(text);
    ASSERT_FALSE(found.ok()) << name(found.value().family) << ": " << text;
    EXPECT_EQ(found.error().cause, TokenizerCause::kTemplate);
    EXPECT_NE(found.error().text.find("plain prompt still works"), std::string::npos);
  };
  refuses("");
  refuses("{{ messages }}");
  refuses(std::string(tokenizer_limits::kTemplateBytes + 1, ' '));
  refuses(without(chat_texts::kChatMl, "'<|im_start|>assistant\\n'"));
  refuses(replaced(chat_texts::kChatMl, "message['content']", "message['content'] | trim"));
  refuses(replaced(chat_texts::kChatMl, "'\\n' + message['content']", "'<|im_sep|>' + message['content']"));
  refuses(std::string(chat_texts::kChatMl) + "{% if '<think>' in content %}");
  refuses(std::string(chat_texts::kChatMl) + chat_texts::kZephyr);
  // A default of the system that always stands there, one that is cut, and two of them.
  refuses(without(chat_texts::kQwen2, "messages[0]['role'] != 'system'"));
  refuses(replaced(chat_texts::kQwen2, "You are a helpful assistant.", "It's a helpful assistant."));
  refuses(std::string(chat_texts::kQwen2) + "{{ '<|im_start|>system\\nNo.<|im_end|>\\n' }}");
  refuses(replaced(chat_texts::kLlama2, ".strip()", ""));
  refuses(without(chat_texts::kLlama2, "bos_token + "));
  refuses(without(chat_texts::kLlama2, " + ' ' + eos_token"));
  refuses(replaced(chat_texts::kLlama2, "set system_message = false", "set system_message = 'You are honest.'"));
  refuses(without(chat_texts::kLlama3, " | trim"));
  refuses(std::string(chat_texts::kLlama3) + "{{ date_string }}");
  refuses(replaced(chat_texts::kPhi3, "<|end|>", "<|over|>"));
  refuses(replaced(chat_texts::kZephyr, " }}\n", " }}"));
  refuses(without(chat_texts::kZephyr, "{{ '<|assistant|>' }}"));
}

}  // namespace
}  // namespace avow::model
