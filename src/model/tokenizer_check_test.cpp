// SPDX-License-Identifier: Apache-2.0
//
// Hostile vocabularies: each refusal, by cause and by words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "model/tokenizer.hpp"
#include "model/tokenizer_files_testing.hpp"

namespace avow::model {
namespace {

using ::testing::HasSubstr;

struct BadVocabulary {
  TokenizerCause cause;
  const char* words;
  std::function<void(TokenizerData&)> spoil;
};

void expect_vocabulary_refused(const TokenizerData& good, const std::vector<BadVocabulary>& cases) {
  ASSERT_TRUE(Tokenizer::create(good).ok());
  for (const BadVocabulary& c : cases) {
    TokenizerData data = good;
    c.spoil(data);
    const auto made = Tokenizer::create(std::move(data));
    ASSERT_FALSE(made.ok()) << name(c.cause) << ": " << c.words;
    EXPECT_EQ(made.error().cause, c.cause) << made.error().text;
    EXPECT_THAT(made.error().text, HasSubstr(c.words));
  }
}

TEST(TokenizerCheck, RefusesBadVocabularies) {
  constexpr auto kCount = TokenizerCause::kCount;
  expect_vocabulary_refused(
      spm_data({"a", "b", "ab"}, true),
      {{kCount, "0 tokens", [](auto& d) { d.tokens.clear(); }},
       {kCount, "1048577 tokens", [](auto& d) { d.tokens.resize(tokenizer_limits::kTokens + 1); }},
       {kCount, "a chat template of", [](auto& d) { d.chat_template.resize(tokenizer_limits::kTemplateBytes + 1); }},
       {TokenizerCause::kTypes, "262 types, 263 tokens", [](auto& d) { d.types.pop_back(); }},
       {TokenizerCause::kTypes, "token 261 has type 0", [](auto& d) { d.types[261] = static_cast<TokenType>(0); }},
       {TokenizerCause::kTypes, "token 261 has type 7", [](auto& d) { d.types[261] = static_cast<TokenType>(7); }},
       {TokenizerCause::kScores, "262 scores, 263 tokens", [](auto& d) { d.scores.pop_back(); }},
       {TokenizerCause::kScores, "bits 0x7fc00000", [](auto& d) { d.scores[5] = 0x7fc00000; }},
       {TokenizerCause::kScores, "bits 0xff800001", [](auto& d) { d.scores[5] = 0xff800001; }},
       {TokenizerCause::kScores, "bits 0x80000000", [](auto& d) { d.scores[5] = 0x80000000; }},
       {TokenizerCause::kTokenSize, "token 260 has 0 bytes", [](auto& d) { d.tokens[260].clear(); }},
       {TokenizerCause::kTokenSize, "token 260 has 1025 bytes", [](auto& d) { d.tokens[260].resize(1025, 'x'); }},
       {TokenizerCause::kTokenSize, "token 1 has 129 bytes", [](auto& d) { d.tokens[1].resize(129, 'x'); }},
       {TokenizerCause::kRepeatedToken, "tokens 260 and 262 are both \"a\"",
        [](auto& d) { d.tokens[262].assign(1, 'a'); }},
       {TokenizerCause::kRepeatedToken, "tokens 1 and 262 are both", [](auto& d) { d.tokens[262] = "<s>"; }},
       {TokenizerCause::kByteTokens, "token 3, \"<0x0>\"", [](auto& d) { d.tokens[3] = "<0x0>"; }},
       {TokenizerCause::kByteTokens, "token 13, \"<0x0a>\"", [](auto& d) { d.tokens[13] = "<0x0a>"; }},
       {TokenizerCause::kByteTokens, "255 byte tokens of 256", [](auto& d) { d.types[3] = TokenType::kNormal; }},
       {TokenizerCause::kSpaceToken, "U+2581", [](auto& d) { d.tokens[259].assign(1, 'x'); }},
       {TokenizerCause::kIdRange, "the beginning token is 263 of 263", [](auto& d) { d.bos = 263; }},
       {TokenizerCause::kIdRange, "the end token is 4294967295", [](auto& d) { d.eos = 0xffffffff; }},
       {TokenizerCause::kIdRange, "the unknown token is 263", [](auto& d) { d.unknown = 263; }},
       {TokenizerCause::kNoSpecial, "add_bos", [](auto& d) { d.bos.reset(); }},
       {TokenizerCause::kNoSpecial, "add_eos", [](auto& d) { d.eos.reset(), d.add_eos = true; }},
       {TokenizerCause::kUnsupported, "tokenizer kind 4",
        [](auto& d) {
          d.kind = static_cast<TokenizerKind>(4);
          d.scores.clear();
        }},
       {TokenizerCause::kUnsupported, "pre-tokeniser 4",
        [](auto& d) { d.pre_tokenizer = static_cast<PreTokenizer>(4); }},
       {TokenizerCause::kUnsupported, "space prefix 4", [](auto& d) { d.space_prefix = static_cast<SpacePrefix>(4); }},
       {TokenizerCause::kUnsupported, "pre-tokenisers", [](auto& d) { d.pre_tokenizer = PreTokenizer::kGpt2; }},
       {TokenizerCause::kUnsupported, "ignore_merges", [](auto& d) { d.ignore_merges = true; }},
       {TokenizerCause::kUnsupported, "normalisation", [](auto& d) { d.to_nfc = true; }},
       {TokenizerCause::kUnsupported, "merges beside scores", [](auto& d) {
          d.merges.push_back({260, 261});
        }}});
}

TEST(TokenizerCheck, RefusesBadMerges) {
  expect_vocabulary_refused(
      byte_level_data({{"a", "b"}, {"ab", "c"}}),
      {{TokenizerCause::kIdRange, "merge 1 is of token 259 of 259", [](auto& d) { d.merges[1].right = 259; }},
       {TokenizerCause::kMerge, "merge 0 yields \"ac\"", [](auto& d) { d.merges[0].right = 'c'; }},
       {TokenizerCause::kMerge, "merge 1 is of token 258, which is not normal",
        [](auto& d) { d.merges[1].left = 258; }},
       {TokenizerCause::kMerge, "merge 0 yields \"ab\", no normal",
        [](auto& d) { d.types[256] = TokenType::kControl; }},
       {TokenizerCause::kMerge, "merge 0 yields \"ab\", no normal", [](auto& d) { d.types[256] = TokenType::kUnused; }},
       {TokenizerCause::kRepeatedMerge, "tokens 97 and 98", [](auto& d) { d.merges.push_back(d.merges[0]); }},
       {TokenizerCause::kByteTokens, "token 0", [](auto& d) { d.types[0] = TokenType::kByte; }},
       {TokenizerCause::kScores, "1 scores", [](auto& d) { d.scores.push_back(0); }},
       {TokenizerCause::kCount, "merges", [](auto& d) { d.merges.resize(tokenizer_limits::kMerges + 1); }}});
}

TEST(TokenizerCheck, EveryCauseHasItsName) {
  for (int i = 1; i <= static_cast<int>(TokenizerCause::kTooManyTokens); ++i) {
    EXPECT_STRNE(name(static_cast<TokenizerCause>(i)), "tokenizer.unknown") << i;
  }
  EXPECT_EQ(shown_bytes(std::string(65, 'x')).size(), 64u + 5);
  EXPECT_EQ(shown_bytes("a\"\\\n\xff"), "\"a\\x22\\x5c\\x0a\\xff\"");
}

}  // namespace
}  // namespace avow::model
