// SPDX-License-Identifier: Apache-2.0
#include "statement/analysis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "statement/analysis_testing.hpp"
#include "statement/examples_testing.hpp"

namespace avow::statement {
namespace {

using ::testing::HasSubstr;

// --- the examples --------------------------------------------------------------------------------------------------

TEST(Uniqueness, HoldsOfTheExamples) {
  for (const Example& example : all_examples()) {
    const auto error = check_uniqueness(example.statement);
    EXPECT_FALSE(error) << example.name << ": " << name(error->cause) << ": " << error->text;
  }
}

TEST(Uniqueness, RefusesOperandsThatAreNoInputs) {
  Statement s = product_example(3, 43).statement;
  for (Tensor& tensor : s.tensors) tensor.is_input = false;
  const auto error = check_uniqueness(s);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->cause, Cause::kNotDetermined);
  EXPECT_THAT(error->text, HasSubstr("'a'"));
  EXPECT_THAT(error->text, HasSubstr("product"));
}

TEST(Uniqueness, TellsWhy) {
  const Statement s = softmax_example(6).statement;
  const auto findings = analyse_uniqueness(s);
  ASSERT_TRUE(findings.ok()) << findings.error().text;
  std::map<std::string, Finding> by_name;
  for (const Finding& finding : findings.value()) by_name[s.tensors[finding.tensor].name] = finding;
  EXPECT_EQ(by_name["score"].reason, Reason::kInput);
  EXPECT_EQ(by_name["max"].reason, Reason::kMaximum);
  EXPECT_TRUE(by_name["max"].masks.empty());
  EXPECT_EQ(by_name["selector"].reason, Reason::kHint);
  EXPECT_EQ(by_name["exp"].reason, Reason::kFunction);
  EXPECT_EQ(by_name["exp"].claim, "exponential");
  ASSERT_EQ(by_name["exp"].masks.size(), 1u);  // causal
  EXPECT_EQ(s.tensors[by_name["exp"].masks[0].tensor].structured.kind, StructuredKind::kLessEqual);
  EXPECT_EQ(by_name["reciprocal"].reason, Reason::kSandwich);
  EXPECT_EQ(by_name["output"].reason, Reason::kDigits);
  EXPECT_EQ(by_name["u9.count"].reason, Reason::kCounted);
}

// --- tables --------------------------------------------------------------------------------------------------------

Builder table_of(const std::string& part) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto u = b.axis("step", 8);
  const auto x = b.input("x", {i}, signed_bits(8));
  const auto y = b.witness("y", {i}, signed_bits(8));
  const auto w = b.model("w", {u}, signed_bits(8));
  const auto v = b.define("v", {u}, w(u) + b.index(u));
  const auto key = [&]() -> Expr {
    if (part == "model key") return w(u);
    if (part == "virtual key") return v(u);
    if (part == "repeated key") return b.piecewise(u, {{4, 0, 1}, {4, 3, 1}});
    if (part == "flat key") return b.piecewise(u, {{7, 0, 1}, {1, 9, 0}}) - b.index(u);
    if (part == "constant key") return 5;
    if (part == "pieces") return b.piecewise(u, {{4, 10, -2}, {4, -9, 3}});
    if (part == "flat piece") return b.piecewise(u, {{7, 0, 1}, {1, 9, 0}});
    if (part == "wrapping key") return (std::int64_t{1} << 62) * b.index(u);
    return b.index(u, -3);
  };
  b.lookup("look", {i}, {x(i), y(i)}, b.table("function", {u}, {key(), v(u)}));
  return b;
}

TEST(Uniqueness, NeedsKeysOfTables) {
  const Names texts = {"table 'function'", "w[step]"};
  expect_each_needed(table_of, {{"model key", Cause::kTableKeys, texts},
                                {"virtual key", Cause::kTableKeys, {"table 'function'", "v[step]"}},
                                {"repeated key", Cause::kTableKeys, {"table 'function'"}},
                                {"flat key", Cause::kTableKeys, {"table 'function'"}},
                                {"constant key", Cause::kTableKeys, {"table 'function'"}},
                                {"wrapping key", Cause::kTableKeys, {"table 'function'"}}});
  expect_unique(table_of("pieces"));
  expect_unique(table_of("flat piece"));
}

