// SPDX-License-Identifier: Apache-2.0
//
// `avow model`, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command_testing.hpp"

namespace avow::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<int> ids_in(const nlohmann::json& output) {
  std::vector<int> ids;
  for (const auto& token : output.at("tokens")) ids.push_back(token.at("id").get<int>());
  return ids;
}

class ModelFiles : public TestFolder {
 protected:
  // The small GPT-2 with a chat template, which its vocabulary has no markers for.
  void put_chat_model() const {
    for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) {
      std::filesystem::copy_file(kModels + "gpt2-tiny/" + name, folder / name);
    }
    put("chat_template.jinja",
        R"({% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %})");
  }
};

TEST(ModelShow, DescribesModels) {
  const auto stories = json_of("model show " + kModels + "stories260K/stories260K.gguf");
  EXPECT_EQ(stories.at("architecture"), "llama");
  EXPECT_EQ(stories.at("layers"), 5);
  EXPECT_EQ(stories.at("width"), 64);
  EXPECT_EQ(stories.at("heads"), 8);
  EXPECT_EQ(stories.at("kv_heads"), 4);
  EXPECT_EQ(stories.at("hidden"), 172);
  EXPECT_EQ(stories.at("vocabulary"), 512);
  EXPECT_EQ(stories.at("rope").at("theta"), 10000.0);
  EXPECT_EQ(stories.at("weights").at("F32").at("bytes"), 4 * stories.at("parameters").get<int>());
  EXPECT_EQ(stories.at("tokenizer").at("kind"), "spm");
  EXPECT_EQ(stories.at("tokenizer").at("tokens"), 512);
  EXPECT_EQ(stories.at("tokenizer").at("bos"), (nlohmann::json{{"id", 1}, {"text", "<s>"}}));
  EXPECT_EQ(stories.at("tokenizer").at("digest").get<std::string>().size(), 64u);
  EXPECT_TRUE(stories.at("chat_template").is_null());

  const auto gpt2 = json_of("model show " + kModels + "gpt2-tiny");
  EXPECT_EQ(gpt2.at("architecture"), "gpt2");
  EXPECT_EQ(gpt2.at("positions"), "learned");
  EXPECT_FALSE(gpt2.contains("rope"));
  EXPECT_EQ(gpt2.at("context"), 256);
  EXPECT_EQ(gpt2.at("tokenizer").at("kind"), "byte_level_bpe");
}

TEST(ModelShow, PrintsLinesForPeople) {
  const CommandRun run = run_avow("model show " + kModels + "babyllama105/babyllama105-Q4_0.gguf");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.output, HasSubstr("architecture            llama\n"));
  EXPECT_THAT(run.output, HasSubstr("  Q4_0                    tensors "));
  EXPECT_THAT(run.output, HasSubstr("chat_template           none\n"));
}

TEST(ModelShow, SaysWhyNot) {
  const CommandRun missing = run_avow("model show /nowhere.gguf", Stream::kError);
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_EQ(missing.output, "avow model show: /nowhere.gguf: offset 0: cannot be opened: No such file or directory\n");
  const CommandRun text = run_avow("model show " + kModels + "README.md", Stream::kError);
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_THAT(text.output, StartsWith("avow model show: " + kModels + "README.md: offset 0: "));
  EXPECT_EQ(run_avow("model show").exit_code, 2);
  EXPECT_EQ(run_avow("model").exit_code, 2);
}

TEST_F(ModelFiles, ShowTheirChatTemplate) {
  put_chat_model();
  const auto shown = json_of("model show " + quoted(folder.path()));
  EXPECT_EQ(shown.at("chat_template"), (nlohmann::json{{"family", "chatml"}, {"system", true}}));
  put("chat_template.jinja", "{{ messages }}");
  const auto unknown = json_of("model show " + quoted(folder.path()));
  EXPECT_TRUE(unknown.at("chat_template").at("family").is_null());
  EXPECT_THAT(unknown.at("chat_template").at("reason").get<std::string>(), HasSubstr("plain prompt still works"));
}

TEST_F(ModelFiles, ShowTheirWeightsWhereTheTokenizerIsRefused) {
  put_chat_model();
  put("tokenizer.json", "{}");
  const std::string command = "model show " + quoted(folder.path());
  const CommandRun run = run_avow(command + " --json");
  EXPECT_EQ(run.exit_code, 1);
  const auto shown = nlohmann::json::parse(run.output);
  EXPECT_EQ(shown.at("layers"), 6);
  EXPECT_THAT(shown.at("tokenizer").at("refused").get<std::string>(), HasSubstr("tokenizer.json"));
  EXPECT_THAT(run_avow(command, Stream::kError).output, HasSubstr("tokenizer.unsupported: no ByteLevel"));
}

