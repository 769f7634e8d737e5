// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_json.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "model/tokenizer_files_testing.hpp"

namespace avow::model {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using Ids = std::vector<TokenId>;

json byte_level() {
  return json::parse(R"({
    "added_tokens": [{"id": 4, "content": "<|end|>", "special": true, "normalized": true}, {"id": 5, "content": "!!"}],
    "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
    "post_processor": {"type": "ByteLevel"}, "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "fuse_unk": false,
              "vocab": {"a": 0, "b": 1, "Ġ": 2, "ab": 3}, "merges": ["a b"]}})");
}

json characters() {
  json file = json::parse(R"({
    "added_tokens": [{"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true}],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                   {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
    "pre_tokenizer": null,
    "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                       {"Sequence": {"id": "A", "type_id": 0}}], "pair": [],
                       "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
    "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
              "vocab": {"<unk>": 0, "<s>": 1, "▁": 2, "a": 3, "▁a": 4}, "merges": [["▁", "a"]]}})");
  for (unsigned b = 0; b < 256; ++b) file["model"]["vocab"][fmt::format("<0x{:02X}>", b)] = 5 + b;
  return file;
}

TEST(TokenizerJson, ReadsByteLevelVocabularies) {
  const Tokenizer tokenizer = tokenizer_of_json(byte_level().dump());
  EXPECT_EQ(tokenizer.data().kind, TokenizerKind::kByteLevelBpe);
  EXPECT_EQ(tokenizer.data().pre_tokenizer, PreTokenizer::kGpt2);
  EXPECT_EQ(tokenizer.data().types[5], TokenType::kUserDefined);
  EXPECT_EQ(ids_of(tokenizer, "ab ab!!a"), (Ids{3, 2, 3, 5, 0}));
  EXPECT_TRUE(tokenizer.is_control(4));
}

