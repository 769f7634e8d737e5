// SPDX-License-Identifier: Apache-2.0
//
// Reference vectors and whole texts. What needs the large vocabularies is skipped, in words, where they are missing;
// tokenizer_test.cpp tests the same behaviour on vocabularies of its own.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "model/tokenizer_files_testing.hpp"
#include "model/tokenizer_json.hpp"

namespace avow::model {
namespace {

constexpr std::string_view kSeparator = "\n__ggml_vocab_test__\n";
const std::string kVectors = AVOW_SOURCE_DIR "/spec/vectors/tokenizers/";

std::vector<std::string> texts_of(const std::string& name) {
  const std::string all = read_file(kVectors + name + ".inp");
  std::vector<std::string> texts;
  std::size_t at = 0;
  for (std::size_t end = all.find(kSeparator); end != std::string::npos; end = all.find(kSeparator, at)) {
    texts.push_back(all.substr(at, end - at));
    at = end + kSeparator.size();
  }
  EXPECT_EQ(at, all.size()) << "a text without a separator behind it";
  return texts;
}

std::vector<std::vector<TokenId>> lines_of(const std::string& name) {
  std::istringstream all(read_file(kVectors + name + ".out"));
  std::vector<std::vector<TokenId>> lines;
  for (std::string line; std::getline(all, line);) {
    std::istringstream numbers(line);
    auto& ids = lines.emplace_back();
    for (TokenId id = 0; numbers >> id;) ids.push_back(id);
  }
  return lines;
}

class SharedFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = shared_folder();
    if (folder.empty()) GTEST_SKIP() << "needs the vocabularies of ../shared, or of the folder that AVOW_SHARED names";
  }
  [[nodiscard]] std::string vocabulary(const std::string& name) const {
    return folder + "tokenizers/ggml-vocab-" + name + ".gguf";
  }
  std::string folder;
};

TEST_F(SharedFiles, GiveTheReferenceIds) {
  for (const std::string name : {"gpt-2", "llama-spm", "phi-3"}) {
    const Tokenizer tokenizer = tokenizer_of_gguf(vocabulary(name));
    const auto texts = texts_of(name);
    const auto lines = lines_of(name);
    ASSERT_EQ(texts.size(), lines.size());
    ASSERT_GE(texts.size(), 40u);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(ids_of(tokenizer, texts[i], {.ends = Ends::kNone}), lines[i])
          << name << ", text " << i << ": " << texts[i];
      EXPECT_EQ(text_of(tokenizer, lines[i]), texts[i]);
    }
  }
}

TEST_F(SharedFiles, WholeTextsComeBack) {
  for (const std::string name : {"gpt-2", "llama-spm"}) {
    const Tokenizer tokenizer = tokenizer_of_gguf(vocabulary(name));
    for (const std::string text : {"tinyshakespeare", "tinystories_valid_head_794k", "wikitext2_test"}) {
      const std::string whole = read_file(folder + "data/" + text + ".txt");
      ASSERT_GT(whole.size(), 700000u);
      EXPECT_EQ(text_of(tokenizer, ids_of(tokenizer, whole)), whole) << name << ", " << text;
    }
  }
}

TEST_F(SharedFiles, JsonAndGgufOfGpt2AreTheSameTokenizer) {
  const Tokenizer from_gguf = tokenizer_of_gguf(vocabulary("gpt-2"));
  auto from_json =
      tokenizer_from_json(read_file(folder + "tokenizers/gpt2_tokenizer.json"), {.bos = 50256, .eos = 50256});
  ASSERT_TRUE(from_json.ok()) << from_json.error().text;
  EXPECT_EQ(tokenizer_digest(from_json.value()), tokenizer_digest(from_gguf.data()));
  EXPECT_TRUE(from_json.value() == from_gguf.data());
}

// The original files, put into the form of a tokenizer.json.
TEST_F(SharedFiles, OriginalFilesOfGpt2AreTheSameTokenizer) {
  nlohmann::json file;
  file["model"]["vocab"] = nlohmann::json::parse(read_file(folder + "tokenizers/gpt2_encoder.json"));
  std::istringstream lines(read_file(folder + "tokenizers/gpt2_vocab.bpe"));
  std::string line;
  std::getline(lines, line);
  ASSERT_EQ(line.substr(0, 8), "#version");
  while (std::getline(lines, line)) {
    if (!line.empty()) file["model"]["merges"].push_back(line);
  }
  file["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  file["added_tokens"].push_back({{"id", 50256}, {"content", "<|endoftext|>"}, {"special", true}});
  auto original = tokenizer_from_json(file.dump(), {.bos = 50256, .eos = 50256});
  ASSERT_TRUE(original.ok()) << original.error().text;
  EXPECT_TRUE(original.value() == tokenizer_of_gguf(vocabulary("gpt-2")).data());
}

TEST_F(SharedFiles, SmallModelsTokenizeTheirStories) {
  const std::string story = read_file(folder + "data/gpt2_tiny_heldout.txt");
  const Tokenizer gpt2 = tokenizer_of_json(read_file(folder + "models/gpt2-tiny/tokenizer.json"));
  EXPECT_EQ(ids_of(gpt2, "Once upon a time"), (std::vector<TokenId>{481, 442, 258, 419}));
  EXPECT_EQ(text_of(gpt2, ids_of(gpt2, story)), story);
  const Tokenizer llama = tokenizer_of_gguf(folder + "models/stories260K/stories260K.gguf");
  EXPECT_EQ(text_of(llama, ids_of(llama, story)), story);
  EXPECT_EQ(ids_of(llama, "Once upon a time"), (std::vector<TokenId>{1, 403, 407, 261, 378}));

  const Tokenizer characters = tokenizer_of_gguf(folder + "models/BabyLlama105/babyllama105-Q8_0.gguf");
  const std::string prompt = "Once upon a time";
  EXPECT_EQ(ids_of(characters, prompt).size(), 2 + prompt.size());
  EXPECT_EQ(text_of(characters, ids_of(characters, prompt)), prompt);
  EXPECT_EQ(characters.encode("\xc3\xbc").error().cause, TokenizerCause::kUnencodable);
  EXPECT_EQ(ids_of(characters, "\xc3\xbc\xc3\xbc a", {.unencodable = Unencodable::kUnknown}),
            (std::vector<TokenId>{1, 3, 0, 3, 5}));
}

}  // namespace
}  // namespace avow::model
