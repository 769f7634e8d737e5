// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/hex.hpp"
#include "base/random.hpp"
#include "model/tokenizer_files_testing.hpp"

namespace avow::model {
namespace {

using Ids = std::vector<TokenId>;

Tokenizer make(TokenizerData data) {
  auto made = Tokenizer::create(std::move(data));
  EXPECT_TRUE(made.ok()) << made.error().text;
  return std::move(made).value();
}

// Ids 0 to 255 are bytes, then: th 256, the 257, " the" 258; <|end|> 259.
TokenizerData small_byte_level() { return byte_level_data({{"t", "h"}, {"th", "e"}, {" ", "the"}}); }

// <0x00> is 3, U+2581 259, then from 260 on.
TokenizerData small_spm() { return spm_data({"a", "b", "ab", "\342\226\201a", "\342\226\201ab"}, true); }

TEST(Tokenizer, ByteLevelMergesWithinWords) {
  const Tokenizer tokenizer = make(small_byte_level());
  EXPECT_EQ(ids_of(tokenizer, "the the"), (Ids{257, 258}));
  EXPECT_EQ(ids_of(tokenizer, "th  the"), (Ids{256, ' ', 258}));
  EXPECT_EQ(ids_of(tokenizer, "t he"), (Ids{'t', ' ', 'h', 'e'}));
}

TEST(Tokenizer, IgnoredMergesGiveWayToWholeWords) {
  TokenizerData data = byte_level_data({{"a", "b"}, {"b", "c"}, {"ab", "c"}, {"a", "bc"}});
  data.merges = {data.merges[1], data.merges[0]};  // abc stays a token that no merge yields
  const TokenId abc = 258;
  ASSERT_EQ(data.tokens[abc], "abc");
  EXPECT_EQ(ids_of(make(data), "abc"), (Ids{'a', 257}));
  data.ignore_merges = true;
  EXPECT_EQ(ids_of(make(data), "abc"), (Ids{abc}));
}

TEST(Tokenizer, SpmMergesByScoreAndFallsBackToBytes) {
  const Tokenizer tokenizer = make(small_spm());
  EXPECT_EQ(ids_of(tokenizer, "ab"), (Ids{1, 264}));
  EXPECT_EQ(ids_of(tokenizer, "aab"), (Ids{1, 263, 262}));  // ab first, then U+2581 a
  EXPECT_EQ(ids_of(tokenizer, "a a"), (Ids{1, 263, 263}));
  EXPECT_EQ(ids_of(tokenizer, "c\xc3\xa9"), (Ids{1, 259, 3 + 'c', 3 + 0xc3, 3 + 0xa9}));
  EXPECT_EQ(ids_of(tokenizer, "\xff"), (Ids{1, 259, 3 + 0xff}));
}

// An unused token that no text has makes the tokenizer merge the text in one piece.
TEST(Tokenizer, SegmentsChangeNothing) {
  base::SplitMix64 random(10);
  const std::string mark = "\xe2\x96\x81";
  for (int i = 0; i < 300; ++i) {
    std::vector<std::string> tokens{"a", "b", "\xc3\xa9"};
    for (std::uint64_t n = random() % 30; n > 0; --n) {
      std::string token;
      for (std::uint64_t k = 2 + random() % 3; k > 0; --k)
        token += std::array{tokens[0], tokens[1], tokens[2], mark, std::string("\xc3")}.at(random() % 5);
      if (std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(token);
    }
    TokenizerData data = spm_data(tokens, true);
    const Tokenizer segmented = make(data);
    data.tokens.emplace_back("unused");
    data.types.push_back(TokenType::kUnused);
    data.scores.push_back(0);
    const Tokenizer whole = make(data);
    for (int k = 0; k < 50; ++k) {
      std::string text;
      for (std::uint64_t n = random() % 40; n > 0; --n) text += "ab \xc3\xa9"[random() % 5];
      ASSERT_EQ(ids_of(segmented, text), ids_of(whole, text));
    }
  }
}

TEST(Tokenizer, SpmTakesUnusedTokensApart) {
  TokenizerData data = small_spm();
  data.types[264] = TokenType::kUnused;  // U+2581 ab
  EXPECT_EQ(ids_of(make(data), "ab"), (Ids{1, 259, 262}));
  data.types[262] = TokenType::kUnused;  // and ab
  EXPECT_EQ(ids_of(make(data), "ab"), (Ids{1, 259, 260, 261}));
  data.types[261] = TokenType::kUnused;  // and b, which is a single character
  EXPECT_EQ(ids_of(make(data), "ab"), (Ids{1, 259, 260, 3 + 'b'}));
}

TEST(Tokenizer, CharacterBpeMergesByRankOverTheWholeText) {
  TokenizerData data = small_spm();
  data.kind = TokenizerKind::kCharacterBpe;
  data.scores.clear();
  data.merges = {{259, 260}, {263, 261}};  // U+2581 a, then U+2581 a b
  const Tokenizer tokenizer = make(data);
  EXPECT_EQ(ids_of(tokenizer, "ab a c"), (Ids{1, 264, 263, 259, 3 + 'c'}));
  EXPECT_EQ(text_of(tokenizer, ids_of(tokenizer, "ab a c \xff")), "ab a c \xff");
}

TEST(Tokenizer, EmptyTextHasItsEndsAlone) {
  EXPECT_EQ(ids_of(make(small_byte_level()), ""), Ids{});
  EXPECT_EQ(ids_of(make(small_spm()), ""), Ids{1});
  EXPECT_EQ(ids_of(make(small_spm()), "", {.ends = Ends::kNone}), Ids{});
  TokenizerData data = small_spm();
  data.add_eos = true;
  EXPECT_EQ(ids_of(make(data), ""), (Ids{1, 2}));
  EXPECT_EQ(ids_of(make(data), "", {.ends = Ends::kBos}), (Ids{1}));
  EXPECT_EQ(text_of(make(data), {}), "");
}

TEST(Tokenizer, AskingForAMissingTokenIsAnError) {
  TokenizerData data = small_byte_level();
  data.bos.reset();
  EXPECT_EQ(make(data).encode("a", {.ends = Ends::kBos}).error().cause, TokenizerCause::kNoSpecial);
}

TEST(Tokenizer, RefusesMoreTokensThanAsked) {
  const Tokenizer tokenizer = make(small_byte_level());
  EXPECT_EQ(ids_of(tokenizer, "abcd", {.max_tokens = 4}).size(), 4u);
  const auto refused = tokenizer.encode("abcde", {.max_tokens = 4});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cause, TokenizerCause::kTooManyTokens);
  EXPECT_EQ(refused.error().text, "5 tokens, at most 4");
}

TEST(Tokenizer, RefusesTextsBeyondItsLimit) {
  const std::string text(tokenizer_limits::kTextBytes + 1, 'a');
  EXPECT_EQ(make(small_byte_level()).encode(text).error().cause, TokenizerCause::kTextSize);
}

TEST(Tokenizer, ControlTokensInTextAreText) {
  const Tokenizer byte_level = make(small_byte_level());
  EXPECT_EQ(ids_of(byte_level, "<|end|>").size(), 7u);
  EXPECT_EQ(ids_of(byte_level, "a<|end|>b", {.special = SpecialText::kParse}), (Ids{'a', 259, 'b'}));
  const Tokenizer spm = make(small_spm());
  EXPECT_EQ(ids_of(spm, "<s>"), (Ids{1, 259, 3 + '<', 3 + 's', 3 + '>'}));
  EXPECT_EQ(ids_of(spm, "a</s>b", {.special = SpecialText::kParse}), (Ids{1, 263, 2, 259, 261}));
  EXPECT_EQ(ids_of(spm, "<unk>", {.special = SpecialText::kParse}), (Ids{1, 0}));
  EXPECT_EQ(ids_of(spm, "<0x41>", {.special = SpecialText::kParse}).size(), 8u);  // byte tokens are no special tokens
}

// Merging through the parts of a control token must not end in it.
TEST(Tokenizer, NoTextYieldsAControlToken) {
  TokenizerData data = spm_data({"<", "s", ">", "<s", "s>"}, true);
  const Tokenizer tokenizer = make(data);
  EXPECT_EQ(ids_of(tokenizer, "<s>"), (Ids{1, 259, 263, 262}));
  base::SplitMix64 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (std::uint64_t n = random() % 20; n > 0; --n) text += "<s>/unk0x41"[random() % 11];
    for (const TokenId id : ids_of(tokenizer, text, {.ends = Ends::kNone})) {
      ASSERT_FALSE(tokenizer.is_control(id)) << text;
      ASSERT_NE(id, 0u) << text;
    }
  }
}

TEST(Tokenizer, UserDefinedTokensAreAlwaysFound) {
  TokenizerData data = small_spm();
  data.tokens.emplace_back("ba");
  data.types.push_back(TokenType::kUserDefined);
  data.scores.push_back(0);
  const Tokenizer tokenizer = make(data);
  EXPECT_EQ(ids_of(tokenizer, "abab"), (Ids{1, 263, 265, 259, 261}));  // the prefix behind it, too
  EXPECT_EQ(text_of(tokenizer, ids_of(tokenizer, "abab")), "abab");
}

// Some vocabularies have runs of spaces as user-defined tokens: text reaches them by merging.
TEST(Tokenizer, UserDefinedSpacesAreSpaces) {
  TokenizerData data = spm_data({"a", "\xe2\x96\x81\xe2\x96\x81"}, true);
  data.types[261] = TokenType::kUserDefined;
  const Tokenizer tokenizer = make(data);
  EXPECT_EQ(ids_of(tokenizer, " a"), (Ids{1, 261, 260}));
  for (const std::string text : {" a", "a  a", "   a "}) EXPECT_EQ(text_of(tokenizer, ids_of(tokenizer, text)), text);
}

TEST(Tokenizer, CharactersWithoutTokenAreRefusedOrUnknown) {
  const Tokenizer tokenizer = make(spm_data({"a"}, false));
  const auto refused = tokenizer.encode("a\xc3\xa9");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cause, TokenizerCause::kUnencodable);
  EXPECT_EQ(refused.error().text, "no token for \"\\xc3\\xa9\"");
  const Ids ids = ids_of(tokenizer,
                         "a\xc3\xa9\xff"
                         "a\xff",
                         {.unencodable = Unencodable::kUnknown});
  EXPECT_EQ(ids, (Ids{1, 3, 4, 0, 4, 0}));
  EXPECT_EQ(text_of(tokenizer, ids),
            "a\xef\xbf\xbd"
            "a\xef\xbf\xbd");

