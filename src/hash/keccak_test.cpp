// SPDX-License-Identifier: Apache-2.0
#include "hash/keccak.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/hex.hpp"
#include "hash/keccak_constants.hpp"

#include <hwy/highway.h>

namespace avow::hash {
namespace {

// ---- Reference, written from the Keccak specification (version 3.0): one function for each step mapping, the offsets
// and constants computed from their definitions. It shares nothing with the library.

using Lanes = std::array<std::array<std::uint64_t, 5>, 5>;  // [x][y]

std::uint64_t rotate_ref(std::uint64_t lane, unsigned offset) {
  offset %= 64;
  return offset == 0 ? lane : (lane << offset) | (lane >> (64 - offset));
}

Lanes theta_ref(const Lanes& a) {
  Lanes result = a;
  for (std::size_t x = 0; x < 5; ++x) {
    for (std::size_t z = 0; z < 5; ++z) {
      for (std::size_t y = 0; y < 5; ++y) result[x][y] ^= a[(x + 4) % 5][z] ^ rotate_ref(a[(x + 1) % 5][z], 1);
    }
  }
  return result;
}

Lanes rho_ref(const Lanes& a) {
  Lanes result = a;
  std::size_t x = 1;
  std::size_t y = 0;
  for (unsigned t = 0; t < 24; ++t) {
    result[x][y] = rotate_ref(a[x][y], (t + 1) * (t + 2) / 2);
    const std::size_t next_y = (2 * x + 3 * y) % 5;
    x = y;
    y = next_y;
  }
  return result;
}

Lanes pi_ref(const Lanes& a) {
  Lanes result{};
  for (std::size_t x = 0; x < 5; ++x) {
    for (std::size_t y = 0; y < 5; ++y) result[y][(2 * x + 3 * y) % 5] = a[x][y];
  }
  return result;
}

Lanes chi_ref(const Lanes& a) {
  Lanes result{};
  for (std::size_t x = 0; x < 5; ++x) {
    for (std::size_t y = 0; y < 5; ++y) result[x][y] = a[x][y] ^ (~a[(x + 1) % 5][y] & a[(x + 2) % 5][y]);
  }
  return result;
}

// rc[t] = x^t mod x^8 + x^6 + x^5 + x^4 + 1 over GF(2), its constant coefficient.
bool lfsr_ref(unsigned t) {
  unsigned r = 1;
  for (unsigned i = 0; i < t % 255; ++i) {
    r <<= 1;
    if (r & 0x100) r ^= 0x171;
  }
  return r & 1;
}

std::uint64_t round_constant_ref(unsigned round) {
  std::uint64_t constant = 0;
  for (unsigned j = 0; j <= 6; ++j) {
    if (lfsr_ref(j + 7 * round)) constant |= std::uint64_t{1} << ((1u << j) - 1);
  }
  return constant;
}

Lanes permute_ref(Lanes a) {
  for (unsigned round = 0; round < 24; ++round) {
    a = chi_ref(pi_ref(rho_ref(theta_ref(a))));
    a[0][0] ^= round_constant_ref(round);
  }
  return a;
}

base::Digest keccak256_ref(base::ByteView message) {
  base::Bytes padded(message.begin(), message.end());
  padded.push_back(0x01);
  while (padded.size() % 136 != 0) padded.push_back(0);
  padded.back() |= 0x80;
  Lanes state{};
  for (std::size_t block = 0; block < padded.size(); block += 136) {
    for (std::size_t i = 0; i < 136; ++i) {
      state[i / 8 % 5][i / 40] ^= std::uint64_t{padded[block + i]} << (8 * (i % 8));
    }
    state = permute_ref(state);
  }
  base::Digest digest;
  for (std::size_t i = 0; i < 32; ++i) digest[i] = static_cast<std::uint8_t>(state[i / 8][0] >> (8 * (i % 8)));
  return digest;
}

base::Bytes random_bytes(std::mt19937_64& random, std::size_t size) {
  base::Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

base::ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// ---- Single hashes

TEST(Keccak256, KnownAnswers) {
  EXPECT_EQ(base::to_hex(keccak256({})), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(base::to_hex(keccak256(as_bytes("abc"))),
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  EXPECT_EQ(base::to_hex(keccak256_ref({})), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
}

TEST(Keccak256, RoundConstantsFollowTheLfsr) {
  for (unsigned round = 0; round < kRounds; ++round) EXPECT_EQ(kRoundConstants[round], round_constant_ref(round));
}

TEST(Keccak256, EveryLengthEqualsTheReference) {
  std::mt19937_64 random(1);
  for (std::size_t size = 0; size <= 300; ++size) {
    const base::Bytes message = random_bytes(random, size);
    ASSERT_EQ(keccak256(message), keccak256_ref(message)) << "length " << size;
  }
}

TEST(HasLeadingZeros, CountsFromTheFirstBitOfTheFirstByte) {
  base::Digest digest{};
  digest[2] = 0x10;  // 19 zero bits
  for (unsigned bits = 0; bits <= 64; ++bits) EXPECT_EQ(has_leading_zeros(digest, bits), bits <= 19) << bits;
  digest = {};
  digest[8] = 0xff;
  EXPECT_TRUE(has_leading_zeros(digest, 64));
  digest[7] = 1;
  EXPECT_FALSE(has_leading_zeros(digest, 64));
  EXPECT_TRUE(has_leading_zeros(digest, 63));
}

TEST(HasLeadingZerosDeathTest, MoreBitsThanAWord) {
  EXPECT_DEATH(static_cast<void>(has_leading_zeros({}, 65)), "check failed");
}

// ---- Batched code, once for every instruction set that was compiled and that this machine has

class Batched : public testing::TestWithParam<std::int64_t> {
 protected:
  void SetUp() override { hwy::SetSupportedTargetsForTest(GetParam()); }
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }
};

INSTANTIATE_TEST_SUITE_P(Targets, Batched, testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& test) { return std::string(hwy::TargetName(test.param)); });

base::Digest row_digest(const std::uint64_t* row, std::size_t row_len) {
  base::Bytes message;
  for (std::size_t j = 0; j < row_len; ++j) base::append_be64(message, row[j]);
  return keccak256(message);
}

void expect_rows(std::mt19937_64& random, std::size_t row_len, std::size_t stride, std::size_t count) {
  // Not one word more than the rows need: an address sanitizer sees any read beyond the last row.
  std::vector<std::uint64_t> rows((count - 1) * stride + row_len);
  for (auto& word : rows) word = random();
  const base::Digest untouched = {0xaa, 0x55};
  std::vector<base::Digest> digests(count + 1, untouched);
  keccak256_rows(rows.data(), row_len, stride, count, digests.data());
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(digests[i], row_digest(rows.data() + i * stride, row_len))
        << "row " << i << " of " << count << ", length " << row_len << ", stride " << stride;
  }
  ASSERT_EQ(digests[count], untouched) << "wrote beyond the last digest";
}

TEST_P(Batched, RowsOfEveryLengthEqualSingleHashes) {
  std::mt19937_64 random(2);
  for (std::size_t row_len = 1; row_len <= 80; ++row_len) {
    for (const std::size_t count : {1u, 2u, 3u, 7u, 8u, 9u, 16u, 21u}) {
      expect_rows(random, row_len, row_len, count);
      expect_rows(random, row_len, row_len + 3, count);
    }
  }
}

TEST_P(Batched, RowsOfLengthZeroAndNoRows) {
  std::array<base::Digest, 3> digests{};
  keccak256_rows(nullptr, 5, 5, 0, nullptr);
  const std::uint64_t unused = 0;
  keccak256_rows(&unused, 0, 0, digests.size(), digests.data());
  for (const auto& digest : digests) EXPECT_EQ(digest, keccak256({}));
}

TEST_P(Batched, PairsEqualSingleHashes) {
  std::mt19937_64 random(3);
  keccak256_pairs(nullptr, 0, nullptr);
  for (std::size_t pairs = 1; pairs <= 35; ++pairs) {
    std::vector<base::Digest> children(2 * pairs);
    for (auto& child : children) {
      for (auto& byte : child) byte = static_cast<std::uint8_t>(random());
    }
    const base::Digest untouched = {0xaa, 0x55};
    std::vector<base::Digest> digests(pairs + 1, untouched);
    keccak256_pairs(children.data(), pairs, digests.data());
    for (std::size_t i = 0; i < pairs; ++i) {
      base::Bytes message(children[2 * i].begin(), children[2 * i].end());
      base::append(message, children[2 * i + 1]);
      ASSERT_EQ(digests[i], keccak256(message)) << "pair " << i << " of " << pairs;
    }
    ASSERT_EQ(digests[pairs], untouched) << "wrote beyond the last digest";
  }
}

std::optional<std::uint64_t> find_nonce_ref(const base::Bytes& prefix, unsigned bits, std::uint64_t begin,
                                            std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    base::Bytes message = prefix;
    base::append_be64(message, begin + i);
    if (has_leading_zeros(keccak256(message), bits)) return begin + i;
  }
  return std::nullopt;
}

TEST_P(Batched, NonceIsTheSmallestForEveryPrefixLength) {
  std::mt19937_64 random(4);
  for (std::size_t size = 0; size <= 120; ++size) {
    const base::Bytes prefix = random_bytes(random, size);
    const unsigned bits = static_cast<unsigned>(size % 8);
    const std::uint64_t begin = random();  // all bytes of the nonce matter
    ASSERT_EQ(find_nonce(prefix, bits, begin, 200), find_nonce_ref(prefix, bits, begin, 200)) << "prefix " << size;
  }
}

TEST_P(Batched, NonceRangeIsHalfOpen) {
  const base::Bytes prefix = {1, 2, 3};
  constexpr unsigned kBits = 9;
  const auto nonce = find_nonce_ref(prefix, kBits, 0, 100'000);
  ASSERT_TRUE(nonce);
  ASSERT_GT(*nonce, 20u);
  EXPECT_EQ(find_nonce(prefix, kBits, 0, 100'000), nonce);
  // Each start gives the hit another place in the vector; with one nonce fewer it must not be seen.
  for (std::uint64_t before = 0; before < 20; ++before) {
    EXPECT_EQ(find_nonce(prefix, kBits, *nonce - before, before + 1), nonce) << before;
    EXPECT_EQ(find_nonce(prefix, kBits, *nonce - before, before), std::nullopt) << before;
  }
  EXPECT_EQ(find_nonce(prefix, 0, 77, 0), std::nullopt);
  EXPECT_EQ(find_nonce(prefix, 0, 77, 1), 77u);
}

TEST_P(Batched, NoncesUpToTheLargest) {
  const base::Bytes prefix = {9};
  const std::uint64_t begin = ~std::uint64_t{0} - 4;
  EXPECT_EQ(find_nonce(prefix, 64, begin, 5), std::nullopt);
  for (unsigned bits = 0; bits < 6; ++bits) {
    EXPECT_EQ(find_nonce(prefix, bits, begin, 5), find_nonce_ref(prefix, bits, begin, 5));
  }
}

TEST(FindNonceDeathTest, PrefixLongerThanOneBlock) {
  const base::Bytes prefix(121);
  EXPECT_DEATH(static_cast<void>(find_nonce(prefix, 1, 0, 1)), "check failed");
}

}  // namespace
}  // namespace avow::hash
