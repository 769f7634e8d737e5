// SPDX-License-Identifier: Apache-2.0
#include "answer/proof_file.hpp"

#include <gtest/gtest.h>

#include "answer/answers_testing.hpp"
#include "verifier/key.hpp"

namespace avow::answer {
namespace {

using testing::verdict;

const ProofFile kFile = {{1, 2, 3}, {4, 5, 6, 7}, {8, 9}};

TEST(ProofFile, ComesBack) {
  for (const ProofFile& file : {kFile, ProofFile{}, ProofFile{{1}, {}, {2}}}) {
    const auto bytes = encode(file);
    const auto parsed = parse_proof_file(bytes);
    ASSERT_TRUE(parsed) << to_string(parsed.error());
    EXPECT_EQ(parsed.value(), file);
  }
}

TEST(ProofFile, IsTruncatedAtEveryLength) {
  const auto bytes = encode(kFile);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(verdict(parse_proof_file(base::ByteView(bytes).first(length))), "file.truncated") << length;
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(verdict(parse_proof_file(longer)), "file.trailing");
}

TEST(ProofFile, AnyChangedByteIsRefusedOrSaysSomethingElse) {
  const auto bytes = encode(kFile);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = bytes;
      changed[i] ^= static_cast<std::uint8_t>(1U << bit);
      const auto parsed = parse_proof_file(changed);
      EXPECT_EQ(parsed.ok(), i >= 24) << i;
      if (parsed) {
        EXPECT_NE(parsed.value(), kFile);
        EXPECT_EQ(encode(parsed.value()), changed);
      }
    }
  }
}

TEST(ProofFile, EveryRuleOfTheLayoutIsChecked) {
  const auto good = encode(kFile);
  const auto after = [&](std::size_t at, std::uint32_t number) {
    auto bytes = good;
    base::store_be32(&bytes[at], number);
    return verdict(parse_proof_file(bytes));
  };
  EXPECT_EQ(after(0, 0), "file.magic");
  EXPECT_EQ(after(4, 0), "file.magic");
  EXPECT_EQ(after(8, 2), "file.version");
  EXPECT_EQ(after(12, verifier::kMaxKeyBytes), "file.truncated");
  EXPECT_EQ(after(12, verifier::kMaxKeyBytes + 1), "file.size");
  EXPECT_EQ(after(16, kMaxDeliveryBytes), "file.truncated");
  EXPECT_EQ(after(16, kMaxDeliveryBytes + 1), "file.size");
  EXPECT_EQ(after(20, kMaxProofBytes), "file.truncated");
  EXPECT_EQ(after(20, kMaxProofBytes + 1), "file.size");
  EXPECT_EQ(after(20, 0xffffffff), "file.size");
  EXPECT_EQ(after(20, 1), "file.trailing");
}

}  // namespace
}  // namespace avow::answer