  TokenizerData gap = small_byte_level();
  gap.tokens['z'] = "zz";
  EXPECT_EQ(make(gap).encode("z").error().cause, TokenizerCause::kUnencodable);
  EXPECT_EQ(make(gap).encode("z", {.unencodable = Unencodable::kUnknown}).error().cause, TokenizerCause::kNoSpecial);
}

TEST(Tokenizer, SpacePrefixes) {
  const auto with = [](SpacePrefix prefix, std::string_view text) {
    TokenizerData data = small_spm();
    data.space_prefix = prefix;
    return ids_of(make(data), text, {.ends = Ends::kNone, .special = SpecialText::kParse});
  };
  EXPECT_EQ(with(SpacePrefix::kNever, "b</s>b"), (Ids{261, 2, 261}));
  EXPECT_EQ(with(SpacePrefix::kAlways, "b</s>b"), (Ids{259, 261, 2, 259, 261}));
  EXPECT_EQ(with(SpacePrefix::kAlways, " b"), (Ids{259, 259, 261}));
  EXPECT_EQ(with(SpacePrefix::kUnlessSpace, " b</s>b"), (Ids{259, 261, 2, 259, 261}));
  EXPECT_EQ(with(SpacePrefix::kUnlessSpace,
                 "\xe2\x96\x81"
                 "b"),
            (Ids{259, 261}));
  EXPECT_EQ(with(SpacePrefix::kFirstUnlessSpace, "b</s>b"), (Ids{259, 261, 2, 261}));
  EXPECT_EQ(with(SpacePrefix::kFirstUnlessSpace, "</s>b"), (Ids{2, 261}));
  TokenizerData data = small_byte_level();
  data.space_prefix = SpacePrefix::kUnlessSpace;
  EXPECT_EQ(ids_of(make(data), "the"), (Ids{258}));
  EXPECT_EQ(ids_of(make(data), " the"), (Ids{258}));
}