TEST(TokenizerJson, ReadsKnownExpressions) {
  const std::string llama3 =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  std::string qwen2 = llama3;
  qwen2.erase(qwen2.find("{1,3}"), 5);
  const std::string gpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
  for (const auto& [regex, kind] : {std::pair(llama3, PreTokenizer::kLlama3), std::pair(qwen2, PreTokenizer::kQwen2),
                                    std::pair(gpt2, PreTokenizer::kGpt2)}) {
    json file = byte_level();
    file["pre_tokenizer"] = json::parse(R"({"type": "Sequence", "pretokenizers": [
        {"type": "Split", "behavior": "Isolated", "invert": false},
        {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})");
    file["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = regex;
    file["model"]["ignore_merges"] = true;
    const Tokenizer tokenizer = tokenizer_of_json(file.dump());
    EXPECT_EQ(tokenizer.data().pre_tokenizer, kind);
    EXPECT_TRUE(tokenizer.data().ignore_merges);
  }
}

// Qwen2's files: text is brought into form C, the pieces around special tokens each by itself.
TEST(TokenizerJson, NormalisesWhereTheFileSaysSo) {
  json file = byte_level();
  file["added_tokens"][0]["normalized"] = false;
  file["normalizer"] = {{"type", "NFC"}};
  file["model"]["vocab"].update(json::parse(R"({"Ã": 6, "¡": 7, "Ì": 8, "ģ": 9})"));
  const Tokenizer tokenizer = tokenizer_of_json(file.dump());
  EXPECT_TRUE(tokenizer.data().to_nfc);
  EXPECT_EQ(ids_of(tokenizer, "a\xcc\x81"), (Ids{6, 7}));
  EXPECT_EQ(ids_of(tokenizer, "\xc3\xa1"), (Ids{6, 7}));
  EXPECT_EQ(ids_of(tokenizer, "a!!\xcc\x81"), (Ids{0, 5, 8, 9}));
  EXPECT_EQ(text_of(tokenizer, {6, 7}), "\xc3\xa1");
}

TEST(TokenizerJson, ReadsCharactersWithByteFallback) {
  const Tokenizer tokenizer = tokenizer_of_json(characters().dump());
  EXPECT_EQ(tokenizer.data().kind, TokenizerKind::kCharacterBpe);
  EXPECT_EQ(tokenizer.data().space_prefix, SpacePrefix::kAlways);
  EXPECT_EQ(ids_of(tokenizer, "a a\xc3\xa9"), (Ids{1, 4, 4, 5 + 0xc3, 5 + 0xa9}));
  EXPECT_EQ(text_of(tokenizer, {1, 4, 4, 5 + 0xc3, 5 + 0xa9}), "a a\xc3\xa9");
  json file = characters();
  file["normalizer"] = nullptr;
  for (const auto& [scheme, prefix] :
       {std::pair("always", SpacePrefix::kUnlessSpace), std::pair("first", SpacePrefix::kFirstUnlessSpace),
        std::pair("never", SpacePrefix::kNever)}) {
    file["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "▁"}, {"split", false}, {"prepend_scheme", scheme}};
    EXPECT_EQ(tokenizer_of_json(file.dump()).data().space_prefix, prefix);
  }
}

TEST(TokenizerJson, TakesWhatOtherFilesSay) {
  const auto data = tokenizer_from_json(byte_level().dump(), {.bos = 4, .eos = 4, .chat_template = "x"});
  EXPECT_EQ(data.value().bos, 4u);
  EXPECT_FALSE(data.value().add_bos);
  EXPECT_EQ(data.value().chat_template, "x");
  const auto hostile = tokenizer_from_json(byte_level().dump(), {.bos = 6});
  EXPECT_EQ(Tokenizer::create(hostile.value()).error().cause, TokenizerCause::kIdRange);
}

struct BadFile {
  TokenizerCause cause;
  const char* words;
  std::function<void(json&)> spoil;
};

void expect_file_refused(const json& good, const std::vector<BadFile>& cases) {
  for (const BadFile& c : cases) {
    json file = good;
    c.spoil(file);
    const auto data = tokenizer_from_json(file.dump());
    ASSERT_FALSE(data.ok()) << name(c.cause) << ": " << c.words;
    EXPECT_EQ(data.error().cause, c.cause) << data.error().text;
    EXPECT_THAT(data.error().text, HasSubstr(c.words));
  }
}

TEST(TokenizerJson, NamesWhatIsWrong) {
  constexpr auto kType = TokenizerCause::kFieldType;
  expect_file_refused(
      byte_level(),
      {{kType, "no object", [](json& f) { f = json::array(); }},
       {TokenizerCause::kMissing, "model", [](json& f) { f.erase("model"); }},
       {TokenizerCause::kMissing, "model.vocab", [](json& f) { f["model"].erase("vocab"); }},
       {TokenizerCause::kMissing, "model.merges", [](json& f) { f["model"].erase("merges"); }},
       {kType, "model", [](json& f) { f["model"] = 1; }},
       {kType, "model.vocab", [](json& f) { f["model"]["vocab"] = json::array(); }},
       {kType, "model.merges", [](json& f) { f["model"]["merges"] = 1; }},
       {kType, "model.merges holds",
        [](json& f) {
          f["model"]["merges"] = {{"a", "b", "c"}};
        }},
       {kType, "ignore_merges", [](json& f) { f["model"]["ignore_merges"] = "yes"; }},
       {kType, "the id of \"a\"", [](json& f) { f["model"]["vocab"]["a"] = -1; }},
       {kType, "the id of \"a\"", [](json& f) { f["model"]["vocab"]["a"] = 0.5; }},
       {kType, "added_tokens", [](json& f) { f["added_tokens"] = 1; }},
       {kType, "added_tokens", [](json& f) { f["added_tokens"][0] = 1; }},
       {kType, "added_tokens", [](json& f) { f["added_tokens"][0].erase("content"); }},
       {kType, "normalizer", [](json& f) { f["normalizer"] = 1; }},
       {TokenizerCause::kIdRange, "has id 1048576", [](json& f) { f["model"]["vocab"]["a"] = 1048576; }},
       {TokenizerCause::kIds, "no token has id 0", [](json& f) { f["model"]["vocab"]["a"] = 6; }},
       {TokenizerCause::kIds, "id 1 is \"a\" and \"b\"", [](json& f) { f["model"]["vocab"]["a"] = 1; }},
       {TokenizerCause::kIds, "id 0 is \"a\" and \"!!\"", [](json& f) { f["added_tokens"][1]["id"] = 0; }},
       {TokenizerCause::kMerge, "of \"x\"", [](json& f) { f["model"]["merges"] = {"a x"}; }},
       {TokenizerCause::kNotByteLevel, "token 6", [](json& f) { f["model"]["vocab"]["é漢"] = 6; }},
       {TokenizerCause::kMissing, "unk_token \"u\"",
        [](json& f) { f["model"]["unk_token"] = "u", f["model"]["fuse_unk"] = true; }}});
}

TEST(TokenizerJson, NamesWhatItDoesNotHave) {
  constexpr auto kUnsupported = TokenizerCause::kUnsupported;
  expect_file_refused(
      byte_level(),
      {{kUnsupported, "\"Unigram\"", [](json& f) { f["model"]["type"] = "Unigram"; }},
       {kUnsupported, "\"dropout\"", [](json& f) { f["model"]["dropout"] = 0.1; }},
       {kUnsupported, "\"end_of_word_suffix\"", [](json& f) { f["model"]["end_of_word_suffix"] = "</w>"; }},
       {kUnsupported, "\"novel\"", [](json& f) { f["model"]["novel"] = 1; }},
       {kUnsupported, "truncation",
        [](json& f) {
          f["truncation"] = {{"max_length", 1}};
        }},
       {kUnsupported, "byte_fallback", [](json& f) { f["model"]["byte_fallback"] = true; }},
       {kUnsupported, "unk_token", [](json& f) { f["model"]["unk_token"] = "a"; }},
       {kUnsupported, "lstrip of added token \"!!\"", [](json& f) { f["added_tokens"][1]["lstrip"] = true; }},
       {kUnsupported, "normalizer \"NFKC\"",
        [](json& f) {
          f["normalizer"] = {{"type", "NFKC"}};
        }},
       {kUnsupported, "normalized of added token \"<|end|>\"",
        [](json& f) {
          f["normalizer"] = {{"type", "NFC"}};
        }},
       {kUnsupported, "a normalizer with ByteLevel",
        [](json& f) {
          f["normalizer"] = {{"type", "Prepend"}, {"prepend", "▁"}};
        }},
       {kUnsupported, "pre_tokenizer \"Whitespace\"",
        [](json& f) {
          f["pre_tokenizer"] = {{"type", "Whitespace"}};
        }},
       {kUnsupported, "pre_tokenizer \"Split\"",
        [](json& f) {
          f["pre_tokenizer"] = json::parse(R"({"type": "Sequence", "pretokenizers": [
              {"type": "Split", "pattern": {"Regex": "\\p{Han}+"}, "behavior": "Isolated"}, {"type": "ByteLevel"}]})");
        }},
       {kUnsupported, "spaces left", [](json& f) { f["pre_tokenizer"] = nullptr; }},
       {kUnsupported, "post_processor \"Bert", [](json& f) {
          f["post_processor"] = {{"type", "BertProcessing"}};
        }}});
  expect_file_refused(characters(),
                      {{kUnsupported, "NFC without ByteLevel",
                        [](json& f) {
                          f["normalizer"] = {{"type", "NFC"}};
                        }},
                       {kUnsupported, "normalized of", [](json& f) { f["added_tokens"][1]["normalized"] = true; }},
                       {kUnsupported, "post_processor", [](json& f) { f["post_processor"]["single"] = json::array(); }},
                       {kUnsupported, "post_processor",
                        [](json& f) {
                          f["post_processor"]["special_tokens"]["<s>"]["ids"] = {1, 2};
                        }},
                       {kUnsupported, "post_processor", [](json& f) { f["post_processor"].erase("special_tokens"); }}});
}

TEST(TokenizerJson, RefusesBytesThatAreNoJson) {
  const std::string good = byte_level().dump();
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    ASSERT_EQ(tokenizer_from_json(good.substr(0, cut)).error().cause, TokenizerCause::kJson);
  }
  EXPECT_EQ(tokenizer_from_json(good + "x").error().cause, TokenizerCause::kJson);
  EXPECT_EQ(tokenizer_from_json("{\"\xff\": 1}").error().cause, TokenizerCause::kJson);
  EXPECT_EQ(tokenizer_from_json(std::string(1000000, '[')).error().cause, TokenizerCause::kJson);
  const std::string deep = std::string(1000000, '[') + std::string(1000000, ']');
  EXPECT_EQ(tokenizer_from_json(deep).error().cause, TokenizerCause::kFieldType);
  EXPECT_EQ(tokenizer_from_json(std::string(tokenizer_limits::kJsonBytes + 1, ' ')).error().cause,
            TokenizerCause::kJson);
}

}  // namespace
}  // namespace avow::model
