// SPDX-License-Identifier: Apache-2.0
#include "statement/serialize.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "base/hex.hpp"
#include "base/test_stride.hpp"
#include "hash/keccak.hpp"
#include "statement/builder.hpp"
#include "statement/examples_testing.hpp"
#include "statement/print.hpp"

namespace avow::statement {
namespace {

using base::Bytes;
using Json = nlohmann::ordered_json;

Cause cause_of(const Bytes& bytes) {
  const auto parsed = parse(bytes);
  return parsed.ok() ? Cause{} : parsed.error().cause;
}

// Everything that a statement can hold, in one.
Statement every_kind() {
  Builder b;
  const auto t = b.parameter("token", 48), k = b.alias("key", t), r = b.axis("row", 12), n = b.axis("n", 3);
  const auto v = b.values("v", {t}, 12), w = b.values("w", {t}, 13), scalar = b.values("scalar", {}, 5);
  const auto X = b.witness("x", {t, r}, signed_bits(16));
  const auto M = b.model("m", {r}, unsigned_bits(62));
  Expr all = X(t, r) * M(r) - (std::int64_t{1} << 62) * X(t, at(11)) + b.ones({r}) + b.index(t, -77);
  all = all + sum({k}, b.less(k, t) * b.less_equal(k, t) * X(k, r)) + b.equal(t, r) + b.one_hot(v(t), r);
  all = all + b.below(v(t), r) + b.between(v(t), w(t), r) + b.value(scalar());
  all = all + sum({n}, b.shift(t, n, r, {.stride = 2, .padding = 1, .dilation = 3})) * b.value(v(t));
  all = all + b.piecewise(r, {{5, -9, 1}, {7, 100, -2}});
  b.zero("everything", {t, r}, all);
  const auto pair = b.table("pair", {r}, {b.index(r, -4), M(r) + 2});
  b.lookup("masked", {t, k}, {X(t, at(3)), X(k, at(0)) - 1}, pair, b.less_equal(k, t));
  return b.build().value();
}

std::vector<Statement> statements() {
  std::vector<Statement> list = {Statement(), every_kind()};
  for (const Example& example : all_examples()) list.push_back(example.statement);
  list.push_back(unnamed(every_kind()));
  return list;
}

TEST(Serialize, RoundTrips) {
  for (const Statement& statement : statements()) {
    const Bytes bytes = serialize(statement);
    const auto parsed = parse(bytes);
    ASSERT_TRUE(parsed.ok()) << parsed.error().text;
    EXPECT_EQ(parsed.value(), statement);
    EXPECT_EQ(serialize(parsed.value()), bytes);
    EXPECT_EQ(statement_id(statement), hash::keccak256(bytes));
  }
}

TEST(Serialize, IsCompact) {
  for (const Example& example : all_examples()) {
    EXPECT_LT(serialize(example.statement).size(), 2500u) << example.name;
  }
}

TEST(Parse, RefusesEveryTruncation) {
  for (const Statement& statement : statements()) {
    const Bytes bytes = serialize(statement);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_EQ(cause_of(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length))), Cause::kTruncated);
    }
  }
}

TEST(Parse, RefusesTrailingBytes) {
  for (const Statement& statement : statements()) {
    Bytes bytes = serialize(statement);
    bytes.push_back(0);
    EXPECT_EQ(cause_of(bytes), Cause::kTrailing);
  }
  EXPECT_EQ(cause_of(Bytes(limits::kBytes + 1, 0)), Cause::kCount);
}

TEST(Parse, GivesBackTheBytesOrAnError) {
  std::mt19937_64 rng(5);
  for (const Statement& statement : statements()) {
    const Bytes honest = serialize(statement);
    for (std::size_t i = 0; i < honest.size(); i += base::kTestStride) {
      for (int n = 0; n < 12; ++n) {
        Bytes bytes = honest;
        bytes[i] = static_cast<std::uint8_t>(n < 8 ? bytes[i] ^ (1u << n) : rng());
        if (n >= 10) bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(i), static_cast<std::uint8_t>(rng()));
        const auto parsed = parse(bytes);
        if (parsed.ok()) {
          EXPECT_EQ(serialize(parsed.value()), bytes);
        }
      }
    }
  }
}

TEST(Serialize, NamesThatAreNumbersTakeNoBytes) {
  const Statement named = every_kind(), numbered = unnamed(named);
  EXPECT_EQ(numbered.axes[1].name, "a1");
  EXPECT_EQ(numbered.lookups[0].name, "l0");
  EXPECT_EQ(unnamed(numbered), numbered);
  EXPECT_NE(statement_id(numbered), statement_id(named));
  std::size_t names = 0;
  for (const auto& axis : named.axes) names += axis.name.size() + 1;
  for (const auto& values : named.values) names += values.name.size() + 1;
  for (const auto& tensor : named.tensors) names += tensor.kind == TensorKind::kStructured ? 0 : tensor.name.size() + 1;
  for (const auto& table : named.tables) names += table.name.size() + 1;
  for (const auto& lookup : named.lookups) names += lookup.name.size() + 1;
  EXPECT_EQ(serialize(numbered).size() + names, serialize(named).size());

  // Spelled out they would be a second form.
  Statement almost = numbered;
  almost.axes[0].name = "b0";
  Bytes bytes = serialize(almost);
  const auto first = std::find(bytes.begin(), bytes.end(), 'b');
  ASSERT_EQ(parse(bytes).value(), almost);
  *first = 'a';
  EXPECT_EQ(cause_of(bytes), Cause::kNonCanonical);
}

