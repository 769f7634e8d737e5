// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/folder_testing.hpp"
#include "model/files_testing.hpp"
#include "model/gguf.hpp"
#include "model/tokenizer_files_testing.hpp"
#include "model/tokenizer_gguf.hpp"
#include "model/tokenizer_metadata_testing.hpp"

namespace avow::model {
namespace {

using model::testing::append_le;
using model::testing::GgufWriter;

const std::string kModels = AVOW_SOURCE_DIR "/models/";

Tokenizer loaded(const std::string& path) {
  auto tokenizer = load_tokenizer(path);
  EXPECT_TRUE(tokenizer.ok()) << to_text(tokenizer.error());
  return std::move(tokenizer).value();
}

base::Bytes float_bytes(const std::vector<float>& values) {
  base::Bytes out;
  for (const float value : values) append_le(out, value);
  return out;
}
base::Bytes type_bytes(const std::vector<std::int32_t>& values) {
  base::Bytes out;
  for (const std::int32_t value : values) append_le(out, value);
  return out;
}

// The pieces of a small vocabulary; each can be left out or replaced.
struct VocabularyFile {
  std::vector<std::pair<std::string, std::function<void(GgufWriter&, const std::string&)>>> keys = {
      {"tokenizer.ggml.model", [](GgufWriter& w, const std::string& key) { w.text(key, "llama"); }},
      {"tokenizer.ggml.tokens",
       [](GgufWriter& w, const std::string& key) {
         w.texts(key, {"<unk>", "<s>", "</s>", "a", "b", "ab"});
       }},
      {"tokenizer.ggml.scores",
       [](GgufWriter& w, const std::string& key) {
         w.array(key, GgufType::kF32, 6, float_bytes({0, 0, 0, -2, -3, -1}));
       }},
      {"tokenizer.ggml.token_type",
       [](GgufWriter& w, const std::string& key) {
         w.array(key, GgufType::kI32, 6, type_bytes({2, 3, 3, 1, 1, 1}));
       }},
      {"tokenizer.ggml.bos_token_id", [](GgufWriter& w, const std::string& key) { w.u32(key, 1); }},
      {"tokenizer.ggml.add_space_prefix",
       [](GgufWriter& w, const std::string& key) { w.number(key, GgufType::kBool, std::uint8_t{0}); }},
      {"tokenizer.chat_template", [](GgufWriter& w, const std::string& key) { w.text(key, "{{ x }}"); }},
  };