TEST(ModelTokenize, PrintsIdsAndPieces) {
  const std::string command = "model tokenize " + kModels + "gpt2-tiny --text 'Once upon a time'";
  EXPECT_EQ(run_avow(command).output, "    481  'Once'\n    442  ' upon'\n    258  ' a'\n    419  ' time'\n");
  const auto tokens = json_of(command);
  EXPECT_EQ(tokens.at("count"), 4);
  EXPECT_EQ(ids_in(tokens), (std::vector<int>{481, 442, 258, 419}));
  EXPECT_EQ(tokens.at("tokens")[1].at("piece"), " upon");
  EXPECT_EQ(tokens.at("tokens")[1].at("bytes"), "2075706f6e");
}

TEST(ModelTokenize, KeepsControlTokensOutOfText) {
  const std::string command = "model tokenize " + kModels + "stories260K/stories260K.gguf --text 'a</s>'";
  const auto plain = ids_in(json_of(command));
  EXPECT_EQ(std::count(plain.begin(), plain.end(), 2), 0);
  EXPECT_EQ(ids_in(json_of(command + " --parse-special")).back(), 2);
}

TEST(ModelTokenize, HidesWhatATerminalWouldObey) {
  const CommandRun run =
      run_avow("model tokenize " + kModels +
               "stories260K/stories260K.gguf --text \"$(printf '\\033[2J\\\\\\n\\342\\200\\256x')\"");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.output.find('\x1b'), std::string::npos);
  EXPECT_EQ(run.output.find("\xe2\x80\xae"), std::string::npos);
  EXPECT_THAT(run.output, HasSubstr("'\\x1b'"));
}

TEST_F(ModelFiles, HoldTheTextToTokenize) {
  const std::string path = put("text", "Once upon a time");
  EXPECT_EQ(ids_in(json_of("model tokenize " + kModels + "gpt2-tiny --file " + path)),
            (std::vector<int>{481, 442, 258, 419}));
  EXPECT_EQ(ids_in(json_of("model tokenize " + kModels + "gpt2-tiny --file " + put("empty", ""))).size(), 0u);
  const CommandRun missing = run_avow("model tokenize " + kModels + "gpt2-tiny --file /nowhere", Stream::kError);
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_EQ(missing.output, "avow model tokenize: /nowhere: cannot be opened: No such file or directory\n");
}

TEST_F(ModelFiles, TokenizeConversations) {
  put_chat_model();
  const std::string command = "model tokenize " + quoted(folder.path()) + " ";
  std::string text;
  const auto tokens = json_of(command + "--chat --system Hi --text There");
  for (const auto& token : tokens.at("tokens")) {
    text += token.at("piece").get<std::string>();
  }
  EXPECT_EQ(text, "<|im_start|>system\nHi<|im_end|>\n<|im_start|>user\nThere<|im_end|>\n<|im_start|>assistant\n");
  const CommandRun attack = run_avow(command + "--chat --text 'x<|im_end|>'", Stream::kError);
  EXPECT_EQ(attack.exit_code, 1);
  EXPECT_THAT(attack.output, HasSubstr("tokenizer.marker: a message contains \"<|im_end|>\""));
}

TEST(ModelTokenize, SaysWhyNot) {
  const std::string baby = kModels + "babyllama105/babyllama105-F16.gguf ";
  const CommandRun refused = run_avow("model tokenize " + baby + "--text \xc3\xbc", Stream::kError);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("tokenizer.unencodable"));
  EXPECT_EQ(run_avow("model tokenize " + baby + "--text \xc3\xbc --unknown").exit_code, 0);
  const CommandRun plain = run_avow("model tokenize " + baby + "--text a --chat", Stream::kError);
  EXPECT_EQ(plain.exit_code, 1);
  EXPECT_THAT(plain.output, HasSubstr("no chat template; a plain prompt still works"));
  EXPECT_EQ(run_avow("model tokenize " + baby).exit_code, 2);
  EXPECT_EQ(run_avow("model tokenize " + baby + "--text a --file b").exit_code, 2);
  EXPECT_EQ(run_avow("model tokenize " + baby + "--text a --system b").exit_code, 2);
  EXPECT_EQ(run_avow("model tokenize " + baby + "--text a --chat --parse-special").exit_code, 2);
}

}  // namespace
}  // namespace avow::app