// One model tensor, one virtual one that is 0; by hand, as spec/statement.md lays it out.
const Bytes kHandMade = {3,                      // version
                         1, 1, 'i', 0, 3,        // one axis: i = 3
                         0,                      // no public values
                         2,                      // tensors
                         1, 1, 'x', 1, 0, 0x90,  // witness x[i], signed, 16 bits
                         3, 1, 'z', 1, 0,        // virtual z[i]
                         1, 2, 1,   1,           // one term: coefficient 1, one factor: x along its axis
                         1, 1,                   // one zero claim, on z
                         0, 0};                  // no tables, no lookups
constexpr std::size_t kCoefficientAt = 20;

TEST(Parse, ReadsTheLayoutOfTheSpecification) {
  const auto parsed = parse(kHandMade);
  ASSERT_TRUE(parsed.ok()) << parsed.error().text;
  Builder b;
  const auto i = b.axis("i", 3);
  const auto X = b.witness("x", {i}, signed_bits(16));
  b.zero("z", {i}, X(i));
  EXPECT_EQ(parsed.value(), b.build().value());
}

Bytes with(std::size_t at, std::initializer_list<std::uint8_t> replacement, std::size_t replaced = 1) {
  Bytes bytes = kHandMade;
  const auto position = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  bytes.insert(bytes.erase(position, position + static_cast<std::ptrdiff_t>(replaced)), replacement);
  return bytes;
}

TEST(Parse, NamesWhatIsWrong) {
  EXPECT_EQ(cause_of(with(0, {1})), Cause::kVersion);
  EXPECT_EQ(cause_of(with(0, {0})), Cause::kVersion);
  EXPECT_EQ(cause_of(with(4, {3})), Cause::kTag);
  EXPECT_EQ(cause_of(with(8, {4})), Cause::kTag);
  EXPECT_EQ(cause_of(with(5, {0x80, 3})), Cause::kNonCanonical);
  EXPECT_EQ(cause_of(with(5, {0})), Cause::kLength);
  EXPECT_EQ(cause_of(with(5, {0x90, 0x80, 0x80, 0x80, 0})), Cause{});  // 2^32
  EXPECT_EQ(cause_of(with(5, {0x90, 0x80, 0x80, 0x80, 1})), Cause::kLength);
  EXPECT_EQ(cause_of(with(5, {0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})),
            Cause::kLength);  // 2^64 - 1
  EXPECT_EQ(cause_of(with(5, {0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00})), Cause::kNonCanonical);
  EXPECT_EQ(cause_of(with(12, {1})), Cause::kUnknownAxis);
  EXPECT_EQ(cause_of(with(12, {0x90, 0x80, 0x80, 0x80, 0})), Cause::kNonCanonical);  // an id above 32 bits
  EXPECT_EQ(cause_of(with(13, {0x80})), Cause::kLength);
  EXPECT_EQ(cause_of(with(13, {0xff})), Cause::kLength);
  EXPECT_EQ(cause_of(with(10, {'1'})), Cause::kName);
  EXPECT_EQ(cause_of(with(16, {'x'})), Cause::kRepeatedName);
  EXPECT_EQ(cause_of(with(kCoefficientAt, {0})), Cause::kCoefficient);
  EXPECT_EQ(cause_of(with(kCoefficientAt + 2, {3})), Cause::kCycle);
  EXPECT_EQ(cause_of(with(kCoefficientAt + 2, {4})), Cause::kUnknownTensor);
  EXPECT_EQ(cause_of(with(kCoefficientAt + 2, {0, 5})), Cause{});             // place 2
  EXPECT_EQ(cause_of(with(kCoefficientAt + 2, {0, 7})), Cause::kIndexRange);  // place 3
  EXPECT_EQ(cause_of(with(kCoefficientAt + 2, {0, 2})), Cause::kUnknownAxis);
  EXPECT_EQ(cause_of(with(kCoefficientAt + 2, {0, 0})), Cause::kNonCanonical);  // its own axis, spelled out
  EXPECT_EQ(cause_of(with(kCoefficientAt + 4, {0})), Cause::kZeroClaim);
  EXPECT_EQ(cause_of(with(kCoefficientAt + 4, {9})), Cause::kUnknownTensor);
  EXPECT_EQ(cause_of(with(kCoefficientAt + 3, {0}, 2)), Cause::kUnused);
  EXPECT_EQ(cause_of(with(1, {0x82, 0x00})), Cause::kCount);
  EXPECT_EQ(cause_of(with(7, {0x84, 0x00})), Cause::kTruncated);  // 512 tensors in a few bytes
}