// A table for each step, of a model table times a public less-than; the histogram is used.
Builder table_per_step(const std::string& part) {
  Builder b;
  const auto t = b.parameter("token", 48);
  const auto v = b.axis("word", 43);
  const auto u = b.axis("step", 16);
  const auto theta = b.values("theta", {t}, 16);
  const auto k = b.values("k", {}, 44);
  const auto U = part == "key" ? b.witness("u", {t, v}, unsigned_bits(4)) : b.input("u", {t, v}, unsigned_bits(4));
  const auto P = b.witness("p", {t, v}, unsigned_bits(16));
  const auto S = b.witness("s", {t}, unsigned_bits(32));
  const auto EXP = b.model("exp", {u}, unsigned_bits(16));
  const auto kept = b.define("kept", {t, u}, EXP(u) * (b.below(theta(t), u) + b.one_hot(theta(t), u)));
  const std::int64_t shift = part == "shifted index" ? 1 : 0;
  const Expr first = part == "index t" ? b.index(u) : b.index(t, shift);
  const Expr second = part == "index u" ? b.index(t) : b.index(u);
  const auto table = b.table("kept_table", {t, u}, {first, second, kept(t, u)});
  b.lookup("look", {t, v}, {b.index(t, shift), U(t, v), P(t, v)}, table);
  for (const char* name : {"look_again", "and_again"}) {
    if (part == "looked up thrice") b.lookup(name, {t, v}, {b.index(t), U(t, v), P(t, v)}, table);
  }
  b.zero("mass", {t}, sum({v}, P(t, v)) - S(t));
  const auto H = b.multiplicity(table);
  const auto u6 = b.range("u6", 64);
  const auto counted = b.define("counted", {t}, sum({u}, H(t, u) * (b.below(theta(t), u) + b.one_hot(theta(t), u))));
  // Of each token there are 43 cells in the table: at most 86 in both sums. Times 80 * 2^50 that is below p/2; thrice
  // as many are above p.
  const Expr factor = (part == "wrap" ? 320 : 80) * (std::int64_t{1} << 50);
  b.lookup("enough", {t}, {factor * (counted(t) - b.value(k()))}, u6);
  return b;
}

TEST(Uniqueness, CoversATablePerStep) {
  expect_each_needed(table_per_step, {{"index t", Cause::kTableKeys, {"table 'kept_table'"}},
                                      {"index u", Cause::kTableKeys, {"table 'kept_table'"}},
                                      {"key", Cause::kNotDetermined, {"'u'", "look"}},
                                      {"shifted index", Cause::kWrap, {"lookup 'enough'", "counted[token]"}},
                                      {"looked up thrice", Cause::kWrap, {"lookup 'enough'", "counted[token]"}},
                                      {"wrap", Cause::kWrap, {"lookup 'enough'", "counted[token]"}}});
}

// --- digits --------------------------------------------------------------------------------------------------------

Builder requantised(const std::string& part) {
  Builder b;
  const auto t = b.parameter("token", 64);
  const auto i = b.axis("in", 12);
  const auto o = b.axis("out", 5);
  const auto x = b.input("x", {t, i}, signed_bits(16));
  const auto w = b.model("w", {o, i}, signed_bits(16));
  const auto y = b.witness("y", {t, o}, signed_bits(16));
  const auto acc = b.define("acc", {t, o}, sum({i}, x(t, i) * w(o, i)));
  const std::int64_t step = part == "wraps" ? std::int64_t{1} << 49 : 256;
  const auto r = b.define("r", {t, o}, acc(t, o) + 128 - step * y(t, o));
  // A range 2^8 may be checked in a table of 2^10, scaled.
  const std::int64_t scale = part == "scaled" ? 4 : part == "scale wraps" ? std::int64_t{1} << 41 : 1;
  const std::uint64_t size = part == "two remainders" ? 257 : part == "scaled" ? 1024 : 256;
  b.lookup("r_range", {t, o}, {scale * r(t, o)}, b.range("table", size));
  if (part == "fixed place") b.lookup("y_range", {t}, {y(t, at(0))}, b.range("s16", 65536, -32768));
  if (part == "masked range") {
    b.lookup("y_range", {t, o}, {y(t, o)}, b.range("s16", 65536, -32768), b.equal(t, o));
  }
  if (part != "range" && part != "fixed place" && part != "masked range") {
    b.lookup("y_range", {t, o}, {y(t, o) - 5}, b.range("s16", 65536, -32768));
  }
  return b;
}

TEST(Uniqueness, CoversRequantisation) {
  expect_each_needed(requantised, {{"range", Cause::kNotDetermined, {"'y'", "r_range (has no checked range)"}},
                                   {"fixed place", Cause::kNotDetermined, {"'y'", "r_range", "y_range"}},
                                   {"masked range", Cause::kNotDetermined, {"'y'", "r_range", "y_range"}},
                                   {"two remainders", Cause::kNotDetermined, {"'y'", "steps of 256"}},
                                   {"wraps", Cause::kNotDetermined, {"'y'", "r_range", "is not below p"}},
                                   {"scale wraps", Cause::kNotDetermined, {"'y'", "r_range", "is not below p"}}});
  expect_unique(requantised("scaled"));
}

