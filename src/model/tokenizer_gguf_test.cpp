// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_gguf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "model/tokenizer_files_testing.hpp"
#include "model/tokenizer_metadata_testing.hpp"

namespace avow::model {
namespace {

using ::testing::HasSubstr;
using Strings = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;
const std::string kKey = "tokenizer.ggml.";

void set_byte_level(TestMetadata& m) {
  m.set(kKey + "model", std::string("gpt2"));
  m.set(kKey + "pre", std::string("gpt-2"));
  m.set(kKey + "tokens", Strings{"a", "b", "\xc4\xa0", "ab", "\304\240ab", "<|end|>"});
  m.set(kKey + "token_type", Numbers{1, 1, 1, 1, 1, 3});
  m.set(kKey + "merges", Strings{"a b", "\xc4\xa0 ab"});
  m.set(kKey + "bos_token_id", std::uint64_t{5});
  m.set(kKey + "eos_token_id", std::uint64_t{5});
}

void set_spm(TestMetadata& m) {
  m.set(kKey + "model", std::string("llama"));
  m.set(kKey + "tokens", Strings{"<unk>", "<s>", "</s>", "\xe2\x96\x81", "a"});
  m.set(kKey + "token_type", Numbers{2, 3, 3, 1, 1});
  m.set(kKey + "scores", TestMetadata::Floats{{0, 0, 0, 0x80000000, 0xbf800000}});
}

TEST(TokenizerGguf, ReadsByteLevelVocabularies) {
  TestMetadata m;
  set_byte_level(m);
  auto data = tokenizer_from_gguf(m);
  ASSERT_TRUE(data.ok()) << data.error().text;
  EXPECT_EQ(data.value().tokens, (Strings{"a", "b", " ", "ab", " ab", "<|end|>"}));
  EXPECT_EQ(data.value().merges, (std::vector<Merge>{{0, 1}, {2, 3}}));
  EXPECT_EQ(data.value().pre_tokenizer, PreTokenizer::kGpt2);
  EXPECT_FALSE(data.value().add_bos);
  EXPECT_FALSE(data.value().ignore_merges);
  EXPECT_EQ(data.value().space_prefix, SpacePrefix::kNever);
  EXPECT_EQ(data.value().bos, 5u);
  EXPECT_EQ(data.value().unknown, std::nullopt);

  m.set(kKey + "pre", std::string("llama-bpe"));
  data = tokenizer_from_gguf(m);
  EXPECT_EQ(data.value().pre_tokenizer, PreTokenizer::kLlama3);
  EXPECT_TRUE(data.value().add_bos);
  EXPECT_TRUE(data.value().ignore_merges);
  m.set(kKey + "add_bos_token", false);
  EXPECT_FALSE(tokenizer_from_gguf(m).value().add_bos);
  m.set(kKey + "pre", std::string("qwen2"));
  EXPECT_EQ(tokenizer_from_gguf(m).value().pre_tokenizer, PreTokenizer::kQwen2);
  EXPECT_TRUE(tokenizer_from_gguf(m).value().to_nfc);
}

TEST(TokenizerGguf, ReadsSpmVocabulariesWithTheFormatsDefaults) {
  TestMetadata m;
  set_spm(m);
  m.set("tokenizer.chat_template", std::string("{{ x }}"));
  const auto data = tokenizer_from_gguf(m);
  ASSERT_TRUE(data.ok()) << data.error().text;
  EXPECT_EQ(data.value().scores[3], 0u);  // -0 is 0
  EXPECT_EQ(data.value().space_prefix, SpacePrefix::kAlways);
  EXPECT_TRUE(data.value().add_bos);
  EXPECT_EQ(data.value().bos, 1u);
  EXPECT_EQ(data.value().eos, 2u);
  EXPECT_EQ(data.value().unknown, 0u);
  EXPECT_EQ(data.value().chat_template, "{{ x }}");
  EXPECT_EQ(ids_of(Tokenizer::create(data.value()).value(), "a a"), (std::vector<TokenId>{1, 3, 4, 3, 4}));

  m.set(kKey + "bos_token_id", std::uint64_t{0xffffffff});
  m.set(kKey + "add_space_prefix", false);
  const auto other = tokenizer_from_gguf(m);
  EXPECT_EQ(other.value().bos, std::nullopt);
  EXPECT_FALSE(other.value().add_bos);
  EXPECT_EQ(other.value().space_prefix, SpacePrefix::kNever);
  m.remove(kKey + "token_type");
  EXPECT_EQ(tokenizer_from_gguf(m).value().types, std::vector<TokenType>(5, TokenType::kNormal));
}

TEST(TokenizerGguf, NamesWhatIsWrong) {
  struct Case {
    TokenizerCause cause;
    const char* words;
    std::function<void(TestMetadata&)> spoil;
  };
  const std::vector<Case> cases{
      {TokenizerCause::kMissing, "tokenizer.ggml.model", [](auto& m) { m.remove(kKey + "model"); }},
      {TokenizerCause::kMissing, "tokenizer.ggml.pre", [](auto& m) { m.remove(kKey + "pre"); }},
      {TokenizerCause::kMissing, "tokenizer.ggml.tokens", [](auto& m) { m.remove(kKey + "tokens"); }},
      {TokenizerCause::kMissing, "tokenizer.ggml.merges", [](auto& m) { m.remove(kKey + "merges"); }},
      {TokenizerCause::kFieldType, "tokenizer.ggml.model", [](auto& m) { m.set(kKey + "model", true); }},
      {TokenizerCause::kFieldType, "tokenizer.ggml.tokens", [](auto& m) { m.set(kKey + "tokens", Numbers{1}); }},
      {TokenizerCause::kFieldType, "tokenizer.ggml.token_type", [](auto& m) { m.set(kKey + "token_type", Strings{}); }},
      {TokenizerCause::kFieldType, "bos_token_id", [](auto& m) { m.set(kKey + "bos_token_id", std::string("1")); }},
      {TokenizerCause::kFieldType, "add_bos_token", [](auto& m) { m.set(kKey + "add_bos_token", Numbers{}); }},
      {TokenizerCause::kFieldType, "chat_template", [](auto& m) { m.set("tokenizer.chat_template", true); }},
      {TokenizerCause::kUnsupported, "\"bert\"", [](auto& m) { m.set(kKey + "model", std::string("bert")); }},
      {TokenizerCause::kUnsupported, "\"default\"", [](auto& m) { m.set(kKey + "pre", std::string("default")); }},
      {TokenizerCause::kUnsupported, "add_space_prefix", [](auto& m) { m.set(kKey + "add_space_prefix", true); }},
      {TokenizerCause::kUnsupported, "extra_white", [](auto& m) { m.set(kKey + "remove_extra_whitespaces", true); }},
      {TokenizerCause::kTypes, "holds 0", [](auto& m) { m.set(kKey + "token_type", Numbers{0}); }},
      {TokenizerCause::kTypes, "holds 18446744073709551615",
       [](auto& m) { m.set(kKey + "token_type", Numbers{~0ull}); }},
      {TokenizerCause::kTypes, "1 types, 6 tokens", [](auto& m) { m.set(kKey + "token_type", Numbers{1}); }},
      {TokenizerCause::kIdRange, "eos_token_id is 6 of 6",
       [](auto& m) { m.set(kKey + "eos_token_id", std::uint64_t{6}); }},
      {TokenizerCause::kIdRange, "is 4294967296",
       [](auto& m) { m.set(kKey + "bos_token_id", std::uint64_t{1} << 32); }},
      {TokenizerCause::kCount, "1048577 tokens", [](auto& m) { m.set(kKey + "tokens", Strings(1048577)); }},
      {TokenizerCause::kNotByteLevel, "token 0, \"a b\"",
       [](auto& m) {
         m.set(kKey + "tokens", Strings{"a b", "b", "c", "d", "e", "f"});
       }},
      {TokenizerCause::kMerge, "merge 1, \"ab\", is no pair",
       [](auto& m) {
         m.set(kKey + "merges", Strings{"a b", "ab"});
       }},
      {TokenizerCause::kMerge, "is no pair", [](auto& m) { m.set(kKey + "merges", Strings{"ab "}); }},
      {TokenizerCause::kMerge, "is no pair", [](auto& m) { m.set(kKey + "merges", Strings{""}); }},
      {TokenizerCause::kMerge, "merge 0 is of \"x\"", [](auto& m) { m.set(kKey + "merges", Strings{"x b"}); }},
      {TokenizerCause::kMerge, "of \"<|end|>\"", [](auto& m) { m.set(kKey + "merges", Strings{"a <|end|>"}); }}};
  for (const Case& c : cases) {
    TestMetadata m;
    set_byte_level(m);
    c.spoil(m);
    const auto data = tokenizer_from_gguf(m);
    ASSERT_FALSE(data.ok()) << name(c.cause) << ": " << c.words;
    EXPECT_EQ(data.error().cause, c.cause) << data.error().text;
    EXPECT_THAT(data.error().text, HasSubstr(c.words));
  }
  TestMetadata spm;
  set_spm(spm);
  spm.remove(kKey + "scores");
  EXPECT_EQ(tokenizer_from_gguf(spm).error().cause, TokenizerCause::kMissing);
}

}  // namespace
}  // namespace avow::model
