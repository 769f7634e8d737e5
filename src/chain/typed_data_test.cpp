// SPDX-License-Identifier: Apache-2.0
#include "chain/typed_data.hpp"

#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"

namespace avow::chain {
namespace {

using testing::good;
using testing::verdict;

// The example of EIP-712.
constexpr char kMail[] = "Mail(Person from,Person to,string contents)Person(string name,address wallet)";

Value mail() {
  const auto person = [](const char* name, const char* wallet) {
    return Value::List{name, good(parse_address(wallet))};
  };
  return Value::List{person("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"),
                     person("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"), "Hello, Bob!"};
}

Domain mail_domain() {
  return {"Ether Mail", "1", 1, good(parse_address("0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"))};
}

TEST(TypedData, HashesTheExampleOfTheEip) {
  const Type type = good(parse_typed(kMail));
  EXPECT_EQ(encode_type(type), kMail);
  EXPECT_EQ(base::to_hex(topic_of(kMail)), "a0cedeb2dc280ba39b857546d74f5549c3a1d7bdc2dd96bf881f76108e23dac2");
  const auto hash = good(hash_struct(type, mail()));
  EXPECT_EQ(base::to_hex(hash), "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
  const auto separator = domain_separator(mail_domain());
  EXPECT_EQ(base::to_hex(separator), "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");
  EXPECT_EQ(base::to_hex(typed_data_digest(separator, hash)),
            "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
}

TEST(TypedData, ListsAreHashesOfTheirElements) {
  const Type type = good(parse_typed("A(uint8[2] a,B[] b,bytes c)B(int8 d)"));
  const auto hash = hash_struct(type, Value::List{Value::List{1, 2}, Value::List{Value::List{-1}}, base::Bytes{7}});
  EXPECT_EQ(verdict(hash), "ok");
  // The same, put together by hand.
  const auto hash_of = [](const base::Bytes& bytes) { return topic_of(std::string(bytes.begin(), bytes.end())); };
  const auto put = [](base::Bytes bytes, const base::Digest& word) {
    base::append(bytes, word);
    return bytes;
  };
  const auto numbers = hash_of(put(put({}, U256(1).to_bytes()), U256(2).to_bytes()));
  const auto structure = hash_of(put(put({}, topic_of("B(int8 d)")), U256::max().to_bytes()));
  base::Bytes whole = put({}, topic_of("A(uint8[2] a,B[] b,bytes c)B(int8 d)"));
  whole = put(put(put(whole, numbers), hash_of(put({}, structure))), hash_of({7}));
  EXPECT_EQ(hash.value(), hash_of(whole));
}

TEST(TypedData, ValuesThatDoNotFitAreRefused) {
  const Type type = good(parse_typed("A(uint8[2] a,B b)B(int8 d)"));
  EXPECT_EQ(verdict(hash_struct(type, 1)), "abi.value");
  EXPECT_EQ(verdict(hash_struct(type, Value::List{1})), "abi.value");
  EXPECT_EQ(verdict(hash_struct(type, Value::List{Value::List{1}, Value::List{1}})), "abi.value");
  EXPECT_EQ(verdict(hash_struct(type, Value::List{Value::List{1, 2}, Value::List{128}})), "abi.value");
  EXPECT_EQ(verdict(hash_struct(type, Value::List{Value::List{1, 2}, Value::List{127}})), "ok");
}

TEST(TypedData, TypesAreRefusedCutAtEveryLengthAndMalformed) {
  const std::string text = kMail;
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_NE(verdict(parse_typed(text.substr(0, length))), "ok") << length;
  }
  for (const char* other : {"A()", "A(uint8)", "A(uint8 )", "A(uint8 a b)", "A(uint8 a,)", "(uint8 a)", "A(uint8 a)x",
                            "A(A[] a)", "A(B b)B(A a)", "A(uint8 a)B(uint8 b)", "A(C c,B b)C(bool c)B(bool b)",
                            "A(uint8 a)A(uint8 a)", "A(uint a)", ")A(uint8 a"}) {
    EXPECT_NE(verdict(parse_typed(other)), "ok") << other;
  }
}

// A(B[] a0,B[] a1,...)B(bool b0,bool b1,...): each B is kept with all of its fields.
std::string nested_type(int outer, int inner) {
  std::string text = "A(";
  for (int i = 0; i < outer; ++i) text += (i > 0 ? ",B[] a" : "B[] a") + std::to_string(i);
  text += ")B(";
  for (int i = 0; i < inner; ++i) text += (i > 0 ? ",bool b" : "bool b") + std::to_string(i);
  return text + ')';
}

TEST(TypedData, SmallTextsDoNotBecomeLargeTypes) {
  EXPECT_EQ(verdict(parse_typed(nested_type(64, 63))), "ok") << "4,096 fields";
  EXPECT_EQ(verdict(parse_typed(nested_type(64, 64))), "typed_data.type");
  EXPECT_EQ(verdict(parse_typed(nested_type(600, 600))), "typed_data.type");
  const auto of_size = [](std::size_t bytes) { return "A(bool " + std::string(bytes - 8, 'b') + ')'; };
  EXPECT_EQ(verdict(parse_typed(of_size(kMostTypedBytes))), "ok");
  EXPECT_EQ(verdict(parse_typed(of_size(kMostTypedBytes + 1))), "typed_data.type");
}

}  // namespace
}  // namespace avow::chain