  void set(const std::string& name, std::function<void(GgufWriter&, const std::string&)> write) {
    for (auto& [key, old] : keys) {
      if (key == name) {
        old = std::move(write);
        return;
      }
    }
    keys.emplace_back(name, std::move(write));
  }
  [[nodiscard]] base::Bytes write() const {
    GgufWriter w;
    w.text("general.architecture", "llama");
    for (const auto& [key, put] : keys) {
      if (put) put(w, key);
    }
    return w.write();
  }
};

base::Result<Tokenizer, TokenizerFileError> load_bytes(const base::Bytes& bytes) {
  const auto gguf = GgufFile::parse(bytes, "file");
  if (!gguf) return base::Err{TokenizerFileError{gguf.error().cause, "file", gguf.error().offset, gguf.error().reason}};
  return load_tokenizer(gguf.value());
}

TEST(LoadTokenizer, ReadsTheModelsOfTheRepository) {
  EXPECT_EQ(ids_of(loaded(kModels + "stories260K/stories260K.gguf"), "Once upon a time"),
            (std::vector<TokenId>{1, 403, 407, 261, 378}));
  const Tokenizer characters = loaded(kModels + "babyllama105/babyllama105-F16.gguf");
  EXPECT_EQ(text_of(characters, ids_of(characters, "Once upon a time")), "Once upon a time");
  const Tokenizer gpt2 = loaded(kModels + "gpt2-tiny");
  EXPECT_EQ(ids_of(gpt2, "Once upon a time"), (std::vector<TokenId>{481, 442, 258, 419}));
  // What config.json adds to tokenizer.json.
  EXPECT_EQ(gpt2.data().bos, gpt2.data().eos);
  EXPECT_TRUE(gpt2.data().eos.has_value());
}

TEST(LoadTokenizer, ReadsTheVocabulariesAsTheReferenceReaderDoes) {
  const std::string shared = shared_folder();
  std::vector<std::string> files{kModels + "stories260K/stories260K.gguf",
                                 kModels + "babyllama105/babyllama105-F16.gguf",
                                 kModels + "babyllama105/babyllama105-Q4_0.gguf"};
  if (!shared.empty()) {
    for (const char* name : {"tokenizers/ggml-vocab-gpt-2.gguf", "tokenizers/ggml-vocab-llama-spm.gguf",
                             "tokenizers/ggml-vocab-phi-3.gguf", "models/BabyLlama105/babyllama105-f32.gguf"}) {
      files.push_back(shared + name);
    }
  }
  for (const std::string& path : files) {
    const auto reference = tokenizer_from_gguf(TestMetadata(read_file(path)));
    ASSERT_TRUE(reference.ok());
    EXPECT_TRUE(loaded(path).data() == reference.value()) << path;
  }
}

TEST(LoadTokenizer, ReadsIntegersOfEveryType) {
  for (const GgufType type : {GgufType::kU8, GgufType::kI8, GgufType::kU16, GgufType::kI16, GgufType::kU32,
                              GgufType::kI32, GgufType::kU64, GgufType::kI64}) {
    const auto put = [type](base::Bytes& out, std::int64_t value) {
      for (std::uint64_t i = 0; i < element_bytes(type); ++i)
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    };
    VocabularyFile file;
    file.set("tokenizer.ggml.token_type", [&](GgufWriter& w, const std::string& key) {
      base::Bytes bytes;
      for (const int t : {2, 3, 3, 1, 1, 4}) put(bytes, t);
      w.array(key, type, 6, bytes);
    });
    file.set("tokenizer.ggml.eos_token_id", [&](GgufWriter& w, const std::string& key) {
      base::Bytes bytes;
      put(bytes, 5);
      w.value(key, type, bytes);
    });
    const auto tokenizer = load_bytes(file.write());
    ASSERT_TRUE(tokenizer.ok()) << to_text(tokenizer.error());
    EXPECT_EQ(tokenizer.value().data().types[5], TokenType::kUserDefined);
    EXPECT_EQ(tokenizer.value().data().eos, 5u);
    // -1 is no token in the signed types, and too large in the short unsigned ones.
    file.set("tokenizer.ggml.eos_token_id", [&](GgufWriter& w, const std::string& key) {
      base::Bytes bytes;
      put(bytes, -1);
      w.value(key, type, bytes);
    });
    const auto none = load_bytes(file.write());
    if (type == GgufType::kU8 || type == GgufType::kU16) {
      ASSERT_FALSE(none.ok());
      EXPECT_EQ(none.error().cause, (std::variant<Cause, TokenizerCause>(TokenizerCause::kIdRange)));
    } else {
      ASSERT_TRUE(none.ok()) << to_text(none.error());
      EXPECT_EQ(none.value().data().eos, std::nullopt);
    }
  }
}

// Each refusal names the file, the key or what is wrong, and the place of the value.
TEST(LoadTokenizer, NamesWhatIsWrongInMetadata) {
  struct Wrong {
    std::string key;
    std::function<void(GgufWriter&, const std::string&)> put;
    TokenizerCause cause;
    std::string reason;
    bool placed;
  };
  const auto number = [](GgufWriter& w, const std::string& key) { w.u32(key, 7); };
  const auto text = [](GgufWriter& w, const std::string& key) { w.text(key, "x"); };
  const auto scores = [](const std::vector<float>& values) {
    return [values](GgufWriter& w, const std::string& key) {
      w.array(key, GgufType::kF32, values.size(), float_bytes(values));
    };
  };
  const auto kinds = [](const std::vector<std::int32_t>& values) {
    return [values](GgufWriter& w, const std::string& key) {
      w.array(key, GgufType::kI32, values.size(), type_bytes(values));
    };
  };
  const auto tokens = [](const std::vector<std::string>& values) {
    return [values](GgufWriter& w, const std::string& key) { w.texts(key, values); };
  };
  const float nan = std::bit_cast<float>(0x7fc00000u);
  const std::string ggml = "tokenizer.ggml.";
  const Wrong wrong[] = {
      {ggml + "model", nullptr, TokenizerCause::kMissing, "tokenizer.ggml.model", false},
      {ggml + "model", number, TokenizerCause::kFieldType, "tokenizer.ggml.model", true},
      {ggml + "model", text, TokenizerCause::kUnsupported, "tokenizer.ggml.model is \"x\"", true},
      {ggml + "tokens", nullptr, TokenizerCause::kMissing, "tokenizer.ggml.tokens", false},
      {ggml + "tokens", text, TokenizerCause::kFieldType, "tokenizer.ggml.tokens", true},
      {ggml + "tokens", scores({1}), TokenizerCause::kFieldType, "tokenizer.ggml.tokens", true},
      {ggml + "tokens", tokens({"<unk>", "<s>", "</s>", "a", "b", "a"}), TokenizerCause::kRepeatedToken, "tokens 3",
       true},
      {ggml + "tokens", tokens({"<unk>", "<s>", "</s>", "a", "b", ""}), TokenizerCause::kTokenSize, "token 5", true},
      {ggml + "token_type", kinds({2, 3, 3, 1, 1}), TokenizerCause::kTypes, "5 types, 6 tokens", true},
      {ggml + "token_type", kinds({2, 3, 3, 1, 1, 7}), TokenizerCause::kTypes, "holds 7", true},
      {ggml + "token_type", kinds({2, 3, 3, 1, 1, -1}), TokenizerCause::kTypes, "holds 18446744073709551615", true},
      {ggml + "token_type", scores({2, 3, 3, 1, 1, 1}), TokenizerCause::kFieldType, "token_type", true},
      {ggml + "scores", nullptr, TokenizerCause::kMissing, "tokenizer.ggml.scores", false},
      {ggml + "scores", kinds({0, 0, 0, 0, 0, 0}), TokenizerCause::kFieldType, "tokenizer.ggml.scores", true},
      {ggml + "scores", scores({0, 0, 0, -2, -3}), TokenizerCause::kScores, "5 scores, 6 tokens", true},
      {ggml + "scores", scores({0, 0, 0, -2, -3, -1, -4}), TokenizerCause::kScores, "7 scores, 6 tokens", true},
      {ggml + "scores", scores({0, 0, 0, -2, -3, nan}), TokenizerCause::kScores, "token 5", true},
      {ggml + "bos_token_id", text, TokenizerCause::kFieldType, "tokenizer.ggml.bos_token_id", true},
      {ggml + "bos_token_id", [](GgufWriter& w, const std::string& key) { w.u32(key, 6); }, TokenizerCause::kIdRange,
       "tokenizer.ggml.bos_token_id is 6 of 6", true},
      {ggml + "add_space_prefix", number, TokenizerCause::kFieldType, "add_space_prefix", true},
      {"tokenizer.chat_template", number, TokenizerCause::kFieldType, "tokenizer.chat_template", true},
  };
  ASSERT_TRUE(load_bytes(VocabularyFile().write()).ok());
  for (const Wrong& entry : wrong) {
    VocabularyFile file;
    file.set(entry.key, entry.put);
    const base::Bytes bytes = file.write();
    const auto tokenizer = load_bytes(bytes);
    ASSERT_FALSE(tokenizer.ok()) << entry.key << ", " << entry.reason;
    EXPECT_EQ(tokenizer.error().cause, (std::variant<Cause, TokenizerCause>(entry.cause)))
        << to_text(tokenizer.error());
    EXPECT_EQ(tokenizer.error().file, "file");
    EXPECT_THAT(tokenizer.error().reason, ::testing::HasSubstr(entry.reason));
    EXPECT_THAT(to_text(tokenizer.error()), ::testing::HasSubstr(name(entry.cause)));
    const auto gguf = GgufFile::parse(bytes, "file");
    ASSERT_TRUE(gguf.ok());
    const std::uint64_t place = entry.placed ? gguf.value().metadata().at(entry.key).offset : 0;
    EXPECT_EQ(tokenizer.error().offset, place) << to_text(tokenizer.error());
  }
}

TEST(LoadTokenizer, RefusesEveryTruncation) {
  const base::Bytes bytes = VocabularyFile().write();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const base::Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(load_bytes(cut).ok()) << size;
  }
}

class TokenizerFolder : public ::testing::Test {
 protected:
  void SetUp() override { put("tokenizer.json", kFile); }

