// SPDX-License-Identifier: Apache-2.0
#include "base/hex.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace avow::base {
namespace {

TEST(Hex, WritesLowerCaseWithoutPrefix) {
  EXPECT_EQ(to_hex({}), "");
  EXPECT_EQ(to_hex(Bytes{0x00, 0x0f, 0xa5, 0xff}), "000fa5ff");
}

TEST(Hex, ReadsEitherCaseWithOrWithoutPrefix) {
  const Bytes expected = {0x00, 0x0f, 0xa5, 0xff};
  for (const std::string_view text : {"000fa5ff", "000FA5FF", "0x000fa5ff", "0x000Fa5fF"}) {
    EXPECT_EQ(from_hex(text), expected) << text;
  }
  EXPECT_EQ(from_hex(""), Bytes{});
  EXPECT_EQ(from_hex("0x"), Bytes{});
}

TEST(Hex, RejectsMalformedText) {
  for (const std::string_view text :
       {"0", "0x0", "abc", "0g", "g0", "0X00", " 00", "00 ", "0x0x00", "-1", "00\n", "x00"}) {
    EXPECT_EQ(from_hex(text), std::nullopt) << text;
  }
  EXPECT_EQ(from_hex(std::string_view("0\0", 2)), std::nullopt);
}

TEST(Hex, AcceptsExactlyTheHexadecimalDigits) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool is_digit = kDigits.find(c) != std::string_view::npos;
    EXPECT_EQ(from_hex(std::string{'0', c}).has_value(), is_digit || c == 'x') << i;  // "0x" is the empty string
    EXPECT_EQ(from_hex(std::string{c, '0'}).has_value(), is_digit) << i;
  }
}

TEST(Hex, EveryByteSurvivesTheRoundTrip) {
  Bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::uint8_t>(i));
  EXPECT_EQ(from_hex(to_hex(all)), all);
}

}  // namespace
}  // namespace avow::base