// round(x / 2^8), as two limbs, with a remainder of two limbs.
Builder limbs(const std::string& part) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto u16 = b.range("u16", 65536);
  const auto u8 = b.range("u8", 256);
  const auto u4 = b.range("u4", 16);
  const auto x = b.input("x", {i}, unsigned_bits(32));
  const auto low = b.witness("low", {i}, unsigned_bits(16));
  const auto high = b.witness("high", {i}, unsigned_bits(8));
  const auto r1 = b.witness("r1", {i}, unsigned_bits(4));
  const std::int64_t weight = part == "limbs overlap" ? 1 << 15 : 1 << 16;
  const std::int64_t step = part == "steps overlap" ? 1 << 7 : 1 << 8;
  const Expr rest = x(i) + (1 << 7) - step * low(i) - step * weight * high(i);
  b.lookup("x_range", {i}, {x(i)}, b.range("u32", std::uint64_t{1} << 32));
  b.lookup("rest", {i}, {rest - 16 * r1(i)}, u4);
  b.lookup("low_range", {i}, {part == "range of low" ? x(i) : low(i)}, u16);
  b.lookup("high_range", {i}, {part == "range of high" ? x(i) : high(i)}, u8);
  b.lookup("r1_range", {i}, {part == "range of rest" ? x(i) : r1(i)}, u4);
  return b;
}

TEST(Uniqueness, CoversLimbs) {
  expect_each_needed(limbs, {{"range of low", Cause::kNotDetermined, {"'low'", "rest (has no checked range)"}},
                             {"range of high", Cause::kNotDetermined, {"'low'", "beside a tensor without"}},
                             {"range of rest", Cause::kNotDetermined, {"'low'", "beside a tensor without"}},
                             {"limbs overlap", Cause::kNotDetermined, {"'low'", "rest (steps of 8388608 are within"}},
                             {"steps overlap", Cause::kNotDetermined, {"'low'", "rest (steps of 128 are within"}}});
}

// (Y, X) in {(y, 0)} u {(7, x)} u {(-8, -x)}, x >= 1.
Builder saturated(const std::string& part) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto row = b.axis("row", 36);
  const auto acc = b.input("acc", {i}, signed_bits(20));
  const auto y = b.witness("y", {i}, signed_bits(4));
  const auto x = b.witness("x", {i}, signed_bits(6));
  const auto e = b.witness("e", {i}, signed_bits(16));
  const auto values = b.model("values", {row}, signed_bits(16));
  std::vector<Piece> first = {{10, -8, 0}, {16, -8, 1}, {10, 7, 0}};
  std::vector<Piece> second = {{10, -10, 1}, {16, 0, 0}, {10, 1, 1}};
  if (part == "row twice") second[2].first = 0;
  if (part == "sum twice") first[2].first = 6;
  const auto table = b.table("clamp", {row}, {b.piecewise(row, first), b.piecewise(row, second), values(row)});
  const auto other = part == "another cell" ? b.witness("other", {i}, signed_bits(6)) : x;
  if (part == "mask of pair") {
    b.lookup("pair", {i}, {y(i), other(i), e(i)}, table, b.below(b.values("count", {}, 13)(), i));
  } else {
    b.lookup("pair", {i}, {y(i), other(i), e(i)}, table);
  }
  const auto u8 = b.range("u8", 256);
  if (part == "another cell") b.lookup("x_range", {i}, {x(i) + 20}, u8);
  const std::int64_t scale = part == "wraps" ? std::int64_t{1} << 51 : 1;
  b.lookup("rest", {i}, {scale * (acc(i) + 128 - 256 * (y(i) + x(i)))}, u8);
  b.lookup("acc_range", {i}, {acc(i)}, b.range("s20", 1 << 20, -(1 << 19)));
  return b;
}

TEST(Uniqueness, CoversSaturation) {
  expect_each_needed(saturated, {{"row twice", Cause::kTableKeys, {"table 'clamp'"}},
                                 {"sum twice", Cause::kNotDetermined, {"'y'", "rest"}},
                                 {"another cell", Cause::kNotDetermined, {"'y'", "rest", "are within a range"}},
                                 {"mask of pair", Cause::kNotDetermined, {"'y'", "rest"}},
                                 {"wraps", Cause::kNotDetermined, {"'y'", "rest"}}});
}