// --- stored statements that must stay readable
// ------------------------------------------------------------------------

std::string vectors_path() { return std::string(AVOW_SOURCE_DIR) + "/spec/vectors/statements.json"; }

Json vector_of(const std::string& name, const Statement& statement) {
  Json lines = Json::array();
  std::istringstream text(to_text(statement));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return {{"name", name},
          {"bytes", base::to_hex(serialize(statement))},
          {"id", base::to_hex(statement_id(statement))},
          {"text", lines}};
}

TEST(StatementVectors, AreReproduced) {
  Json expected = {
      {"about", "spec/statement.md: canonical bytes in hexadecimal, Keccak-256 of them, and the printed form"},
      {"written_by", "src/statement/serialize_test.cpp, AVOW_WRITE_VECTORS=1"},
      {"version", 3},
      {"vectors", Json::array()}};
  expected["vectors"].push_back(vector_of("every kind", every_kind()));
  for (const Example& example : all_examples())
    expected["vectors"].push_back(vector_of(example.name, example.statement));
  if (std::getenv("AVOW_WRITE_VECTORS") != nullptr) std::ofstream(vectors_path()) << expected.dump(1) << "\n";
  std::ifstream file(vectors_path());
  ASSERT_TRUE(file.good()) << vectors_path();
  const Json stored = Json::parse(file);
  ASSERT_EQ(stored["vectors"].size(), expected["vectors"].size());
  for (std::size_t i = 0; i < stored["vectors"].size(); ++i) {
    EXPECT_TRUE(stored["vectors"][i] == expected["vectors"][i]) << expected["vectors"][i]["name"];
  }
  EXPECT_TRUE(stored == expected);
  for (const Json& vector : stored["vectors"]) {
    const auto bytes = base::from_hex(vector["bytes"].get<std::string>());
    ASSERT_TRUE(bytes.has_value());
    const auto parsed = parse(*bytes);
    ASSERT_TRUE(parsed.ok()) << parsed.error().text;
    EXPECT_EQ(vector_of(vector["name"], parsed.value()), vector);
  }
}

TEST(Print, ReadsLikeTheMathematics) {
  EXPECT_EQ(to_text(matmul_example(3, 12, 5).statement),
            "axes\n"
            "  token of the instance, at most 64\n"
            "  in = 12\n"
            "  out = 5\n"
            "  u8.row = 256\n"
            "  s16.row = 65536\n"
            "model\n"
            "  w[out, in] s16\n"
            "witness\n"
            "  x[token, in] s16, input\n"
            "  y[token, out] s16\n"
            "  u8.count[u8.row] u32\n"
            "  s16.count[s16.row] u32\n"
            "definitions\n"
            "  acc[token, out] := sum_{in} x[token, in] w[out, in]  (stage 1)\n"
            "  r[token, out] := acc[token, out] + 128 - 256 y[token, out]  (stage 1, linear)\n"
            "tables\n"
            "  u8[u8.row]: (index(u8.row)), counts u8.count\n"
            "  s16[s16.row]: ((index(s16.row) - 32768)), counts s16.count\n"
            "lookups\n"
            "  r_range[token, out]: (r[token, out]) in u8\n"
            "  x_range[token, in]: (x[token, in]) in s16\n"
            "  y_range[token, out]: (y[token, out]) in s16\n");
}

// Public values, a tensor and an axis of one name.
TEST(Print, TellsValuesTensorsAndAxesApart) {
  const auto text_of = [](int which) {
    Builder b;
    const auto t = b.parameter("x", 8);
    const auto x = b.values("x", {t}, 9);
    const auto X = b.input("x", {t}, signed_bits(8));
    const Expr read[] = {b.value(x(t)), X(t), b.index(t)};
    b.zero("z", {t}, read[which] + b.value(x(t)) + X(t) + b.index(t));
    const auto statement = b.build();
    return to_text(statement.value());
  };
  EXPECT_NE(text_of(0), text_of(1));
  EXPECT_NE(text_of(1), text_of(2));
  EXPECT_NE(text_of(0), text_of(2));
}

TEST(Print, ShowsJointSpaces) {
  const Example example = matmul_example(3, 12, 5);
  EXPECT_EQ(spaces_to_text(Binding::bind(example.statement, example.instance).value()),
            "acc term 0: joint 12, largest factor 60\n"
            "r term 0: joint 1, largest factor 15\n"
            "r term 1: joint 1, largest factor 1\n"
            "r term 2: joint 1, largest factor 15\n");
}

}  // namespace
}  // namespace avow::statement
