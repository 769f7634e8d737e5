// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/files_testing.hpp"

namespace avow::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::safetensors_of;
using testing::TinyTensor;

std::vector<TinyTensor> two_tensors() { return {{"b", {2, 2}, {1, 2, 3, 4}}, {"a", {3}, {5, 6, 7}}}; }

TEST(Safetensors, ReadsTensors) {
  const base::Bytes bytes = safetensors_of(two_tensors());
  const auto parsed = parse_safetensors(bytes, "x");
  ASSERT_TRUE(parsed.ok()) << to_text(parsed.error());
  ASSERT_EQ(parsed.value().size(), 2u);
  const TensorView& b = parsed.value()[0];
  EXPECT_EQ(b.name, "b");
  EXPECT_EQ(b.type, TensorType::kF32);
  EXPECT_THAT(b.shape, ElementsAre(2, 2));
  EXPECT_EQ(b.bytes.size(), 16u);
  EXPECT_EQ(b.bytes.data(), bytes.data() + b.offset);
  EXPECT_EQ(parsed.value()[1].offset, b.offset + 16);
}

TEST(Safetensors, KnowsEveryType) {
  const std::pair<const char*, unsigned> types[] = {
      {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},  {"I32", 4},     {"I16", 2},    {"I8", 1},
      {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1},   {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};
  for (const auto& [type, size] : types) {
    const std::string header =
        fmt::format(R"({{"t":{{"dtype":"{}","shape":[3],"data_offsets":[0,{}]}}}})", type, 3 * size);
    const auto parsed = parse_safetensors(safetensors_of(header, 3 * std::size_t{size}), "x");
    ASSERT_TRUE(parsed.ok()) << type << to_text(parsed.error());
    const std::string known = name(parsed.value()[0].type);
    EXPECT_EQ(known,
              std::string(type) == "F32" || std::string(type) == "F16" || std::string(type) == "BF16" ? type : "other");
  }
}

TEST(Safetensors, AllowsScalarsAndEmptyTensors) {
  const auto parsed = parse_safetensors(safetensors_of(R"({"e":{"dtype":"F32","shape":[0,5],"data_offsets":[4,4]},
      "s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}  )",
                                                       4),
                                        "x");
  ASSERT_TRUE(parsed.ok()) << to_text(parsed.error());
  EXPECT_EQ(parsed.value().size(), 2u);
  EXPECT_TRUE(parse_safetensors(safetensors_of("{}", 0), "x").ok());
}

struct BadSafetensors {
  Cause cause;
  const char* reason;
  std::string header;
  std::size_t data = 8;
};

// A header with tensor "t" of two F32 and what else it is given.
std::string entry(const std::string& type, const std::string& shape, const std::string& offsets,
                  const std::string& more = "") {
  return R"({"t":{"dtype":)" + type + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + more + "}}";
}

std::vector<BadSafetensors> bad_files() {
  const std::string f32 = R"("F32")";
  const std::string second = R"(},"u":{"dtype":"F32","shape":[1],"data_offsets":)";
  return {
      {Cause::kJson, "is not JSON", "{"},
      {Cause::kJson, "is not JSON", "{} x"},
      {Cause::kJson, "is not JSON", "{\"\xff\":1}"},
      {Cause::kJson, "is not JSON", R"({"t":1e999})"},
      {Cause::kJson, "is not JSON", ""},
      {Cause::kJson, "is not an object", "[]"},
      {Cause::kJson, "is not an object", "7"},
      {Cause::kDepth, "nested more than 3 deep", R"({"t":{"shape":[[1]]}})"},
      {Cause::kDepth, "nested more than 3 deep", R"({"t":)" + std::string(100000, '[')},
      {Cause::kDuplicate, "key 't' is there twice", R"({"t":1,"t":2})"},
      {Cause::kDuplicate, "key 'dtype' is there twice", R"({"t":{"dtype":1,"dtype":2}})"},
      {Cause::kType, "'__metadata__' is not an object", R"({"__metadata__":1})"},
      {Cause::kName, "the name of a tensor", R"({"":{}})"},
      {Cause::kName, "the name of a tensor", R"({"a b":{}})"},
      {Cause::kName, "the name of a tensor", R"({"a\u0000b":{}})"},
      {Cause::kName, "the name of a tensor", R"({")" + std::string(513, 'n') + R"(":{}})"},
      {Cause::kType, "not an object", R"({"t":1})"},
      {Cause::kMissing, "not all of", R"({"t":{"dtype":"F32","shape":[2]}})"},
      {Cause::kValue, "unknown member 'extra'", entry(f32, "[2]", "[0,8]", R"(,"extra":1)")},
      {Cause::kType, "'dtype' is not a string", entry("1", "[2]", "[0,8]")},
      {Cause::kType, "unknown type 'F31'", entry(R"("F31")", "[2]", "[0,8]")},
      {Cause::kType, "the shape is not an array", entry(f32, "2", "[0,8]")},
      {Cause::kType, "a dimension is not a natural number", entry(f32, "[-2]", "[0,8]")},
      {Cause::kType, "a dimension is not a natural number", entry(f32, "[2.0]", "[0,8]")},
      {Cause::kType, "a dimension is not a natural number", entry(f32, "[18446744073709551616]", "[0,8]")},
      {Cause::kCount, "9 dimensions", entry(f32, "[1,1,1,1,1,1,1,1,2]", "[0,8]")},
      {Cause::kSize, "more values", entry(f32, "[4294967296,4294967296,2]", "[0,8]")},
      {Cause::kSize, "more values", entry(f32, "[9223372036854775808,2]", "[0,8]")},
      {Cause::kType, "'data_offsets' is not", entry(f32, "[2]", "[0]")},
      {Cause::kType, "'data_offsets' is not", entry(f32, "[2]", "[0,8,9]")},
      {Cause::kType, "'data_offsets' is not", entry(f32, "[2]", "[-8,0]")},
      {Cause::kType, "'data_offsets' is not", entry(f32, "[2]", R"(["0","8"])")},
      {Cause::kValue, "the data end at 0, before 8", entry(f32, "[2]", "[8,0]")},
      {Cause::kOutside, "the data end at 9 of 8 bytes", entry(f32, "[2]", "[1,9]")},
      {Cause::kOutside, "the data end at 18446744073709551615", entry(f32, "[2]", "[0,18446744073709551615]")},
      {Cause::kSize, "4 bytes of data, but type and shape need 8", entry(f32, "[2]", "[0,4]")},
      {Cause::kSize, "8 bytes of data, but type and shape need 4", entry(R"("F16")", "[2]", "[0,8]")},
      {Cause::kGap, "bytes before tensor 't' belong to no tensor", entry(f32, "[1]", "[4,8]")},
      {Cause::kGap, "bytes after the last tensor", entry(f32, "[1]", "[0,4]")},
      {Cause::kGap, "bytes after the last tensor", "{}"},
      {Cause::kOverlap, "tensor 'u' overlaps", entry(f32, "[2]", "[0,8]", second + "[4,8]")},
      {Cause::kOverlap, "overlaps", entry(f32, "[1]", "[0,4]", second + "[0,4]"), 4},
  };
}

TEST(Safetensors, RefusesBadFiles) {
  for (const BadSafetensors& bad : bad_files()) {
    const auto parsed = parse_safetensors(safetensors_of(bad.header, bad.data), "bad.safetensors");
    const std::string head = bad.header.substr(0, 100);
    ASSERT_FALSE(parsed.ok()) << head;
    EXPECT_EQ(parsed.error().cause, bad.cause) << head << ": " << to_text(parsed.error());
    EXPECT_THAT(parsed.error().reason, HasSubstr(bad.reason)) << head;
    EXPECT_EQ(parsed.error().file, "bad.safetensors");
    EXPECT_LE(parsed.error().reason.size(), 700u);
  }
}

TEST(Safetensors, RefusesBadHeaderLengths) {
  base::Bytes bytes = safetensors_of(two_tensors());
  bytes[6] = 1;
  EXPECT_EQ(parse_safetensors(bytes, "x").error().cause, Cause::kCount);
  bytes[6] = 0;
  bytes[1] = 1;
  EXPECT_EQ(parse_safetensors(bytes, "x").error().cause, Cause::kTruncated);
}

TEST(Safetensors, RefusesEveryTruncation) {
  const base::Bytes bytes = safetensors_of(two_tensors());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const base::Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const auto parsed = parse_safetensors(cut, "x");
    ASSERT_FALSE(parsed.ok()) << size;
    const Cause cause = parsed.error().cause;
    EXPECT_TRUE(cause == Cause::kTruncated || cause == Cause::kOutside || cause == Cause::kSize) << size;
  }
}

