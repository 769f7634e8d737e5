// SPDX-License-Identifier: Apache-2.0
//
// Bytes per second on synthetic prose; vocabularies of the size in use come from the models that the tests read.
#include <benchmark/benchmark.h>

#include <string>

#include "base/check.hpp"
#include "base/random.hpp"
#include "model/tokenizer.hpp"

namespace avow::model {
namespace {

constexpr std::size_t kSize = std::size_t{1} << 20;

// Words of four letters, most of which become one token.
std::string prose() {
  base::SplitMix64 random(1);
  std::string text;
  while (text.size() < kSize) {
    for (std::uint64_t n = 1 + random() % 2; n > 0; --n) {
      text += static_cast<char>('a' + random() % 26);
      text += "aeiou"[random() % 5];
    }
    text += ' ';
  }
  return text;
}

// Letters, syllables of a consonant and a vowel, and pairs of syllables.
Tokenizer tokenizer_of(TokenizerKind kind) {
  TokenizerData data;
  data.kind = kind;
  data.tokens = {kind == TokenizerKind::kSpm ? "\xe2\x96\x81" : " "};
  for (char c = 'a'; c <= 'z'; ++c) data.tokens.emplace_back(1, c);
  for (char c = 'a'; c <= 'z'; ++c) {
    for (const char v : std::string("aeiou")) {
      data.merges.push_back({static_cast<TokenId>(c - 'a' + 1), static_cast<TokenId>(v - 'a' + 1)});
      data.tokens.push_back({c, v});
    }
  }
  for (TokenId a = 27; a < 157; ++a) {
    for (TokenId b = 27; b < 157; ++b) {
      data.merges.push_back({a, b});
      data.tokens.push_back(data.tokens[a] + data.tokens[b]);
    }
  }
  data.types.assign(data.tokens.size(), TokenType::kNormal);
  if (kind == TokenizerKind::kSpm) {
    // The bits of negative numbers grow as the numbers fall: earlier tokens have better scores.
    for (std::size_t i = 0; i < data.tokens.size(); ++i)
      data.scores.push_back(0x80000001 + static_cast<std::uint32_t>(i));
    data.merges.clear();
  } else {
    data.pre_tokenizer = PreTokenizer::kGpt2;
  }
  auto made = Tokenizer::create(std::move(data));
  AVOW_CHECK(made.ok());
  return std::move(made).value();
}

void encode(benchmark::State& state, TokenizerKind kind) {
  const Tokenizer tokenizer = tokenizer_of(kind);
  const std::string text = prose();
  for (auto _ : state) {
    const auto ids = tokenizer.encode(text);
    AVOW_CHECK(ids.ok());
    benchmark::DoNotOptimize(ids.value().data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void encode_byte_level(benchmark::State& state) { encode(state, TokenizerKind::kByteLevelBpe); }
void encode_spm(benchmark::State& state) { encode(state, TokenizerKind::kSpm); }
BENCHMARK(encode_byte_level)->Unit(benchmark::kMillisecond);
BENCHMARK(encode_spm)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace avow::model