TEST(Tokenizer, AnyBytesComeBack) {
  base::SplitMix64 random(8);
  std::vector<Tokenizer> tokenizers;
  tokenizers.push_back(make(small_byte_level()));
  tokenizers.push_back(make(small_spm()));
  for (const PreTokenizer pre : {PreTokenizer::kNone, PreTokenizer::kLlama3, PreTokenizer::kQwen2}) {
    TokenizerData data = small_byte_level();
    data.pre_tokenizer = pre;
    tokenizers.push_back(make(data));
  }
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (std::uint64_t n = random() % 30; n > 0; --n) {
      text += random() % 2 == 0 ? static_cast<char>(random()) : " \nabthe<|end|>"[random() % 14];
    }
    if (text.find("\xe2\x96\x81") != std::string::npos) continue;
    for (const Tokenizer& tokenizer : tokenizers) {
      ASSERT_EQ(text_of(tokenizer, ids_of(tokenizer, text)), text);
      if (tokenizer.data().kind == TokenizerKind::kSpm) continue;
      // Special tokens that were parsed leave no text.
      const Ids parsed = ids_of(tokenizer, text + "<|end|>", {.special = SpecialText::kParse});
      ASSERT_EQ(parsed.back(), 259u);
    }
  }
}

TEST(Tokenizer, DecodesPiecesAndRefusesIdsBeyondTheVocabulary) {
  const Tokenizer tokenizer = make(small_spm());
  EXPECT_EQ(tokenizer.piece(1), "<s>");
  EXPECT_EQ(tokenizer.piece(3 + 0xff), "\xff");
  EXPECT_EQ(tokenizer.piece(264), " ab");
  EXPECT_TRUE(tokenizer.is_control(1));
  EXPECT_FALSE(tokenizer.is_control(264));
  EXPECT_EQ(tokenizer.decode(Ids{1, 264, 264, 2}).value(), "ab ab");
  EXPECT_EQ(tokenizer.decode(Ids{264}, DecodeFrom::kMiddle).value(), " ab");
  const auto refused = tokenizer.decode(Ids{265});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cause, TokenizerCause::kIdRange);
  EXPECT_EQ(StreamDecoder(tokenizer).feed(0xffffffff).error().cause, TokenizerCause::kIdRange);
}