  void put(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
  }
  void refused(const std::string& file, std::variant<Cause, TokenizerCause> cause, const std::string& reason) const {
    const auto tokenizer = load_tokenizer(folder.path().string());
    ASSERT_FALSE(tokenizer.ok()) << reason;
    EXPECT_EQ(tokenizer.error().cause, cause) << to_text(tokenizer.error());
    EXPECT_EQ(tokenizer.error().file, (folder / file).string());
    EXPECT_THAT(tokenizer.error().reason, ::testing::HasSubstr(reason));
  }

  static constexpr const char* kFile =
      R"({"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}})";
  base::testing::ScratchFolder folder;
};

TEST_F(TokenizerFolder, NeedsTheTokenizerAlone) {
  const Tokenizer tokenizer = loaded(folder.path().string());
  EXPECT_EQ(ids_of(tokenizer, "aab"), (std::vector<TokenId>{0, 2}));
  EXPECT_EQ(tokenizer.data().eos, std::nullopt);
  EXPECT_EQ(tokenizer.data().chat_template, "");
}

TEST_F(TokenizerFolder, TakesWhatTheOtherFilesSay) {
  put("config.json", R"({"bos_token_id":1,"eos_token_id":[2,0]})");
  put("tokenizer_config.json", R"({"chat_template":"one"})");
  const Tokenizer one = loaded(folder.path().string());
  EXPECT_EQ(one.data().bos, 1u);
  EXPECT_EQ(one.data().eos, 2u);
  EXPECT_EQ(one.data().chat_template, "one");
  put("tokenizer_config.json",
      R"({"chat_template":[{"name":"tool_use","template":"no"},{"name":"default","template":"two"}]})");
  EXPECT_EQ(loaded(folder.path().string()).data().chat_template, "two");
  put("chat_template.jinja", "three");
  EXPECT_EQ(loaded(folder.path().string()).data().chat_template, "three");
  put("config.json", R"({"bos_token_id":null})");
  EXPECT_EQ(loaded(folder.path().string()).data().bos, std::nullopt);
}

