// SPDX-License-Identifier: Apache-2.0
#include "chain/uint256.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "chain/chain_testing.hpp"

namespace avow::chain {
namespace {

using testing::good;
using testing::verdict;

constexpr char kMaxDecimal[] = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

// Numbers of all lengths, the limits among them.
std::vector<U256> some_numbers() {
  std::vector<U256> numbers{0, 1, 9, 10, U256::max()};
  base::SplitMix64 random(7);
  for (unsigned bit = 0; bit < 256; bit += 5) {
    numbers.push_back(U256::power_of_two(bit));
    base::Bytes bytes(bit / 8 + 1);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    numbers.push_back(*U256::from_bytes(bytes));
  }
  return numbers;
}

TEST(Uint256, ComesBackFromEveryForm) {
  for (const U256& number : some_numbers()) {
    EXPECT_EQ(good(parse_decimal(to_decimal(number))), number);
    EXPECT_EQ(good(parse_quantity(to_quantity(number))), number);
    EXPECT_EQ(U256::from_bytes(number.to_bytes()), number);
    EXPECT_EQ(U256::from_bytes(number.to_short_bytes()), number);
    for (const unsigned decimals : {0U, 1U, 18U, 77U}) {
      EXPECT_EQ(good(parse_units(to_units(number, decimals), decimals)), number) << to_units(number, decimals);
    }
  }
  EXPECT_EQ(to_decimal(U256::max()), kMaxDecimal);
  EXPECT_EQ(to_quantity(0), "0x0");
  EXPECT_EQ(to_quantity(0x4d2), "0x4d2");
}

TEST(Uint256, ArithmeticNeverWraps) {
  const auto numbers = some_numbers();
  for (const U256& a : numbers) {
    for (const U256& b : numbers) {
      const auto sum = add(a, b);
      EXPECT_EQ(sum.has_value(), b <= *subtract(U256::max(), a));
      EXPECT_EQ(sum ? subtract(*sum, b) : a, a);
      EXPECT_EQ(subtract(a, b).has_value(), a >= b);
    }
    for (const std::uint64_t b : {std::uint64_t{1}, std::uint64_t{10}, ~std::uint64_t{0}}) {
      std::uint64_t remainder = 0;
      const U256 quotient = divide(a, b, &remainder);
      EXPECT_LT(remainder, b);
      EXPECT_EQ(add(*multiply(quotient, b), remainder), a);
    }
    EXPECT_EQ(multiply(a, 2).has_value(), a.bit_length() < 256);
    EXPECT_EQ(add(a, a.negated()).has_value(), a == U256(0));
  }
}

TEST(Uint256, TextThatIsNoNumberIsRefused) {
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "1.5",
                           "115792089237316195423570985008687907853269984665640564039457584007913129639936"}) {
    EXPECT_EQ(verdict(parse_decimal(text)), "text.number") << text;
  }
  for (const char* text : {"", "0x", "0", "1", "0x00", "0x01", "0X1", "0xg", "0x1 ",
                           "0x10000000000000000000000000000000000000000000000000000000000000000"}) {
    EXPECT_EQ(verdict(parse_quantity(text)), "text.number") << text;
  }
  for (const char* text : {"", ".", "1.", ".5", "1.2.3", "0.0000000000000000001", "1,5"}) {
    EXPECT_EQ(verdict(parse_units(text, 18)), "text.number") << text;
  }
  EXPECT_EQ(to_decimal(good(parse_units("1.5", 18))), "1500000000000000000");
  EXPECT_EQ(to_units(good(parse_units("0.05", 18)), 18), "0.05");
}

}  // namespace
}  // namespace avow::chain