TEST(SafetensorsIndex, NamesFiles) {
  const auto index = parse_safetensors_index(
      testing::view(R"({"metadata":{"total_size":1},"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}})"),
      "i");
  ASSERT_TRUE(index.ok()) << to_text(index.error());
  EXPECT_THAT(index.value(), ElementsAre(std::pair("a", "m-1.safetensors"), std::pair("b", "m-2.safetensors")));
}

TEST(SafetensorsIndex, RefusesBadOnes) {
  const std::pair<Cause, std::string> all[] = {
      {Cause::kMissing, "{}"},
      {Cause::kType, R"({"weight_map":[]})"},
      {Cause::kType, R"({"weight_map":{"a":1}})"},
      {Cause::kName, R"({"weight_map":{"":"m.safetensors"}})"},
      {Cause::kDuplicate, R"({"weight_map":{"a":"m.safetensors","a":"n.safetensors"}})"},
      {Cause::kDepth, R"({"weight_map":{"a":[[[[]]]]}})"},
      {Cause::kJson, R"({"weight_map":{)"},
  };
  for (const auto& [cause, text] : all) {
    const auto index = parse_safetensors_index(testing::view(text), "i");
    ASSERT_FALSE(index.ok()) << text;
    EXPECT_EQ(index.error().cause, cause) << text;
  }
}

TEST(SafetensorsIndex, RefusesFilesElsewhere) {
  for (const char* name :
       {"../m.safetensors", "/etc/m.safetensors", "sub/m.safetensors", "..", "", ".safetensors", "..\\\\m.safetensors",
        "c:m.safetensors", "m.bin", ".m.safetensors", "a\\u0000.safetensors", "..%2fm.safetensors/../x"}) {
    const std::string text = std::string(R"({"weight_map":{"a":")") + name + "\"}}";
    const auto index = parse_safetensors_index(testing::view(text), "i");
    ASSERT_FALSE(index.ok()) << name;
    EXPECT_EQ(index.error().cause, Cause::kPath) << name;
  }
}

}  // namespace
}  // namespace avow::model
