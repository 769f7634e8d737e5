// SPDX-License-Identifier: Apache-2.0
#include "model/bpe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>

#include "base/random.hpp"
#include "model/spm.hpp"
#include "model/tokenizer_check.hpp"
#include "model/tokenizer_files_testing.hpp"

namespace avow::model {
namespace {

bool same(const std::vector<Symbol>& a, const std::vector<Symbol>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Symbol& x, const Symbol& y) {
    return x.begin == y.begin && x.size == y.size && x.id == y.id;
  });
}

// Vocabularies over three letters in which merges come in any order: also ones that make earlier merges possible.
TokenizerData random_merges(base::SplitMix64& random) {
  std::vector<std::pair<std::string, std::string>> merges;
  std::vector<std::string> tokens{"a", "b", "c"};
  std::map<std::pair<std::string, std::string>, bool> seen;
  for (std::uint64_t n = 1 + random() % 20; n > 0; --n) {
    const std::pair pair(tokens[random() % tokens.size()], tokens[random() % tokens.size()]);
    if (seen[pair]) continue;
    seen[pair] = true;
    merges.push_back(pair);
    tokens.push_back(pair.first + pair.second);
  }
  TokenizerData data = byte_level_data(merges);
  for (std::size_t i = data.merges.size(); i > 1; --i) std::swap(data.merges[i - 1], data.merges[random() % i]);
  return data;
}

std::string random_text(base::SplitMix64& random, std::uint64_t most) {
  std::string text;
  for (std::uint64_t n = random() % most; n > 0; --n) text += static_cast<char>('a' + random() % 3);
  return text;
}

TEST(Merger, AgreesWithItsReferenceOnMerges) {
  base::SplitMix64 random(3);
  Merger merger;
  for (int i = 0; i < 2000; ++i) {
    const TokenizerData data = random_merges(random);
    const TokenIndex index(data.tokens, mergeable_ids(data));
    const auto results = merge_results(data, index);
    ASSERT_TRUE(results.ok()) << results.error().text;
    const MergeTable table(data.merges, results.value(), data.tokens.size());
    const auto look_up = [&](const Symbol& left, const Symbol& right) { return table.find(left.id, right.id); };
    for (int k = 0; k < 10; ++k) {
      const std::string text = random_text(random, 60);
      std::vector<Symbol> symbols;
      for (std::uint32_t b = 0; b < text.size(); ++b) symbols.push_back({b, 1, static_cast<TokenId>(text[b])});
      std::vector<Symbol> reference = symbols;
      merger.merge(symbols, look_up);
      merge_ref(reference, look_up);
      ASSERT_TRUE(same(symbols, reference)) << text;
    }
  }
}

TEST(Merger, AgreesWithItsReferenceOnScores) {
  base::SplitMix64 random(4);
  Merger merger;
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::string> tokens{"a", "b", "c"};
    for (std::uint64_t n = 1 + random() % 20; n > 0; --n) {
      const std::string token = random_text(random, 6);
      if (token.size() > 1 && std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(token);
    }
    std::vector<std::uint32_t> scores;
    // Few values, so that equal scores are common.
    for (std::size_t t = 0; t < tokens.size(); ++t)
      scores.push_back(static_cast<std::uint32_t>(random() % 5 * 0x30000000));
    const auto priorities = spm_priorities(scores);
    const std::vector<TokenType> types(tokens.size(), TokenType::kNormal);
    std::vector<TokenId> ids(tokens.size());
    for (TokenId id = 0; id < ids.size(); ++id) ids[id] = id;
    const TokenIndex index(tokens, ids);
    const std::string text = random_text(random, 80);
    UnusedSplits splits;
    const SpmLookUp look_up(text, index, priorities, types, splits);
    std::vector<Symbol> symbols;
    for (std::uint32_t b = 0; b < text.size(); ++b) symbols.push_back({b, 1, *index.find(text.substr(b, 1))});
    std::vector<Symbol> reference = symbols;
    merger.merge(symbols, look_up);
    merge_ref(reference, look_up);
    ASSERT_TRUE(same(symbols, reference)) << text;
  }
}

TEST(Spm, PrioritiesFollowScores) {
  const std::vector<float> falling{1e30f, 2.5f, 1.0f, 1e-40f, 0.0f, -1e-40f, -1.0f, -3.0f, -1e30f};
  std::vector<std::uint32_t> bits;
  for (const float score : falling) bits.push_back(std::bit_cast<std::uint32_t>(score));
  const auto priorities = spm_priorities(bits);
  for (std::size_t i = 1; i < priorities.size(); ++i) EXPECT_LT(priorities[i - 1], priorities[i]) << falling[i];
}

TEST(TokenIndex, FindsEveryTokenAndNothingElse) {
  std::vector<std::string> tokens;
  base::SplitMix64 random(5);
  for (int i = 0; i < 5000; ++i) tokens.push_back(std::to_string(random() % 100000));
  std::vector<TokenId> ids;
  for (TokenId id = 0; id < tokens.size(); id += 2) ids.push_back(id);
  const TokenIndex index(tokens, ids);
  std::map<std::string, TokenId> known;
  for (const TokenId id : ids) known.emplace(tokens[id], id);
  for (int i = 0; i < 100000; ++i) {
    const auto at = known.find(std::to_string(i));
    ASSERT_EQ(index.find(std::to_string(i)), at == known.end() ? std::nullopt : std::optional(at->second));
  }
  EXPECT_EQ(TokenIndex(tokens, std::span<const TokenId>()).find("1"), std::nullopt);
}

TEST(SpecialTokens, TheLeftmostAndThenTheLongestWins) {
  base::SplitMix64 random(6);
  for (int i = 0; i < 3000; ++i) {
    std::vector<std::string> tokens;
    std::vector<TokenId> ids;
    for (std::uint64_t n = random() % 8; n > 0; --n) {
      std::string token = random_text(random, 5);
      token.insert(0, 1, 'a');
      if (std::find(tokens.begin(), tokens.end(), token) != tokens.end()) continue;
      ids.push_back(static_cast<TokenId>(tokens.size()));
      tokens.push_back(token);
    }
    const SpecialTokens special(tokens, ids);
    const std::string text = random_text(random, 30);
    std::optional<SpecialTokens::Match> expected;
    for (std::size_t at = 0; at < text.size() && !expected; ++at) {
      for (const TokenId id : ids) {
        const bool longer = !expected || tokens[id].size() > tokens[expected->id].size();
        if (text.compare(at, tokens[id].size(), tokens[id]) == 0 && longer) expected = SpecialTokens::Match{at, id};
      }
    }
    const auto found = special.find(text, 0);
    ASSERT_EQ(found.has_value(), expected.has_value()) << text;
    if (!found) continue;
    ASSERT_EQ(std::pair(found->begin, found->id), std::pair(expected->begin, expected->id)) << text;
  }
}

}  // namespace
}  // namespace avow::model
