// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_data.hpp"

#include <gtest/gtest.h>

#include <random>

#include "model/tokenizer.hpp"

namespace avow::model {
namespace {

TokenizerData every_field() {
  TokenizerData data;
  data.kind = TokenizerKind::kCharacterBpe;
  data.tokens = {"a", "b", "ab", "<s>", ""};
  data.types = {TokenType::kNormal, TokenType::kNormal, TokenType::kNormal, TokenType::kControl, TokenType::kUnused};
  data.scores = {1, 2, 0xffffffff};
  data.merges = {{0, 1}, {7, 9}};
  data.pre_tokenizer = PreTokenizer::kQwen2;
  data.space_prefix = SpacePrefix::kFirstUnlessSpace;
  data.to_nfc = data.add_bos = data.ignore_merges = true;
  data.bos = 3;
  data.unknown = 0;
  data.chat_template = "{{ x }}";
  return data;
}

TEST(CanonicalTokenizer, ComesBack) {
  for (const TokenizerData& data : {TokenizerData(), every_field()}) {
    const auto parsed = tokenizer_from_canonical(canonical_bytes(data));
    ASSERT_TRUE(parsed.ok()) << parsed.error().text;
    EXPECT_EQ(parsed.value(), data);
  }
}

TEST(CanonicalTokenizer, IsRefusedAtEveryLength) {
  const base::Bytes bytes = canonical_bytes(every_field());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(tokenizer_from_canonical({bytes.data(), length}).ok()) << length;
  }
  base::Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(tokenizer_from_canonical(longer).error().cause, TokenizerCause::kCount);
}

// Changed bytes are refused, or are those of what is read.
TEST(CanonicalTokenizer, HasOneForm) {
  const base::Bytes bytes = canonical_bytes(every_field());
  std::mt19937_64 rng(1);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int n = 0; n < 20; ++n) {
      base::Bytes changed = bytes;
      changed[i] = static_cast<std::uint8_t>(n < 8 ? changed[i] ^ (1U << n) : rng());
      const auto parsed = tokenizer_from_canonical(changed);
      if (parsed) {
        EXPECT_EQ(canonical_bytes(parsed.value()), changed);
      }
    }
  }
}

TEST(CanonicalTokenizer, CountsAreNoPromises) {
  base::Bytes bytes = canonical_bytes(TokenizerData());
  // The four counts and the size of the template are the last 20 bytes.
  for (std::size_t i = 0; i < 5; ++i) {
    for (const std::uint32_t count : {1U, 1U << 19, 1U << 31, ~0U}) {
      base::Bytes changed = bytes;
      base::store_be32(changed.data() + changed.size() - 4 * (5 - i), count);
      EXPECT_FALSE(tokenizer_from_canonical(changed).ok()) << i << " " << count;
    }
  }
}

}  // namespace
}  // namespace avow::model
