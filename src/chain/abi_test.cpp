// SPDX-License-Identifier: Apache-2.0
#include "chain/abi.hpp"

#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"

namespace avow::chain {
namespace {

using testing::good;
using testing::hex;
using testing::verdict;

std::vector<Field> fields_of(const char* types) { return good(parse_type(types)).parts; }

std::string word(std::uint64_t number) { return base::to_hex(U256(number).to_bytes()); }
// Bytes or text in front of zeros.
std::string left(const char* content) {
  std::string digits = content;
  digits.resize(64, '0');
  return digits;
}

struct AbiCase {
  const char* types;
  Value::List values;
  std::string encoding;
};

// The examples of the ABI's specification, then what they leave out.
std::vector<AbiCase> abi_cases() {
  const std::string minus_one(64, 'f');
  return {
      {"(uint32,bool)", {69, true}, word(69) + word(1)},
      {"(bytes3[2])", {Value(Value::List{hex("616263"), hex("646566")})}, left("616263") + left("646566")},
      {"(bytes,bool,uint256[])",
       {hex("64617665"), true, Value::List{1, 2, 3}},
       word(0x60) + word(1) + word(0xa0) + word(4) + left("64617665") + word(3) + word(1) + word(2) + word(3)},
      {"(uint256,uint32[],bytes10,bytes)",
       {0x123, Value::List{0x456, 0x789}, hex("31323334353637383930"), hex("48656c6c6f2c20776f726c6421")},
       word(0x123) + word(0x80) + left("31323334353637383930") + word(0xe0) + word(2) + word(0x456) + word(0x789) +
           word(13) + left("48656c6c6f2c20776f726c6421")},
      {"(uint256[][],string[])",
       {Value::List{Value::List{1, 2}, Value::List{3}}, Value::List{"one", "two", "three"}},
       word(0x40) + word(0x140) + word(2) + word(0x40) + word(0xa0) + word(2) + word(1) + word(2) + word(1) + word(3) +
           word(3) + word(0x60) + word(0xa0) + word(0xe0) + word(3) + left("6f6e65") + word(3) + left("74776f") +
           word(5) + left("7468726565")},
      {"(int8,int256)", {-1, -1}, minus_one + minus_one},
      {"(address)", {good(parse_address("0x00000000000000000000000000000000000000ff"))}, word(255)},
      {"((uint8,bytes),uint8)",
       {Value::List{7, base::Bytes{}}, 9},
       word(0x40) + word(9) + word(7) + word(0x40) + word(0)},
      {"((uint8,bool)[2])",
       {Value(Value::List{Value::List{1, true}, Value::List{2, false}})},
       word(1) + word(1) + word(2) + word(0)},
      {"(string[2])",
       {Value(Value::List{"a", ""})},
       word(0x20) + word(0x40) + word(0x80) + word(1) + left("61") + word(0)},
      {"(uint8[])", {Value(Value::List{})}, word(0x20) + word(0)},
  };
}

TEST(Abi, EncodesAsTheSpecificationSaysAndDecodes) {
  for (const auto& [types, values, encoding] : abi_cases()) {
    const auto fields = fields_of(types);
    EXPECT_EQ(base::to_hex(good(encode_abi(fields, values))), encoding) << types;
    EXPECT_EQ(good(decode_abi(fields, hex(encoding))), values) << types;
  }
}

TEST(Abi, HasSelectorsAndTopics) {
  EXPECT_EQ(base::to_hex(selector_of("baz(uint32,bool)")), "cdcd77c0");
  EXPECT_EQ(base::to_hex(selector_of("f(uint256,uint32[],bytes10,bytes)")), "8be65246");
  EXPECT_EQ(base::to_hex(selector_of("g(uint256[][],string[])")), "2289b18c");
  EXPECT_EQ(base::to_hex(topic_of("Transfer(address,address,uint256)")),
            "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
}

TEST(Abi, IsTruncatedAtEveryLength) {
  for (const auto& [types, values, encoding] : abi_cases()) {
    const auto fields = fields_of(types);
    const auto bytes = hex(encoding);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_EQ(verdict(decode_abi(fields, base::ByteView(bytes).first(length))), "abi.truncated") << types << length;
    }
    auto longer = bytes;
    longer.resize(bytes.size() + 32);
    EXPECT_EQ(verdict(decode_abi(fields, longer)), "abi.trailing") << types;
  }
}

TEST(Abi, AnyChangedByteIsRefusedOrSaysSomethingElse) {
  for (const auto& [types, values, encoding] : abi_cases()) {
    const auto fields = fields_of(types);
    const auto bytes = hex(encoding);
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      auto changed = bytes;
      changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      const auto decoded = decode_abi(fields, changed);
      if (!decoded) continue;
      EXPECT_NE(decoded.value(), values) << types << bit;
      EXPECT_EQ(good(encode_abi(fields, decoded.value())), changed) << types << bit;
    }
  }
}

TEST(Abi, EveryRuleOfTheDecoderIsChecked) {
  const auto after = [](const char* types, const std::string& encoding) {
    return verdict(decode_abi(fields_of(types), hex(encoding)));
  };
  EXPECT_EQ(after("(uint8)", word(256)), "abi.padding");
  EXPECT_EQ(after("(bool)", word(2)), "abi.padding");
  EXPECT_EQ(after("(int8)", word(128)), "abi.padding");
  EXPECT_EQ(after("(int8)", word(127)), "ok");
  EXPECT_EQ(after("(address)", left("01")), "abi.padding");
  EXPECT_EQ(after("(bytes3)", left("61626364")), "abi.padding");
  EXPECT_EQ(after("(bytes)", word(0x20) + word(1) + left("6162")), "abi.padding");
  EXPECT_EQ(after("(bytes)", word(0x40) + word(0) + word(0)), "abi.offset");
  EXPECT_EQ(after("(bytes)", word(0) + word(0)), "abi.offset");
  EXPECT_EQ(after("(bytes)", std::string(64, 'f') + word(0)), "abi.offset");
  EXPECT_EQ(after("(bytes,bytes)", word(0x40) + word(0x40) + word(0)), "abi.offset");
  // Announced and not there: nothing is allocated for it.
  EXPECT_EQ(after("(uint8[])", word(0x20) + word(~std::uint64_t{0})), "abi.truncated");
  EXPECT_EQ(after("(uint8[])", word(0x20) + std::string(64, 'f')), "abi.truncated");
  EXPECT_EQ(after("(string)", word(0x20) + word(~std::uint64_t{0})), "abi.truncated");
  EXPECT_EQ(after("(uint8[16000][32])", word(1)), "abi.truncated");
}

TEST(Abi, ValuesThatDoNotFitTheirTypesAreRefusedByName) {
  const auto put = [](const char* types, Value value) {
    return verdict(encode_abi(fields_of(types), {std::move(value)}));
  };
  EXPECT_EQ(put("(uint8)", 256), "abi.value");
  EXPECT_EQ(put("(uint8)", -1), "abi.value");
  EXPECT_EQ(put("(int8)", 128), "abi.value");
  EXPECT_EQ(put("(int8)", -128), "ok");
  EXPECT_EQ(put("(int8)", -129), "abi.value");
  EXPECT_EQ(put("(bool)", 1), "abi.value");
  EXPECT_EQ(put("(address)", base::Bytes(20)), "abi.value");
  EXPECT_EQ(put("(bytes4)", base::Bytes(3)), "abi.value");
  EXPECT_EQ(put("(bytes)", "text"), "abi.value");
  EXPECT_EQ(put("(string)", base::Bytes{}), "abi.value");
  EXPECT_EQ(put("(uint8[2])", Value::List{1}), "abi.value");
  EXPECT_EQ(put("(uint8[])", 1), "abi.value");
  EXPECT_EQ(put("((uint8,bool))", Value::List{1}), "abi.value");
  EXPECT_EQ(verdict(encode_abi(fields_of("(uint8)"), {})), "abi.value");
  const std::vector<Field> named{{"offer", Type(Kind::kTuple, 0, {Field{"bond", Type(Kind::kUint, 8)}})}};
  EXPECT_EQ(to_string(encode_abi(named, {Value(Value::List{300})}).error()),
            "abi.value: offer: bond: the value is no uint8");
}

TEST(AbiType, ComesBackFromItsText) {
  for (const char* text : {"uint8", "int256", "bytes32", "bytes", "string", "address", "bool", "uint256[]",
                           "bytes1[3][]", "(uint8)", "((uint8,bytes)[2],string)[]"}) {
    EXPECT_EQ(to_string(good(parse_type(text))), text);
  }
}

TEST(AbiType, IsRefusedWhereItIsNoneOrTooLarge) {
  for (const std::string text : {"",
                                 "uint",
                                 "int",
                                 "uint7",
                                 "uint264",
                                 "uint08",
                                 "uint0",
                                 "bytes0",
                                 "bytes33",
                                 "byte",
                                 "()",
                                 "(uint8",
                                 "uint8)",
                                 "(uint8,)",
                                 "uint8[0]",
                                 "uint8[01]",
                                 "uint8[-1]",
                                 "uint8[",
                                 "uint8]",
                                 "uint8[]]",
                                 "uint8[99999999999999999999]",
                                 "uint8[16777216]",
                                 "uint8[4096][4096]",
                                 "uint8[]x",
                                 "(uint8)(uint8)"}) {
    EXPECT_EQ(verdict(parse_type(text)), "abi.type") << text;
  }
  std::string deep = "uint8";
  for (std::size_t i = 1; i < kMostTypeDepth; ++i) deep += "[]";
  EXPECT_EQ(verdict(parse_type(deep)), "ok");
  EXPECT_EQ(verdict(parse_type(deep + "[]")), "abi.type");
  EXPECT_EQ(verdict(parse_type(std::string(100000, '('))), "abi.type");
  const std::string whole = "((uint8,bytes)[2],string)[]";
  for (std::size_t length = 0; length < whole.size() - 2; ++length) {
    EXPECT_EQ(verdict(parse_type(whole.substr(0, length))), "abi.type") << length;
  }
}

TEST(Abi, ValuesAreShownForPeople) {
  const auto fields = fields_of("(uint8,int8,bool,address,bytes2,string,uint8[],(uint8,bool))");
  const Value::List values{1, -2, true, Address{}, hex("abcd"), "it's\n", Value::List{1, 2}, Value::List{3, false}};
  EXPECT_EQ(to_string(fields, values),
            "1, -2, true, 0x0000000000000000000000000000000000000000, 0xabcd, 'it\\x27s\\x0a', "
            "[1, 2], (3, false)");
  EXPECT_LT(to_string(Type(Kind::kBytes), base::Bytes(100000)).size(), 200U);
  EXPECT_LT(to_string(Type(Kind::kString), std::string(100000, '\n')).size(), 300U);
  EXPECT_LT(to_string(good(parse_type("uint8[]")), Value::List(100000, Value(1))).size(), 200U);
}

}  // namespace
}  // namespace avow::chain
