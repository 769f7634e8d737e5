// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/test_stride.hpp"
#include "statement/analysis.hpp"
#include "statement/analysis_testing.hpp"
#include "statement/examples_testing.hpp"
#include "statement/serialize.hpp"
#include "statement/validate.hpp"

namespace avow::statement {
namespace {

using ::testing::HasSubstr;

// The bounds of all model tensors that are given by name.
ModelBounds bounds_of(const Statement& s, const std::map<std::string, TensorBound>& given) {
  ModelBounds bounds;
  for (const Tensor& tensor : s.tensors) {
    const auto it = given.find(tensor.name);
    bounds.tensors.push_back(it == given.end() ? std::nullopt : std::optional(it->second));
  }
  return bounds;
}

void expect_wrap(const Statement& s, const ModelBounds& bounds, Cause cause, const Names& texts) {
  const auto error = check_no_wrap(s, bounds);
  ASSERT_TRUE(error);
  EXPECT_STREQ(name(error->cause), name(cause)) << error->text;
  for (const std::string& text : texts) EXPECT_THAT(error->text, HasSubstr(text));
}

void expect_fine(const Statement& s, const ModelBounds& bounds) {
  const auto error = check_no_wrap(s, bounds);
  EXPECT_FALSE(error) << name(error->cause) << ": " << error->text;
}

// x of 16 bits times w of up to 48, 2^16 long, requantised.
struct Linear {
  AxisId in = 0;
  Statement statement;
};
Linear linear(const std::string& part) {
  Builder b;
  const auto t = b.parameter("token", 1024);
  const auto i = b.axis("in", 65536);
  const auto o = b.axis("out", 5);
  const auto x = b.input("x", {t, i}, signed_bits(16));
  const auto w = b.model("w", {o, i}, signed_bits(48));
  const auto y = b.witness("y", {t, o}, signed_bits(16));
  const auto s16 = b.range("s16", 65536, -32768);
  if (part != "range of x") b.lookup("x_range", {t, i}, {x(t, i)}, s16);
  b.lookup("y_range", {t, o}, {y(t, o)}, s16);
  const auto acc = b.define("acc", {t, o}, sum({i}, x(t, i) * w(o, i)));
  const std::int64_t scale = part == "scale" ? 1 << 16 : 1;
  b.lookup("r_range", {t, o}, {scale * (acc(t, o) + 128 - 256 * y(t, o))}, b.range("u8", 256));
  return {i.id, built(b)};
}

TEST(NoWrap, BoundsLinearLayers) {
  const auto [in, s] = linear("");
  EXPECT_FALSE(check_uniqueness(s));
  expect_fine(s, bounds_of(s, {{"w", {-30000, 30000}}}));
  expect_fine(s, bounds_of(s, {{"w", {-(1 << 30), 1 << 30}}}));  // 2^15 2^30 2^16
  expect_wrap(s, bounds_of(s, {{"w", {-(std::int64_t{1} << 32), 1}}}), Cause::kWrap, {"'acc'", "w[out, in]"});
  expect_wrap(s, bounds_of(s, {{"w", {0, std::int64_t{1} << 32}}}), Cause::kWrap, {"'acc'", "w[out, in]"});
}

TEST(NoWrap, UsesRowNorms) {
  const auto [in, s] = linear("");
  const std::int64_t big = std::int64_t{1} << 40;
  expect_wrap(s, bounds_of(s, {{"w", {-big, big}}}), Cause::kWrap, {"'acc'"});
  expect_fine(s, bounds_of(s, {{"w", {-big, big, {in}, std::uint64_t{1} << 47}}}));
  expect_wrap(s, bounds_of(s, {{"w", {-big, big, {in}, std::uint64_t{1} << 49}}}), Cause::kWrap, {"'acc'"});
  // A norm over the other axis says nothing of this sum.
  const AxisId out = in + 1;
  expect_wrap(s, bounds_of(s, {{"w", {-big, big, {out}, std::uint64_t{1} << 41}}}), Cause::kWrap, {"'acc'"});
}

TEST(NoWrap, CountsTheScaledExpression) {
  const auto [in, s] = linear("scale");
  expect_fine(s, bounds_of(s, {{"w", {-100, 100}}}));
  expect_wrap(s, bounds_of(s, {{"w", {-(1 << 17), 1 << 17}}}), Cause::kWrap, {"lookup 'r_range'", "65536 acc"});
}

TEST(NoWrap, NeedsCheckedRanges) {
  const auto [in, s] = linear("range of x");
  expect_wrap(s, bounds_of(s, {{"w", {-1, 1}}}), Cause::kUnbounded, {"'acc'", "no claim bounds 'x'"});
}

TEST(NoWrap, NeedsBoundsOfModelTensorsInTheirNotes) {
  const auto [in, s] = linear("");
  expect_wrap(s, {}, Cause::kModelBounds, {"'w'", "no bounds"});
  expect_wrap(s, bounds_of(s, {}), Cause::kModelBounds, {"'w'", "no bounds"});
  expect_wrap(s, bounds_of(s, {{"w", {2, 1}}}), Cause::kModelBounds, {"'w'", "[2, 1]"});
  const std::int64_t limit = std::int64_t{1} << 47;
  expect_wrap(s, bounds_of(s, {{"w", {0, limit}}}), Cause::kModelBounds, {"'w'"});
  expect_wrap(s, bounds_of(s, {{"w", {-limit - 1, 0}}}), Cause::kModelBounds, {"'w'"});
}

// exp table, denominator over all tokens, product with the values.
Statement mean(const std::string& part) {
  Builder b;
  const auto t = b.parameter("token", 1024);
  const auto k = b.alias("key", t);
  const auto u = b.axis("step", 16);
  const auto x = b.input("x", {t, k}, unsigned_bits(4));
  const auto e = b.witness("e", {t, k}, unsigned_bits(48));
  const auto S = b.witness("s", {t}, unsigned_bits(48));
  const auto v = b.model("v", {u}, unsigned_bits(62));
  const auto table = b.table("exp", {u}, {b.index(u), v(u) * (part == "column" ? 4 : 1)});
  const Expr mask = b.less_equal(k, t);
  const Expr half = part == "column" ? 4 * e(t, k) : e(t, k);
  b.lookup("look", {t, k}, {x(t, k), half}, table, mask);
  const Expr weight = part == "mask" ? Expr(1) : mask;
  const auto D = b.define("d", {t}, sum({k}, weight * e(t, k)));
  b.zero("equal", {t}, D(t) - S(t));
  b.zero("square", {t}, S(t) * S(t) - S(t) * D(t));
  return built(b);
}

TEST(NoWrap, BoundsValuesOfTablesUnderTheirMasks) {
  const Statement s = mean("");
  expect_fine(s, bounds_of(s, {{"v", {0, 65536}}}));
  // 2^10 values of 2^22: the square of their sum is 2^64.
  expect_wrap(s, bounds_of(s, {{"v", {0, 1 << 22}}}), Cause::kWrap, {"'square'"});
  expect_wrap(s, bounds_of(s, {{"v", {0, std::int64_t{1} << 54}}}), Cause::kWrap, {"'d'"});
  const Statement column = mean("column");
  expect_wrap(column, bounds_of(column, {{"v", {0, std::int64_t{1} << 61}}}), Cause::kWrap, {"table 'exp'"});
  const Statement unmasked = mean("mask");
  expect_wrap(unmasked, bounds_of(unmasked, {{"v", {0, 1}}}), Cause::kUnbounded, {"'d'", "no claim bounds 'e'"});
}

TEST(NoWrap, CountsOneHotSumsOnce) {
  Builder b;
  const auto t = b.parameter("token", 1024);
  const auto v = b.axis("word", std::uint64_t{1} << 18);
  const auto id = b.values("id", {t}, std::uint64_t{1} << 18);
  const auto E = b.model("embedding", {v}, signed_bits(62));
  const auto x = b.witness("x", {t}, signed_bits(62));
  b.zero("embed", {t}, sum({v}, b.one_hot(id(t), v) * E(v)) - x(t));
  const Statement s = built(b);
  expect_fine(s, bounds_of(s, {{"embedding", {-(std::int64_t{1} << 60), std::int64_t{1} << 60}}}));
}

// --- any statement -------------------------------------------------------------------------------------------------

ModelBounds small_bounds(const Statement& s) {
  ModelBounds bounds;
  for (const Tensor& tensor : s.tensors) {
    bounds.tensors.push_back(tensor.kind == TensorKind::kModel ? std::optional(TensorBound{0, 1}) : std::nullopt);
  }
  return bounds;
}

// Whatever is valid is judged, and a refusal says what it is about.
void judge(const Statement& s) {
  for (const auto& error : {check_uniqueness(s), check_no_wrap(s, small_bounds(s))}) {
    if (!error) continue;
    EXPECT_GE(error->cause, Cause::kTableKeys);
    EXPECT_FALSE(error->text.empty());
  }
}

TEST(Analysis, JudgesMutatedStatements) {
  std::size_t judged = 0;
  base::SplitMix64 random(1);
  for (const Example& example : all_examples()) {
    const auto bytes = serialize(example.statement);
    for (int round = 0; round < 4000 / static_cast<int>(base::kTestStride); ++round) {
      auto changed = bytes;
      const std::uint64_t changes = 1 + random() % 3;
      for (std::uint64_t k = 0; k < changes; ++k) {
        changed[random() % changed.size()] = static_cast<std::uint8_t>(random() % 2 == 0 ? random() % 8 : random());
      }
      const auto parsed = parse(changed);
      if (!parsed.ok()) continue;
      ++judged;
      judge(parsed.value());
    }
  }
  EXPECT_GT(judged, 1000 / base::kTestStride);
}

TEST(Analysis, JudgesStatementsWithoutOneClaim) {
  for (const Example& example : all_examples()) {
    for (std::size_t k = 0; k < example.statement.zero_claims.size(); ++k) {
      Statement s = example.statement;
      s.zero_claims.erase(s.zero_claims.begin() + static_cast<std::ptrdiff_t>(k));
      if (!validate(s)) judge(s);
    }
    for (std::size_t k = 0; k < example.statement.lookups.size(); ++k) {
      Statement s = example.statement;
      s.lookups.erase(s.lookups.begin() + static_cast<std::ptrdiff_t>(k));
      if (!validate(s)) judge(s);
    }
  }
}

// (a + b)^2, its square, and so on, over and over: expanded it would be astronomic.
TEST(Analysis, TakesBoundedWorkOnNestedProducts) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto j = b.axis("other", 12);
  auto last = b.define("v0", {i, j}, b.input("a", {i}, signed_bits(8))(i) + b.input("c", {j}, signed_bits(8))(j));
  for (int k = 1; k <= 5; ++k) {
    last = b.define(fmt::format("v{}", k), {i, j}, (last(i, j) + k) * (last(i, j) - k) * last(i, j));
  }
  b.zero("end", {i, j}, last(i, j));
  EXPECT_FALSE(check_uniqueness(built(b)));
}

// Many claims of many terms, any two of which could be the sides of a division.
TEST(Analysis, RefusesTooMuchWork) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto u16 = b.range("u16", 65536);
  std::vector<TensorRef> x;
  for (int k = 0; k < 16; ++k) x.push_back(b.input(fmt::format("x{}", k), {i}, signed_bits(8)));
  Expr products = 0;
  for (std::size_t k = 0; k < 16; ++k) products = products + x[k](i) * x[(k + 1) % 16](i);
  const auto wide = b.define("wide", {i}, products);
  const auto square = b.define("square", {i}, wide(i) * wide(i));
  const auto q = b.witness("q", {i}, signed_bits(8));
  for (int k = 0; k < 250; ++k) {
    const auto side = b.define(fmt::format("side{}", k), {i}, square(i) + k - q(i) * x[0](i));
    b.lookup(fmt::format("l{}", k), {i}, {side(i)}, u16);
  }
  const auto error = check_uniqueness(built(b));
  ASSERT_TRUE(error);
  EXPECT_STREQ(name(error->cause), name(Cause::kTooComplex)) << error->text;
}

}  // namespace
}  // namespace avow::statement