TEST_F(TokenizerFolder, NamesTheFileThatIsWrong) {
  put("config.json", R"({"bos_token_id":"1"})");
  refused("config.json", TokenizerCause::kFieldType, "bos_token_id");
  put("config.json", R"({"eos_token_id":[]})");
  refused("config.json", TokenizerCause::kFieldType, "eos_token_id");
  put("config.json", R"({"eos_token_id":-1})");
  refused("config.json", TokenizerCause::kFieldType, "eos_token_id");
  put("config.json", R"({"eos_token_id":3})");
  refused("config.json", TokenizerCause::kIdRange, "eos_token_id is 3 of 3 tokens");
  put("config.json", R"({"eos_token_id":18446744073709551615})");
  refused("config.json", TokenizerCause::kIdRange, "eos_token_id");
  put("config.json", "{");
  refused("config.json", Cause::kJson, "JSON");
  put("config.json", "{}");
  put("tokenizer_config.json", R"({"chat_template":1})");
  refused("tokenizer_config.json", TokenizerCause::kFieldType, "chat_template");
  put("tokenizer_config.json", R"({"chat_template":[{"name":"x","template":"y"},"default"]})");
  refused("tokenizer_config.json", TokenizerCause::kFieldType, "chat_template");
  put("tokenizer_config.json", std::string(100, '['));
  refused("tokenizer_config.json", Cause::kJson, "JSON");
  put("chat_template.jinja", std::string(tokenizer_limits::kTemplateBytes + 1, 'x'));
  refused("chat_template.jinja", TokenizerCause::kCount, "chat template");
  std::filesystem::remove(folder / "chat_template.jinja");
  std::filesystem::remove(folder / "tokenizer_config.json");
  put("tokenizer.json", "[]");
  refused("tokenizer.json", TokenizerCause::kFieldType, "no object");
  std::filesystem::remove(folder / "tokenizer.json");
  refused("tokenizer.json", Cause::kOpen, "cannot be opened");
}

TEST_F(TokenizerFolder, RefusesEveryTruncation) {
  const std::string whole = kFile;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    put("tokenizer.json", whole.substr(0, size));
    refused("tokenizer.json", TokenizerCause::kJson, "not JSON");
  }
}

TEST(LoadTokenizer, NamesFilesThatAreNone) {
  const auto missing = load_tokenizer("/nowhere/model.gguf");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(to_text(missing.error()), "/nowhere/model.gguf: offset 0: cannot be opened: No such file or directory");
  const auto text = load_tokenizer(kModels + "README.md");
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().cause, (std::variant<Cause, TokenizerCause>(Cause::kMagic)));
}

}  // namespace
}  // namespace avow::model
