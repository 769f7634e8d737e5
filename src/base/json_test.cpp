// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <gtest/gtest.h>

namespace avow::base {
namespace {

JsonFault fault_of(std::string_view text, std::size_t depth) {
  const auto parsed = parse_json(text, depth);
  EXPECT_FALSE(parsed) << text;
  return parsed ? JsonFault{} : parsed.error().fault;
}

TEST(Json, IsAnyValueAndNothingBehindIt) {
  EXPECT_EQ(parse_json(" 7 ", 0).value(), 7);
  EXPECT_EQ(parse_json(R"({"a":[1,{"a":2}]})", 3).value()["a"][1]["a"], 2);
  for (const char* text : {"", "7 8", "{}x", "\"\xff\"", "1e999", "{'a':1}", "// 1\n1"}) {
    EXPECT_EQ(fault_of(text, 9), JsonFault::kSyntax);
  }
  EXPECT_EQ(parse_json("[1,]", 9).error().position, 4U);
}

TEST(Json, IsCutAtNoLength) {
  const std::string_view text = R"({"a":[1,"b"],"c":{"d":null}})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(fault_of(text.substr(0, size), 9), JsonFault::kSyntax);
  }
  EXPECT_TRUE(parse_json(text, 2));
}

TEST(Json, HasAKeyOnceInAnObject) {
  EXPECT_TRUE(parse_json(R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})", 9));
  EXPECT_EQ(fault_of(R"({"a":1,"b":2,"a":3})", 9), JsonFault::kDuplicate);
  EXPECT_EQ(fault_of(R"([{"b":{"a":1,"\u0061":3}}])", 9), JsonFault::kDuplicate);
}

TEST(Json, IsPrintableInErrors) {
  for (const char* text :
       {"{\"a\u001b\u009b\u202e\":1,\"a\u001b\u009b\u202e\":2}", "[\"\xc2\x9b\", \"\xff\"]", "\"\x1b"}) {
    const auto parsed = parse_json(text, 9);
    ASSERT_FALSE(parsed) << text;
    for (const char c : parsed.error().reason) EXPECT_TRUE(c >= ' ' && c <= '~') << parsed.error().reason;
  }
}

TEST(Json, IsNotDeeperThanAllowed) {
  EXPECT_EQ(fault_of("[]", 0), JsonFault::kDepth);
  EXPECT_EQ(fault_of(std::string(1'000'000, '['), 100), JsonFault::kDepth);
  EXPECT_TRUE(parse_json("[[],[],{}]", 2));
}

TEST(Json, HasNotMoreValuesThanAllowed) {
  const std::string text = R"({"a":[1,-1,0.5,"b",true,null],"c":{}})";
  EXPECT_TRUE(parse_json(text, 9, JsonTop::kAny, 9));
  for (std::size_t most = 0; most < 9; ++most) {
    const auto parsed = parse_json(text, 9, JsonTop::kAny, most);
    ASSERT_FALSE(parsed) << most;
    EXPECT_EQ(parsed.error().fault, JsonFault::kValues);
  }
}

TEST(Json, IsAnObjectWhereOneIsWanted) {
  EXPECT_TRUE(parse_json("{}", 1, JsonTop::kObject));
  for (const std::string& text : {std::string("7"), std::string("[]"), std::string("null"), std::string(1000, '[')}) {
    const auto parsed = parse_json(text, 9, JsonTop::kObject);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().fault, JsonFault::kSyntax);
    EXPECT_EQ(parsed.error().reason, "is not an object of JSON");
  }
}

}  // namespace
}  // namespace avow::base
