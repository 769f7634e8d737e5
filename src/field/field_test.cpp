// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "field/extension.hpp"
#include "field/goldilocks.hpp"

namespace avow::field {
namespace {

// Boundary values and random ones.
std::vector<Fp> samples() {
  std::vector<Fp> out;
  for (const std::uint64_t v : {0ull, 1ull, 2ull, 0xffffffffull, 0x100000000ull, 0x8000000000000000ull}) {
    out.emplace_back(v);
    out.push_back(-Fp(v));
  }
  out.push_back(Fp(kP - 1));
  out.push_back(Fp((kP - 1) / 2));
  std::mt19937_64 rng(1);
  for (int i = 0; i < 100; ++i) out.emplace_back(rng());
  return out;
}

std::uint64_t slow_mod(Uint128 x) { return static_cast<std::uint64_t>(x % kP); }

TEST(Fp, ArithmeticAgreesWithWideDivision) {
  for (const Fp a : samples()) {
    for (const Fp b : samples()) {
      EXPECT_EQ((a + b).value(), slow_mod(Uint128{a.value()} + b.value()));
      EXPECT_EQ((a - b).value(), slow_mod(Uint128{a.value()} + kP - b.value()));
      EXPECT_EQ((a * b).value(), slow_mod(Uint128{a.value()} * b.value()));
    }
    EXPECT_EQ((a + -a), Fp());
    EXPECT_EQ(a * a.inverse(), a == Fp() ? Fp() : kOne);
  }
}

TEST(Fp, ReducesEvery128BitValue) {
  std::mt19937_64 rng(2);
  const std::uint64_t edges[] = {0, 1, 0xffffffff, 0x100000000, kP - 1, kP, kP + 1, ~std::uint64_t{0}, 1ull << 63};
  for (const auto hi : edges) {
    for (const auto lo : edges) EXPECT_EQ(reduce128((Uint128{hi} << 64) | lo), slow_mod((Uint128{hi} << 64) | lo));
  }
  for (int i = 0; i < 10000; ++i) {
    const Uint128 x = (Uint128{rng()} << 64) | rng();
    EXPECT_EQ(reduce128(x), slow_mod(x));
  }
}

TEST(Fp, SignedIntegers) {
  EXPECT_EQ(Fp::from_int(-1), Fp(kP - 1));
  EXPECT_EQ(Fp::from_int(INT64_MIN), -Fp(1ull << 63));
  EXPECT_EQ(Fp::from_int(INT64_MAX), Fp((1ull << 63) - 1));
}

TEST(Fp, DoorRefusesPAndAbove) {
  EXPECT_TRUE(Fp::from_canonical(0).has_value());
  EXPECT_TRUE(Fp::from_canonical(kP - 1).has_value());
  EXPECT_FALSE(Fp::from_canonical(kP).has_value());
  EXPECT_FALSE(Fp::from_canonical(kP + 1).has_value());
  EXPECT_FALSE(Fp::from_canonical(~std::uint64_t{0}).has_value());
  std::uint8_t bytes[8] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1};
  EXPECT_FALSE(decode_fp(bytes).has_value());
  bytes[7] = 0;
  EXPECT_EQ(decode_fp(bytes), Fp(kP - 1));
}

TEST(Fp, EncodingIsBigEndian) {
  std::uint8_t bytes[8];
  encode(Fp(0x0102030405060708), bytes);
  for (std::uint8_t i = 0; i < 8; ++i) EXPECT_EQ(bytes[i], i + 1);
}

TEST(Fp, RootsOfUnityHaveTheirOrder) {
  EXPECT_EQ(root_of_unity(0), kOne);
  for (unsigned k = 1; k <= kTwoAdicity; ++k) {
    EXPECT_EQ(root_of_unity(k) * root_of_unity(k), root_of_unity(k - 1));
    EXPECT_NE(root_of_unity(k).pow(std::uint64_t{1} << (k - 1)), kOne);
  }
  // 7 generates: its order is no proper divisor of p - 1 = 2^32 * 3 * 5 * 17 * 257 * 65537.
  for (const std::uint64_t q : {2ull, 3ull, 5ull, 17ull, 257ull, 65537ull})
    EXPECT_NE(kGenerator.pow((kP - 1) / q), kOne);
}

TEST(Fp, DomainPointsAreBitReversedPowers) {
  const unsigned log_size = 6;
  const Fp root = root_of_unity(log_size);
  for (std::uint64_t i = 0; i < 64; ++i) {
    std::uint64_t reversed = 0;
    for (unsigned b = 0; b < log_size; ++b) reversed |= ((i >> b) & 1) << (log_size - 1 - b);
    EXPECT_EQ(domain_point(log_size, i), root.pow(reversed));
  }
}

TEST(Fp, BatchInverseKeepsZeros) {
  auto elements = samples();
  const auto before = elements;
  batch_inverse(elements);
  for (std::size_t i = 0; i < elements.size(); ++i) EXPECT_EQ(elements[i], before[i].inverse());
}

std::vector<Fp3> samples3(std::size_t count) {
  const auto base = samples();
  std::mt19937_64 rng(3);
  std::vector<Fp3> out = {Fp3(), kOne3, Fp3(-kOne)};
  while (out.size() < count) {
    out.emplace_back(base[rng() % base.size()], base[rng() % base.size()], base[rng() % base.size()]);
  }
  return out;
}

// Product of polynomials, reduced coefficient by coefficient.
Fp3 slow_product(const Fp3& a, const Fp3& b) {
  Fp wide[5];
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) wide[i + j] += a.c[i] * b.c[j];
  }
  return {wide[0] + Fp(2) * wide[3], wide[1] + Fp(2) * wide[4], wide[2]};
}

TEST(Fp3, ArithmeticIsThatOfThePolynomialRing) {
  for (const Fp3& a : samples3(60)) {
    for (const Fp3& b : samples3(60)) {
      EXPECT_EQ(a * b, slow_product(a, b));
      EXPECT_EQ(a - b + b, a);
    }
    EXPECT_EQ(a * a.inverse(), a == Fp3() ? Fp3() : kOne3);
    EXPECT_EQ(a * Fp(5), a * Fp3(Fp(5)));
  }
}

TEST(Fp3, TwoIsNoCube) {
  // If it were, X^3 - 2 would split and the ring would have zero divisors.
  EXPECT_NE(Fp(2).pow((kP - 1) / 3), kOne);
}

TEST(Fp3, BatchInverseKeepsZeros) {
  auto elements = samples3(50);
  const auto before = elements;
  batch_inverse(elements);
  for (std::size_t i = 0; i < elements.size(); ++i) EXPECT_EQ(elements[i], before[i].inverse());
}

TEST(Fp3, EncodingRoundTripsAndRefusesNonCanonical) {
  for (const Fp3& a : samples3(30)) {
    std::uint8_t bytes[kFp3Bytes];
    encode(a, bytes);
    EXPECT_EQ(decode_fp3(bytes), a);
    for (std::size_t k = 0; k < 3; ++k) {
      std::uint8_t bad[kFp3Bytes];
      std::copy(bytes, bytes + kFp3Bytes, bad);
      base::store_be64(bad + 8 * k, kP);
      EXPECT_FALSE(decode_fp3(bad).has_value());
    }
  }
}

}  // namespace
}  // namespace avow::field
