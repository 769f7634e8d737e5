// SPDX-License-Identifier: Apache-2.0
#include "model/gguf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "model/files_testing.hpp"

namespace avow::model {
namespace {

using testing::append_le;
using ::testing::ElementsAre;
using testing::GgufWriter;
using ::testing::HasSubstr;
using testing::TinyTensor;

// One value of every type, two tensors.
GgufWriter sound() {
  GgufWriter w;
  w.number("u8", GgufType::kU8, std::uint8_t{200});
  w.number("i8", GgufType::kI8, std::int8_t{-2});
  w.number("u16", GgufType::kU16, std::uint16_t{60000});
  w.number("i16", GgufType::kI16, std::int16_t{-300});
  w.u32("u32", 4000000000u);
  w.number("i32", GgufType::kI32, std::int32_t{-70000});
  w.f32("f32", 0.25f);
  w.number("yes", GgufType::kBool, std::uint8_t{1});
  w.text("text", "words");
  w.number("u64", GgufType::kU64, ~std::uint64_t{0});
  w.number("i64", GgufType::kI64, std::int64_t{-5});
  w.number("f64", GgufType::kF64, -1.5);
  w.texts("texts", {"a", "", "bcd"});
  base::Bytes elements;
  for (const int v : {-1, 2, 3}) append_le(elements, static_cast<std::int16_t>(v));
  w.array("i16s", GgufType::kI16, 3, elements);
  elements.clear();
  for (const float v : {1.0f, -0.5f}) append_le(elements, v);
  w.array("f32s", GgufType::kF32, 2, elements);
  w.tensor(TinyTensor{"matrix", {2, 3}, {1, 2, 3, 4, 5, 6}});
  w.tensor(TinyTensor{"vector", {2}, {7, 8}});
  return w;
}

TEST(Gguf, ReadsEveryTypeInBothVersions) {
  for (const std::uint32_t version : {2u, 3u}) {
    GgufWriter w = sound();
    w.version = version;
    const base::Bytes bytes = w.write();
    const auto parsed = GgufFile::parse(bytes, "x.gguf");
    ASSERT_TRUE(parsed.ok()) << to_text(parsed.error());
    const GgufFile& file = parsed.value();
    EXPECT_EQ(file.metadata().size(), 15u);
    EXPECT_EQ(file.natural("u8").value(), 200u);
    EXPECT_EQ(file.natural("u16").value(), 60000u);
    EXPECT_EQ(file.natural("u32").value(), 4000000000u);
    EXPECT_EQ(file.natural("u64").value(), ~std::uint64_t{0});
    EXPECT_EQ(file.natural("none", 7).value(), 7u);
    EXPECT_EQ(file.number("f32").value(), 0.25);
    EXPECT_EQ(file.number("f64").value(), -1.5);
    EXPECT_TRUE(file.truth("yes", false).value());
    EXPECT_TRUE(file.truth("none", true).value());
    EXPECT_EQ(file.text("text").value(), "words");
    EXPECT_THAT(file.texts("texts").value(), ElementsAre("a", "", "bcd"));
    EXPECT_THAT(file.integers("i16s").value(), ElementsAre(-1, 2, 3));
    EXPECT_THAT(file.numbers("f32s").value(), ElementsAre(1.0f, -0.5f));
    ASSERT_EQ(file.tensors().size(), 2u);
    const TensorView* matrix = file.tensor("matrix");
    ASSERT_NE(matrix, nullptr);
    EXPECT_THAT(matrix->shape, ElementsAre(2, 3));
    EXPECT_EQ(matrix->type, TensorType::kF32);
    EXPECT_EQ(matrix->bytes.size(), 24u);
    EXPECT_EQ(matrix->offset % 32, 0u);
    EXPECT_EQ(matrix->bytes.data(), bytes.data() + matrix->offset);
    EXPECT_EQ(file.tensor("other"), nullptr);
  }
}

TEST(Gguf, RefusesValuesOfOtherTypes) {
  const base::Bytes bytes = sound().write();
  const auto parsed = GgufFile::parse(bytes, "x.gguf");
  ASSERT_TRUE(parsed.ok());
  const GgufFile& file = parsed.value();
  for (const char* key : {"i8", "i16", "i32", "i64"}) EXPECT_EQ(file.natural(key).error().cause, Cause::kValue) << key;
  for (const char* key : {"f32", "yes", "text", "texts"}) {
    EXPECT_EQ(file.natural(key).error().cause, Cause::kType) << key;
    EXPECT_EQ(file.natural(key, 1).error().cause, Cause::kType) << key;
  }
  EXPECT_EQ(file.natural("none").error().cause, Cause::kMissing);
  EXPECT_EQ(file.natural("none").error().reason, "no metadata key 'none'");
  EXPECT_EQ(file.number("u32").error().cause, Cause::kType);
  EXPECT_EQ(file.truth("u8", true).error().cause, Cause::kType);
  EXPECT_EQ(file.text("u8").error().cause, Cause::kType);
  EXPECT_EQ(file.text("texts").error().reason, "metadata key 'texts' is an array of string, not a single value");
  EXPECT_EQ(file.texts("text").error().cause, Cause::kType);
  EXPECT_EQ(file.texts("i16s").error().cause, Cause::kType);
  EXPECT_EQ(file.integers("f32s").error().cause, Cause::kType);
  EXPECT_EQ(file.integers("texts").error().cause, Cause::kType);
  EXPECT_EQ(file.numbers("i16s").error().cause, Cause::kType);
  const ReadError error = file.natural("f32").error();
  EXPECT_EQ(error.file, "x.gguf");
  EXPECT_EQ(bytes[error.offset + 3], 0x3e);  // the last byte of 0.25f
}

TEST(Gguf, RefusesNumbersThatAreNotFinite) {
  GgufWriter w;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  w.f32("nan", nan);
  w.number("infinite", GgufType::kF64, std::numeric_limits<double>::infinity());
  base::Bytes elements;
  append_le(elements, 1.0f);
  append_le(elements, nan);
  w.array("nans", GgufType::kF32, 2, elements);
  elements.clear();
  append_le(elements, 1e300);
  w.array("large", GgufType::kF64, 1, elements);
  elements.clear();
  append_le(elements, ~std::uint64_t{0});
  w.array("u64s", GgufType::kU64, 1, elements);
  const base::Bytes bytes = w.write();
  const auto file = GgufFile::parse(bytes, "x");
  ASSERT_TRUE(file.ok()) << to_text(file.error());
  EXPECT_EQ(file.value().number("nan").error().cause, Cause::kNotFinite);
  EXPECT_EQ(file.value().number("infinite").error().cause, Cause::kNotFinite);
  EXPECT_EQ(file.value().numbers("nans").error().reason, "value 1 of 'nans' is not finite");
  EXPECT_EQ(file.value().numbers("large").error().cause, Cause::kNotFinite);
  EXPECT_EQ(file.value().integers("u64s").error().cause, Cause::kValue);
}

struct BadGgufFile {
  Cause cause;
  const char* reason;
  std::function<void(GgufWriter&)> spoil;
};

const std::uint64_t kHuge = std::uint64_t{1} << 62;

std::vector<BadGgufFile> bad_headers_and_metadata() {
  return {
      {Cause::kMagic, "does not start with 'GGUF'", [](auto& w) { w.magic = "GGML"; }},
      {Cause::kVersion, "version 1 is not supported", [](auto& w) { w.version = 1; }},
      {Cause::kVersion, "version 4 is not supported", [](auto& w) { w.version = 4; }},
      {Cause::kVersion, "big-endian", [](auto& w) { w.version = 0x03000000; }},
      {Cause::kCount, "tensors are more than the file can hold", [](auto& w) { w.more_tensors = kHuge; }},
      {Cause::kCount, "metadata keys are more than the file can hold", [](auto& w) { w.more_keys = kHuge; }},
      {Cause::kName, "a metadata key has 0 bytes", [](auto& w) { w.u32("", 1); }},
      {Cause::kName, "a metadata key has 65536 bytes", [](auto& w) { w.u32(std::string(65536, 'k'), 1); }},
      {Cause::kName, "not printable", [](auto& w) { w.u32("a\nb", 1); }},
      {Cause::kDuplicate, "metadata key 'u8' is there twice", [](auto& w) { w.u32("u8", 1); }},
      {Cause::kType, "the unknown type 13", [](auto& w) { w.number("k", GgufType{13}, 0); }},
      {Cause::kType, "the unknown type 99", [](auto& w) { w.array("k", GgufType{99}, 0, {}); }},
      {Cause::kUnsupported, "an array of arrays", [](auto& w) { w.array("k", GgufType::kArray, 1, {}); }},
      {Cause::kTruncated, "values, more than the file", [](auto& w) { w.array("k", GgufType::kF32, kHuge, {}); }},
      {Cause::kTruncated, "values, more than the file", [](auto& w) { w.array("k", GgufType::kString, kHuge, {}); }},
      {Cause::kValue, "neither 0 nor 1", [](auto& w) { w.number("k", GgufType::kBool, std::uint8_t{2}); }},
      {Cause::kType, "is not u32", [](auto& w) { w.number("general.alignment", GgufType::kU64, std::uint64_t{32}); }},
      {Cause::kValue, "alignment 0", [](auto& w) { w.u32("general.alignment", 0); }},
      {Cause::kValue, "alignment 48", [](auto& w) { w.u32("general.alignment", 48); }},
      {Cause::kValue, "alignment 1073741824", [](auto& w) { w.u32("general.alignment", 1u << 30); }},
      {Cause::kTruncated, "a string needs",
       [](auto& w) {
         base::Bytes length;
         append_le(length, ~std::uint64_t{0});
         w.array("k", GgufType::kString, 1, length);
       }},
  };
}

std::vector<BadGgufFile> bad_tensors() {
  return {
      {Cause::kName, "the name of a tensor has 0 bytes", [](auto& w) { w.info("", {1}, 0, 0); }},
      {Cause::kName, "has 65 bytes, not 1 to 64", [](auto& w) { w.info(std::string(65, 'n'), {1}, 0, 0); }},
      {Cause::kCount, "has 0 dimensions", [](auto& w) { w.info("longer.name", {}, 0, 0); }},
      {Cause::kCount, "has 5 dimensions",
       [](auto& w) {
         w.info("t", {1, 1, 1, 1, 1}, 0, 0);
       }},
      {Cause::kValue, "a dimension of 0",
       [](auto& w) {
         w.info("t", {4, 0}, 0, 0);
       }},
      {Cause::kOutside, "more values",
       [](auto& w) {
         w.info("t", {kHuge, 8}, 0, 0);
       }},
      {Cause::kOutside, "more values",
       [](auto& w) {
         w.info("t", {1u << 31, 1u << 31, 1u << 31, 8}, 0, 0);
       }},
      {Cause::kUnsupported, "type Q2_K is not supported", [](auto& w) { w.info("t", {256}, 10, 0); }},
      {Cause::kUnsupported, "type IQ4_XS is not supported", [](auto& w) { w.info("t", {256}, 23, 0); }},
      {Cause::kUnsupported, "type MXFP4 is not supported", [](auto& w) { w.info("t", {32}, 39, 0); }},
      {Cause::kType, "the unknown type 4", [](auto& w) { w.info("t", {1}, 4, 0); }},
      {Cause::kType, "the unknown type 4000", [](auto& w) { w.info("t", {1}, 4000, 0); }},
      {Cause::kShape, "rows of 33 values are no whole blocks of Q8_0",
       [](auto& w) {
         w.info("t", {2, 33}, 8, 0);
       }},
      {Cause::kAlignment, "at 68 is not aligned to 32 bytes", [](auto& w) { w.info("t", {1}, 0, 68); }},
      {Cause::kDuplicate, "tensor 'vector' is there twice", [](auto& w) { w.info("vector", {1}, 0, 64); }},
      {Cause::kOutside, "needs 64 bytes at 0 of the data, which has", [](auto& w) { w.info("t", {16}, 0, 0); }},
      {Cause::kOutside, "at 9223372036854775808 of", [](auto& w) { w.info("t", {1}, 0, std::uint64_t{1} << 63); }},
      {Cause::kOutside, "at 18446744073709551584 of", [](auto& w) { w.info("t", {1}, 0, 0 - std::uint64_t{32}); }},
      {Cause::kOverlap, "'matrix' and 't' overlap", [](auto& w) { w.info("t", {1}, 0, 0); }},
      {Cause::kOverlap, "'long' and 'inside' overlap",
       [](auto& w) {
         w.info("inside", {1}, 0, 96);
         w.typed("long", {12}, 0, base::Bytes(48));
       }},
  };
}

TEST(Gguf, RefusesBadFiles) {
  std::vector<BadGgufFile> all = bad_headers_and_metadata();
  for (BadGgufFile& bad : bad_tensors()) all.push_back(std::move(bad));
  for (const BadGgufFile& bad : all) {
    GgufWriter w = sound();
    bad.spoil(w);
    const base::Bytes bytes = w.write();
    const auto parsed = GgufFile::parse(bytes, "folder/bad.gguf");
    ASSERT_FALSE(parsed.ok()) << bad.reason;
    const ReadError& error = parsed.error();
    EXPECT_EQ(error.cause, bad.cause) << bad.reason << ": " << to_text(error);
    EXPECT_THAT(error.reason, HasSubstr(bad.reason));
    EXPECT_LE(error.offset, bytes.size());
    EXPECT_THAT(to_text(error), HasSubstr("folder/bad.gguf: offset "));
  }
}

TEST(Gguf, RefusesEveryTruncation) {
  const base::Bytes bytes = sound().write();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A copy of its own, so that a sanitizer sees reads beyond it.
    const base::Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const auto parsed = GgufFile::parse(cut, "x");
    ASSERT_FALSE(parsed.ok()) << size;
    const Cause cause = parsed.error().cause;
    EXPECT_TRUE(cause == Cause::kTruncated || cause == Cause::kCount || cause == Cause::kOutside)
        << size << ": " << to_text(parsed.error());
  }
}

TEST(Gguf, AllowsGapsAndARest) {
  GgufWriter w;
  w.info("late", {2}, 0, 32);
  w.typed("first", {1}, 0, base::Bytes(4));
  base::Bytes bytes = w.write();
  bytes.resize(bytes.size() + 60);
  const auto parsed = GgufFile::parse(bytes, "x");
  ASSERT_TRUE(parsed.ok()) << to_text(parsed.error());
  EXPECT_EQ(parsed.value().tensor("late")->offset - parsed.value().tensor("first")->offset, 32u);
}

}  // namespace
}  // namespace avow::model
