// SPDX-License-Identifier: Apache-2.0
#include "chain/rlp.hpp"

#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"

namespace avow::chain {
namespace {

using testing::good;
using testing::hex;
using testing::verdict;

Rlp text(std::string_view content) { return Rlp::string(base::Bytes(content.begin(), content.end())); }

struct RlpVector {
  Rlp item;
  const char* encoding;
};

// The examples of the specification.
std::vector<RlpVector> rlp_vectors() {
  const Rlp none = Rlp::list({});
  const Rlp one = Rlp::list({none});
  return {
      {text("dog"), "83646f67"},
      {Rlp::list({text("cat"), text("dog")}), "c88363617483646f67"},
      {text(""), "80"},
      {none, "c0"},
      {Rlp::number(0), "80"},
      {Rlp::string(hex("00")), "00"},
      {Rlp::number(15), "0f"},
      {Rlp::number(1024), "820400"},
      {Rlp::list({none, one, Rlp::list({none, one})}), "c7c0c1c0c3c0c1c0"},
      {text("Lorem ipsum dolor sit amet, consectetur adipisicing elit"),
       "b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164697069736963696e6720"
       "656c6974"}};
}

TEST(RlpFormat, IsThatOfTheSpecification) {
  for (const auto& [item, encoding] : rlp_vectors()) {
    EXPECT_EQ(base::to_hex(encode(item)), encoding);
    EXPECT_EQ(good(decode_rlp(hex(encoding))), item) << encoding;
  }
  for (const std::size_t size : {55U, 56U, 255U, 256U, 65535U, 65536U}) {
    const Rlp item = Rlp::list({Rlp::string(base::Bytes(size, 0xab)), Rlp::number(7)});
    EXPECT_EQ(good(decode_rlp(encode(item))), item) << size;
  }
}

TEST(RlpFormat, IsTruncatedAtEveryLength) {
  const auto bytes =
      encode(Rlp::list({text("cat"), Rlp::list({Rlp::string(base::Bytes(300, 1)), text("")}), text("x")}));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(verdict(decode_rlp(base::ByteView(bytes).first(length))), "rlp.truncated") << length;
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(verdict(decode_rlp(longer)), "rlp.trailing");
}

TEST(RlpFormat, HasOneFormOfEachItem) {
  EXPECT_EQ(verdict(decode_rlp(hex("8100"))), "rlp.non_canonical");
  EXPECT_EQ(verdict(decode_rlp(hex("817f"))), "rlp.non_canonical");
  EXPECT_EQ(verdict(decode_rlp(hex("8180"))), "ok");
  EXPECT_EQ(verdict(decode_rlp(hex("b80180"))), "rlp.non_canonical");
  EXPECT_EQ(verdict(decode_rlp(hex("f800"))), "rlp.non_canonical");
  EXPECT_EQ(verdict(decode_rlp(hex("b90038"))), "rlp.non_canonical");
  EXPECT_EQ(verdict(decode_rlp(hex("bfffffffffffffffff"))), "rlp.truncated");
  EXPECT_EQ(verdict(decode_rlp(hex("ffffffffffffffffff"))), "rlp.truncated");
}

TEST(RlpFormat, IsBoundedInDepthAndItems) {
  Rlp nested = Rlp::list({});
  for (std::size_t depth = 1; depth < kMostRlpDepth; ++depth) nested = Rlp::list({nested});
  EXPECT_EQ(verdict(decode_rlp(encode(nested))), "ok");
  EXPECT_EQ(verdict(decode_rlp(encode(Rlp::list({nested})))), "rlp.limit");
  EXPECT_EQ(verdict(decode_rlp(encode(Rlp::list(std::vector<Rlp>(kMostRlpItems - 1, text("a")))))), "ok");
  EXPECT_EQ(verdict(decode_rlp(encode(Rlp::list(std::vector<Rlp>(kMostRlpItems, text("a")))))), "rlp.limit");
}

TEST(RlpFormat, NumbersHaveNoLeadingZeros) {
  EXPECT_EQ(good(number_of(Rlp::number(U256::max()))), U256::max());
  EXPECT_EQ(verdict(number_of(Rlp::string(hex("00")))), "rlp.non_canonical");
  EXPECT_EQ(verdict(number_of(Rlp::string(base::Bytes(33, 1)))), "rlp.non_canonical");
  EXPECT_EQ(verdict(number_of(Rlp::list({}))), "rlp.non_canonical");
}

}  // namespace
}  // namespace avow::chain