TEST(StreamDecoder, GivesWholeCharactersAndAllOfThem) {
  base::SplitMix64 random(9);
  const Tokenizer tokenizer = make(small_spm());
  StreamDecoder whole(tokenizer);
  EXPECT_EQ(whole.feed(3 + 0xf0).value(), "");
  EXPECT_EQ(whole.feed(3 + 0x9f).value(), "");
  EXPECT_EQ(whole.feed(3 + 0xa6).value(), "");
  EXPECT_EQ(whole.feed(3 + 0x99).value(), "\xf0\x9f\xa6\x99");
  for (int i = 0; i < 20000; ++i) {
    Ids ids;
    for (std::uint64_t n = random() % 12; n > 0; --n) {
      ids.push_back(static_cast<TokenId>(random() % 2 == 0 ? 3 + 0x80 + random() % 128 : random() % 265));
    }
    StreamDecoder stream(tokenizer);
    std::string joined;
    for (const TokenId id : ids) joined += stream.feed(id).value();
    joined += stream.finish();
    ASSERT_EQ(joined, tokenizer.decode(ids).value());
    ASSERT_EQ(stream.finish(), "");
  }
}

// What merges at every step, and would take hours if a step looked at the whole text.
TEST(Tokenizer, MegabytesWithoutWordsTakeSeconds) {
  std::vector<std::pair<std::string, std::string>> merges;
  std::vector<std::string> runs;
  for (std::size_t n = 1; n < 512; n *= 2) merges.emplace_back(std::string(n, 'a'), std::string(n, 'a'));
  for (std::size_t n = 1; n <= 256; ++n) runs.emplace_back(n, 'a');
  std::vector<Tokenizer> tokenizers;
  tokenizers.push_back(make(byte_level_data(merges)));
  tokenizers.push_back(make(spm_data(runs, true)));
  const std::string text(std::size_t{1} << 20, 'a');
  for (const Tokenizer& tokenizer : tokenizers) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(text_of(tokenizer, ids_of(tokenizer, text)), text);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
  }
}

TEST(Tokenizer, DigestDependsOnEverything) {
  const TokenizerData data = small_spm();
  // Of a vocabulary that anybody can write down: one token "a", byte-level.
  TokenizerData single;
  single.kind = TokenizerKind::kByteLevelBpe;
  single.tokens = {"a"};
  single.types = {TokenType::kNormal};
  EXPECT_EQ(base::to_hex(canonical_bytes(single)),
            "61766f772e746f6b656e697a6572"
            "00000002"
            "02000000000000"
            "0000000000"
            "0000000000"
            "0000000000"
            "00000001"
            "0000000161"
            "00000001"
            "01"
            "00000000"
            "00000000"
            "00000000");
  std::vector<TokenizerData> changed(17, data);
  changed[0].kind = TokenizerKind::kCharacterBpe;
  changed[1].tokens[264] += "c";
  changed[2].types[264] = TokenType::kUnused;
  changed[3].scores[264] ^= 1;
  changed[4].merges.push_back({260, 261});
  changed[5].pre_tokenizer = PreTokenizer::kGpt2;
  changed[6].space_prefix = SpacePrefix::kNever;
  changed[7].add_bos = false;
  changed[8].add_eos = true;
  changed[9].ignore_merges = true;
  changed[10].bos = 2;
  changed[11].eos.reset();
  changed[12].unknown = 1;
  changed[13].chat_template = "x";
  changed[14].tokens.emplace_back("x");
  changed[16].to_nfc = true;
  std::vector<base::Digest> digests;
  for (const TokenizerData& other : changed) digests.push_back(tokenizer_digest(other));
  EXPECT_EQ(digests[15], tokenizer_digest(data));
  std::sort(digests.begin(), digests.end());
  EXPECT_EQ(std::unique(digests.begin(), digests.end()), digests.end());
}

}  // namespace
}  // namespace avow::model
