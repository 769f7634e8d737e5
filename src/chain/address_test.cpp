// SPDX-License-Identifier: Apache-2.0
#include "chain/address.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "chain/chain_testing.hpp"

namespace avow::chain {
namespace {

using testing::good;
using testing::verdict;

// The examples of EIP-55.
constexpr const char* kChecksummed[] = {
    "0x52908400098527886E0F7030069857D2E4169EE7", "0xde709f2102306220921060314715629080e2fb77",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"};

TEST(Address, HasItsChecksum) {
  for (const std::string text : kChecksummed) {
    EXPECT_EQ(to_string(good(parse_address(text))), text);
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    EXPECT_EQ(to_string(good(parse_address(lower))), text);
  }
}

TEST(Address, IsRefusedWithAWrongChecksumOrLength) {
  const std::string text = kChecksummed[2];
  for (std::size_t i = 2; i < text.size(); ++i) {
    std::string changed = text;
    if (std::isalpha(static_cast<unsigned char>(changed[i])) == 0) continue;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    EXPECT_EQ(verdict(parse_address(changed)), "text.address") << changed;
  }
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_EQ(verdict(parse_address(text.substr(0, length))), "text.address") << length;
  }
  EXPECT_EQ(verdict(parse_address(text + "0")), "text.address");
  EXPECT_EQ(verdict(parse_address("00" + text.substr(2))), "text.address");
}

TEST(Address, OfACreatedContractFollowsFromCreatorAndNonce) {
  const Address creator = good(parse_address("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"));
  EXPECT_EQ(created_address(creator, 0), good(parse_address("0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d")));
  EXPECT_EQ(created_address(creator, 1), good(parse_address("0x343c43a37d37dff08ae8c4a11544c718abb4fcf8")));
}

}  // namespace
}  // namespace avow::chain