// --- selection -----------------------------------------------------------------------------------------------------

// Greedy and sampled choice of a word in one: maximum, saturated steps, table per token, prefix sums, public choice.
Builder selection(const std::string& part) {
  Builder b;
  const auto t = b.parameter("token", 48);
  const auto v = b.axis("word", 43);
  const auto w = b.alias("before", v);
  const auto u = b.axis("step", 16);
  const auto row = b.axis("row", 256);
  const auto theta = b.values("theta", {t}, 16);
  const auto tau = b.values("tau", {}, 4097);
  const auto draw = b.values("draw", {t}, 1 << 28);
  const auto chosen = b.values("chosen", {t}, 43);
  const auto Z = b.input("logit", {t, v}, signed_bits(16));
  const auto M = b.witness("max", {t}, signed_bits(16));
  const auto s = b.witness("selector", {t, v}, unsigned_bits(1));
  const auto U = b.witness("u", {t, v}, unsigned_bits(4));
  const auto X = b.witness("x", {t, v}, unsigned_bits(8));
  const auto P = b.witness("p", {t, v}, unsigned_bits(16));
  const auto EXP = b.model("exp", {u}, unsigned_bits(16));
  const auto u16 = b.range("u16", 65536);
  const auto u12 = b.range("u12", 4096);
  const auto s16 = b.range("s16", 65536, -32768);
  b.lookup("logit_range", {t, v}, {Z(t, v)}, s16);
  b.lookup("below_max", {t, v}, {M(t) - Z(t, v)}, u16);
  b.zero("bit", {t, v}, s(t, v) * s(t, v) - s(t, v));
  b.zero("one", {t}, sum({v}, s(t, v)) - 1);
  b.zero("attained", {t}, sum({v}, s(t, v) * (M(t) - Z(t, v))));
  const auto clamp = b.table(
      "clamp", {row}, {b.piecewise(row, {{16, 0, 1}, {240, 15, 0}}), b.piecewise(row, {{16, 0, 0}, {240, 1, 1}})});
  const auto scaled = b.define("scaled", {t, v}, (M(t) - Z(t, v)) * b.value(tau()));
  b.lookup("steps", {t, v}, {U(t, v), X(t, v)}, clamp);
  b.lookup("steps_rest", {t, v}, {scaled(t, v) + 2048 - 4096 * (U(t, v) + X(t, v))}, u12);
  const auto kept = b.define("kept", {t, u}, EXP(u) * (b.below(theta(t), u) + b.one_hot(theta(t), u)));
  const auto per_step = b.table("kept_table", {t, u}, {b.index(t), b.index(u), kept(t, u)});
  b.lookup("weights", {t, v}, {b.index(t), U(t, v), P(t, v)}, per_step);
  if (part != "range of weights") b.lookup("weight_range", {t, v}, {P(t, v)}, u16);
  // 2^28 C <= draw S < 2^28 (C + p) by limbs of 16 bits
  const auto S = b.define("total", {t}, sum({v}, P(t, v)));
  const auto before = b.define("before_chosen", {t}, sum({w}, b.below(chosen(t), w) * P(t, w)));
  const auto p = b.define("of_chosen", {t}, sum({v}, b.one_hot(chosen(t), v) * P(t, v)));
  const std::int64_t unit = part == "wrap" ? std::int64_t{1} << 44 : std::int64_t{1} << 28;
  const auto low = b.define("low", {t}, S(t) * b.value(draw(t)) - unit * before(t));
  const auto high = b.define("high", {t}, unit * before(t) + unit * p(t) - 1 - S(t) * b.value(draw(t)));
  for (const auto& [side, which] : {std::pair(low, "low"), {high, "high"}}) {
    const std::string text = which;
    std::vector<Expr> limbs;
    for (const int k : {1, 2}) {
      const auto limb = b.witness(text + std::to_string(k), {t}, unsigned_bits(16));
      b.lookup(text + std::to_string(k) + "_range", {t}, {limb(t)}, u16);
      limbs.push_back(limb(t));
    }
    b.lookup(text + "_rest", {t}, {side(t) - 65536 * limbs[0] - (std::int64_t{1} << 32) * limbs[1]}, u16);
  }
  return b;
}

TEST(Uniqueness, CoversSelection) {
  expect_each_needed(selection, {{"range of weights", Cause::kWrap, {"lookup 'low_rest'", "no checked range"}},
                                 {"wrap", Cause::kWrap, {"lookup 'low_rest'", "may reach p/2"}}});
}

}  // namespace
}  // namespace avow::statement
