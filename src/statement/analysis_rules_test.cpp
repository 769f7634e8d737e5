// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "statement/analysis.hpp"
#include "statement/analysis_testing.hpp"

namespace avow::statement {
namespace {

// --- equations, functions ------------------------------------------------------------------------------------------

Builder equations(const std::string& part) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto longer = b.axis("longer", 16);
  const auto u = b.axis("step", 16);
  const auto x = part == "input" ? b.witness("x", {i}, signed_bits(8)) : b.input("x", {i}, signed_bits(8));
  const auto y = b.witness("y", {part == "prefix" ? longer : i}, signed_bits(8));
  const auto z = b.witness("z", {i}, signed_bits(8));
  const auto w = b.model("w", {u}, signed_bits(8));
  if (part == "divisor") {
    b.zero("equation", {i}, x(i) * y(i) - 7);  // x may be 0, then y is anything
  } else if (part == "place") {
    b.zero("equation", {}, 3 * y(at(2)) - x(at(2)));
  } else if (part == "multiple of p") {
    // 2^32 (2^32 - 1) + 1 = p
    b.zero("equation", {i},
           (std::int64_t{1} << 62) * y(i) + (std::int64_t{1} << 62) * y(i) + (std::int64_t{1} << 62) * y(i) +
               (std::int64_t{1} << 62) * y(i) - (std::int64_t{1} << 32) * y(i) + y(i) - x(i));
  } else {
    b.zero("equation", {i}, 3 * y(i) - x(i) * x(i));
  }
  const auto table = b.table("function", {u}, {b.index(u), w(u)});
  b.lookup("look", {i}, {part == "two values" ? z(i) : x(i), 5 * z(i) - x(i)}, table);
  return b;
}

TEST(Uniqueness, CoversEquationsAndFunctions) {
  expect_each_needed(equations, {{"input", Cause::kNotDetermined, {"'x'", "equation", "look"}},
                                 {"prefix", Cause::kNotDetermined, {"'y'", "equation"}},
                                 {"divisor", Cause::kNotDetermined, {"'y'", "equation (multiplied"}},
                                 {"place", Cause::kNotDetermined, {"'y'", "equation"}},
                                 {"multiple of p", Cause::kNotDetermined, {"'y'", "equation"}},
                                 {"two values", Cause::kNotDetermined, {"'z'", "look"}}});
}

// Limbs make a comparison modulo p of numbers that nothing bounds, and nothing but what bounds them reads them.
Builder unbounded(const std::string& part) {
  Builder b;
  const auto t = b.axis("t", 4);
  const auto r = b.axis("row", 2);
  const auto x = b.input("x", {t}, unsigned_bits(16));
  const auto limb = b.witness("limb", {t}, unsigned_bits(1));
  const auto u16 = b.range("u16", 65536);
  b.lookup("compared", {t}, {b.define("difference", {t}, x(t) * x(t) - 65536 * limb(t))(t)}, u16);
  if (part == "bit") b.zero("checked", {t}, limb(t) * limb(t) - limb(t));
  if (part == "two columns") {
    b.lookup("checked", {t}, {limb(t), limb(t)}, b.table("pairs", {r}, {b.index(r), b.index(r)}));
  }
  if (part == "range") b.lookup("checked", {t}, {limb(t)}, b.range("u1", 2));
  return b;
}

TEST(Uniqueness, RefusesComparisonsOfUnboundedNumbers) {
  for (const char* part : {"range", "bit", "two columns"}) {
    SCOPED_TRACE(part);
    expect_refused(unbounded(part), Cause::kWrap, {"'compared'"});
  }
}

// [a < b] or [a = b] (w - 7) = 0 at indices where the mask is never 1 says nothing of w.
Statement under_mask(StructuredKind kind, Index first, Index second) {
  Statement s;
  s.axes = {{"t", AxisKind::kFixed, 4, 0}, {"u", AxisKind::kFixed, 8, 0}, {"v", AxisKind::kFixed, 8, 0}};
  Tensor w;
  w.kind = TensorKind::kWitness;
  w.name = "w";
  w.axes = {0};
  w.range = {8, false};
  Tensor mask;
  mask.kind = TensorKind::kStructured;
  mask.axes = {first.kind == Index::Kind::kAxis ? 0u : 1u, 2};
  mask.structured.kind = kind;
  Tensor claim;
  claim.kind = TensorKind::kVirtual;
  claim.name = "claim";
  claim.axes = {0};
  const Access value{0, {{Index::Kind::kAxis, 0}}}, read{1, {first, second}};
  claim.definition = {{1, {read, value}}, {-7, {read}}};
  s.tensors = {w, mask, claim};
  s.zero_claims = {2};
  return s;
}

TEST(Uniqueness, TakesNothingFromMasksThatAreNever1) {
  const Index t{Index::Kind::kAxis, 0};
  const auto at = [](std::uint64_t place) { return Index{Index::Kind::kFixed, place}; };
  const auto is_refused = [](const Statement& s) {
    const auto error = check_uniqueness(s);
    return error && error->cause == Cause::kNotDetermined;
  };
  EXPECT_TRUE(is_refused(under_mask(StructuredKind::kLess, at(5), at(3))));
  EXPECT_TRUE(is_refused(under_mask(StructuredKind::kLess, at(3), at(3))));
  EXPECT_TRUE(is_refused(under_mask(StructuredKind::kLess, t, at(0))));
  EXPECT_TRUE(is_refused(under_mask(StructuredKind::kLessEqual, at(4), at(3))));
  EXPECT_TRUE(is_refused(under_mask(StructuredKind::kEqual, at(4), at(3))));
  EXPECT_TRUE(is_refused(under_mask(StructuredKind::kEqual, t, at(4))));
  EXPECT_FALSE(is_refused(under_mask(StructuredKind::kLess, at(3), at(5))));
  EXPECT_FALSE(is_refused(under_mask(StructuredKind::kLessEqual, at(3), at(3))));
  EXPECT_FALSE(is_refused(under_mask(StructuredKind::kEqual, at(3), at(3))));
}

// One value for a row, in claims at each cell of the row: an axis that it lacks does no harm, a mask on it does.
Builder broadcast(const std::string& part) {
  Builder b;
  const auto t = b.parameter("token", 48);
  const auto k = b.alias("key", t);
  const auto x = b.input("x", {t, k}, unsigned_bits(16));
  const auto y = b.witness("y", {t}, unsigned_bits(8));
  const auto u8 = b.range("u8", 256);
  b.lookup("x_range", {t, k}, {x(t, k)}, b.range("u16", 65536));
  const Expr rest = x(t, k) - 256 * y(t);
  if (part == "mask of rest") {
    b.lookup("rest", {t, k}, {rest}, u8, b.less(k, t));
  } else {
    b.lookup("rest", {t, k}, {rest}, u8);
  }
  if (part == "mask of range") {
    b.lookup("y_range", {t, k}, {y(t)}, u8, b.less(k, t));
  } else {
    b.lookup("y_range", {t, k}, {y(t)}, u8);
  }
  return b;
}

TEST(Uniqueness, CoversBroadcastsWithoutMasks) {
  expect_each_needed(broadcast, {{"mask of rest", Cause::kNotDetermined, {"'y'", "rest"}},
                                 {"mask of range", Cause::kNotDetermined, {"'y'", "rest (has no checked range)"}}});
}

// A rotation of pairs, each half in a claim of its own.
Builder rotation(const std::string& part) {
  Builder b;
  const auto t = b.parameter("token", 64);
  const auto c = b.axis("context", 64);
  const auto p = b.axis("pair", 5);
  const auto h = b.axis("half", 2);
  const auto x = b.input("x", {t, p, h}, signed_bits(16));
  const auto y = b.witness("y", {t, p, h}, signed_bits(16));
  const auto z = b.witness("z", {t}, signed_bits(32));
  const auto cosine = b.model("cosine", {c, p}, signed_bits(16));
  const auto sine = b.model("sine", {c, p}, signed_bits(16));
  const auto u8 = b.range("u8", 256);
  const auto s16 = b.range("s16", 65536, -32768);
  const auto first = b.define("first", {t, p}, x(t, p, at(0)) * cosine(t, p) - x(t, p, at(1)) * sine(t, p));
  const auto second = b.define("second", {t, p}, x(t, p, at(0)) * sine(t, p) + x(t, p, at(1)) * cosine(t, p));
  b.lookup("first_rest", {t, p}, {first(t, p) + 128 - 256 * y(t, p, at(0))}, u8);
  b.lookup("second_rest", {t, p}, {second(t, p) + 128 - 256 * y(t, p, at(part == "place twice" ? 0 : 1))}, u8);
  if (part == "ranges by place") {
    for (const std::uint64_t place : {0u, 1u}) b.lookup(fmt::format("y{}", place), {t, p}, {y(t, p, at(place))}, s16);
  } else if (part == "range of one place") {
    b.lookup("y_range", {t, p}, {y(t, p, at(0))}, s16);
  } else {
    b.lookup("y_range", {t, p, h}, {y(t, p, h)}, s16);
  }
  b.zero("sum", {t}, sum({p, h}, y(t, p, h)) - z(t));
  return b;
}

TEST(Uniqueness, CoversClaimsByPlace) {
  expect_each_needed(rotation, {{"place twice", Cause::kNotDetermined, {"'y'", "first_rest"}},
                                {"range of one place", Cause::kNotDetermined, {"'y'", "second_rest"}}});
  expect_unique(rotation("ranges by place"));
}

// --- sandwiches ----------------------------------------------------------------------------------------------------

// q = floor(n / d), the remainder of two limbs or virtual.
Builder division(const std::string& part) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto n = b.input("n", {i}, signed_bits(16));
  const auto q = b.witness("q", {i}, signed_bits(16));
  const auto d = part == "divisor" ? b.witness("d", {i}, signed_bits(16)) : b.input("d", {i}, signed_bits(16));
  const auto u16 = b.range("u16", 65536);
  const std::int64_t scale = part == "wraps" ? std::int64_t{1} << 50 : 1;
  const auto rest = b.define("rest", {i}, n(i) - q(i) * d(i));
  if (part == "limbs") {
    const auto high = b.witness("high", {i}, unsigned_bits(4));
    const auto u4 = b.range("u4", 16);
    b.lookup("low", {i}, {rest(i) - 65536 * high(i)}, u16);
    b.lookup("high_range", {i}, {high(i)}, u4);
  } else if (part != "low side") {
    b.lookup("low", {i}, {scale * rest(i)}, u16);
  }
  if (part != "high side") {
    b.lookup("high", {i}, {scale * (part == "off by one" ? d(i) - rest(i) : d(i) - 1 - rest(i))}, u16);
  }
  b.lookup("n_range", {i}, {n(i)}, u16);
  b.lookup("q_range", {i}, {part == "range" ? n(i) : q(i)}, part == "wide" ? b.range("u26", 1 << 26) : u16);
  return b;
}

TEST(Uniqueness, CoversDivision) {
  expect_each_needed(division, {{"low side", Cause::kNotDetermined, {"'q'", "high", "multiplied"}},
                                {"high side", Cause::kNotDetermined, {"'q'", "low", "multiplied"}},
                                {"off by one", Cause::kNotDetermined, {"'q'", "low", "high"}},
                                {"divisor", Cause::kNotDetermined, {"'q'", "low"}},
                                {"range", Cause::kNotDetermined, {"'q'", "low (has no checked range)"}},
                                {"wraps", Cause::kNotDetermined, {"'q'", "low"}}});
  expect_unique(division("wide"));
  expect_unique(division("limbs"));
}

// r = floor(2^k / sqrt(n)), k = 16.
Builder root(const std::string& part) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto n = b.input("n", {i}, signed_bits(16));
  const auto r = b.witness("r", {i}, signed_bits(16));
  const auto g0 = b.witness("g0", {i}, unsigned_bits(16));
  const auto g1 = b.witness("g1", {i}, unsigned_bits(16));
  const auto h0 = b.witness("h0", {i}, unsigned_bits(16));
  const auto h1 = b.witness("h1", {i}, unsigned_bits(16));
  const auto u16 = b.range("u16", 65536);
  const auto s16 = b.range("s16", 65536, -32768);
  const std::int64_t one = std::int64_t{1} << 32;
  const auto low = b.define("low", {i}, part == "low" ? n(i) : one - r(i) * r(i) * n(i));
  const auto high = b.define("high", {i}, part == "high" ? n(i) : (r(i) + 1) * (r(i) + 1) * n(i) - 1 - one);
  b.zero("low_limbs", {i}, low(i) - g0(i) - 65536 * g1(i));
  b.zero("high_limbs", {i}, h0(i) + 65536 * h1(i) - high(i));
  for (const auto& [limb, which] : {std::pair(g0, "g0"), {g1, "g1"}, {h0, "h0"}, {h1, "h1"}}) {
    const std::string text = which;
    b.lookup(text + "_range", {i}, {part == text ? n(i) : limb(i)}, u16);
  }
  b.lookup("n_range", {i}, {n(i)}, part == "sign of n" ? s16 : u16);
  b.lookup("r_range", {i}, {part == "r" ? n(i) : r(i)},
           part == "sign of r" ? s16
           : part == "wide"    ? b.range("u25", 1 << 25)
                               : u16);
  b.lookup("s16_used", {i}, {n(i)}, s16);
  return b;
}

TEST(Uniqueness, CoversReciprocalRoots) {
  expect_each_needed(root, {{"low", Cause::kNotDetermined, {"'r'", "high_limbs"}},
                            {"high", Cause::kNotDetermined, {"'r'", "low_limbs"}},
                            {"g0", Cause::kNotDetermined, {"'r'", "low_limbs", "high_limbs"}},
                            {"h1", Cause::kNotDetermined, {"'r'", "low_limbs", "high_limbs"}},
                            {"r", Cause::kNotDetermined, {"'r'", "low_limbs (has no checked range)"}},
                            {"sign of r", Cause::kNotDetermined, {"'r'", "low_limbs (does not fall"}},
                            {"wide", Cause::kNotDetermined, {"'r'", "low_limbs (spans p)"}}});
}

Builder signed_root(const std::string& part) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto n = b.input("n", {i}, signed_bits(8));
  const auto r = b.witness("r", {i}, signed_bits(8));
  const auto u16 = b.range("u16", 65536);
  b.lookup("low", {i}, {b.define("low_side", {i}, 1024 - r(i) * r(i) * n(i))(i)}, u16);
  b.lookup("high", {i}, {b.define("high_side", {i}, (r(i) + 1) * (r(i) + 1) * n(i) - 1025)(i)}, u16);
  b.lookup("r_range", {i}, {r(i)}, u16);
  b.lookup("n_range", {i}, {part == "sign of n" ? n(i) + 128 : n(i)}, b.range("u8", 256));
  return b;
}

TEST(Uniqueness, NeedsRadicandsThatAreNotNegative) {
  expect_each_needed(signed_root, {{"sign of n", Cause::kNotDetermined, {"'r'", "low (does not fall along it)"}}});
}

// The same with r^2 committed in limbs, and the radicand virtual: its sign is what a lookup says of the sum.
Builder committed_square(const std::string& part) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto j = b.axis("in", 5);
  const auto x = b.input("x", {i, j}, signed_bits(8));
  const auto r = b.witness("r", {i}, signed_bits(8));
  const auto s0 = b.witness("s0", {i}, unsigned_bits(8));
  const auto s1 = b.witness("s1", {i}, unsigned_bits(8));
  const auto u16 = b.range("u16", 65536);
  const auto n = b.define("n", {i}, sum({j}, x(i, j) * x(i, j)) - 100 * x(i, at(0)));
  const auto square = b.define("square", {i}, s0(i) + (part == "limb" ? 255 : 256) * s1(i));
  b.zero("square_limbs", {i}, s0(i) + 256 * s1(i) - r(i) * r(i));
  b.lookup("low", {i}, {b.define("low_side", {i}, 65536 - square(i) * n(i))(i)}, u16);
  b.lookup("high", {i}, {b.define("high_side", {i}, (square(i) + 2 * r(i) + 1) * n(i) - 65537)(i)}, u16);
  b.lookup("r_range", {i}, {r(i)}, u16);
  b.lookup("s0_range", {i}, {s0(i)}, b.range("u8", 256));
  b.lookup("s1_range", {i}, {s1(i)}, u16);
  b.lookup("x_range", {i, j}, {x(i, j) + 128}, u16);
  b.lookup("n_range", {i}, {part == "sign of n" ? n(i) + 30000 : n(i)}, u16);
  return b;
}

TEST(Uniqueness, CoversCommittedSquares) {
  expect_each_needed(committed_square, {{"limb", Cause::kNotDetermined, {"'r'", "square_limbs"}},
                                        {"sign of n", Cause::kNotDetermined, {"'r'", "square_limbs"}}});
}

// n is a sum of squares of limbs: as a polynomial in the limbs it could be negative.
Builder norm(const std::string& part) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto j = b.axis("in", 5);
  const auto low = b.input("low", {i, j}, unsigned_bits(4));
  const auto high = b.input("high", {i, j}, signed_bits(4));
  const auto r = b.witness("r", {i}, signed_bits(8));
  const auto u16 = b.range("u16", 65536);
  const auto x = b.define("x", {i, j}, low(i, j) + 16 * high(i, j));
  const auto other = b.define("other", {i, j}, low(i, j) + (part == "square" ? 17 : 16) * high(i, j));
  const auto n = b.define("n", {i}, sum({j}, x(i, j) * (part == "square" ? other(i, j) : x(i, j))) + 3);
  if (part != "square") b.zero("other_used", {i, j}, other(i, j) - x(i, j));
  b.lookup("below", {i}, {b.define("low_side", {i}, 65536 - r(i) * r(i) * n(i))(i)}, u16);
  b.lookup("above", {i}, {b.define("high_side", {i}, (r(i) + 1) * (r(i) + 1) * n(i) - 65537)(i)}, u16);
  b.lookup("r_range", {i}, {r(i)}, u16);
  b.lookup("low_range", {i, j}, {low(i, j)}, b.range("u4", 16));
  b.lookup("high_range", {i, j}, {high(i, j) + 8}, b.range("u4_too", 16));
  return b;
}

TEST(Uniqueness, KnowsThatSquaresAreNotNegative) {
  expect_each_needed(norm, {{"square", Cause::kNotDetermined, {"'r'", "below (does not fall along it)"}}});
}

// --- maximum -------------------------------------------------------------------------------------------------------

Builder maximum(const std::string& part) {
  Builder b;
  const auto t = b.parameter("token", 48);
  const auto k = b.alias("key", t);
  const auto u = b.axis("step", 16);
  const auto M = b.witness("max", {t}, signed_bits(16));
  const auto S =
      part == "scores" ? b.witness("score", {t, k}, signed_bits(16)) : b.input("score", {t, k}, signed_bits(16));
  const auto s = b.witness("selector", {t, k}, unsigned_bits(1));
  const auto e = b.witness("exp", {t, k}, unsigned_bits(16));
  const auto D = b.witness("sum", {t}, unsigned_bits(24));
  const auto E = b.model("exp_values", {u}, unsigned_bits(16));
  const auto table = b.table("exp_table", {u}, {b.index(u, part == "sign" ? -8 : 0), E(u)});
  const auto small = b.range("small", 4);
  const Expr mask = b.less_equal(k, t);
  const bool unmasked = part == "no mask";
  const Expr m = unmasked ? Expr(1) : mask;
  if (part != "bit") b.zero("bit", {t, k}, s(t, k) * s(t, k) - s(t, k));
  if (part == "bit") b.lookup("bit", {t, k}, {s(t, k)}, small);
  if (part == "masked bit") b.zero("bit_used", {t, k}, s(t, k) * (s(t, k) - 1));
  if (part != "one") b.zero("one", {t}, sum({k}, (part == "mask of one" ? Expr(1) : m) * s(t, k)) - 1);
  if (part == "other form") {
    b.zero("attained", {t}, M(t) - sum({k}, m * s(t, k) * S(t, k)));
  } else if (part == "gap") {
    const auto gap = b.define("gap", {t, k}, M(t) - S(t, k));
    b.zero("attained", {t}, sum({k}, m * s(t, k) * gap(t, k)));
  } else if (part != "attained") {
    b.zero("attained", {t}, sum({k}, (part == "mask of attained" ? Expr(1) : m) * s(t, k) * (M(t) - S(t, k))));
  }
  if (unmasked) {
    b.lookup("exponential", {t, k}, {M(t) - S(t, k), e(t, k)}, table);
  } else if (part == "mask of lookup") {
    b.lookup("exponential", {t, k}, {M(t) - S(t, k), e(t, k)}, table, b.less(k, t));
  } else {
    b.lookup("exponential", {t, k}, {M(t) - S(t, k), e(t, k)}, table, mask);
  }
  b.zero("sum_of_exp", {t}, sum({k}, (part == "mask of use" ? Expr(1) : mask) * e(t, k)) - D(t));
  if (part == "hint") {
    const auto x = b.witness("position", {t}, unsigned_bits(16));
    b.zero("argmax", {t}, sum({k}, mask * s(t, k) * b.index(k)) - x(t));
  }
  b.lookup("small_used", {t}, {D(t) - D(t)}, small);
  return b;
}

TEST(Uniqueness, CoversMaxima) {
  expect_each_needed(maximum, {{"scores", Cause::kNotDetermined, {"'max'", "attained", "exponential"}},
                               {"sign", Cause::kNotDetermined, {"'max'", "attained", "exponential"}},
                               {"bit", Cause::kNotDetermined, {"'max'", "attained", "exponential"}},
                               {"one", Cause::kNotDetermined, {"'max'", "attained", "exponential"}},
                               {"mask of one", Cause::kNotDetermined, {"'max'", "attained", "exponential"}},
                               {"attained", Cause::kNotDetermined, {"'max'", "exponential"}},
                               {"mask of attained", Cause::kNotDetermined, {"'max'", "attained", "exponential"}},
                               {"mask of lookup", Cause::kNotDetermined, {"'max'", "attained", "exponential"}},
                               {"mask of use", Cause::kNotDetermined, {"'sum'", "sum_of_exp"}},
                               {"hint", Cause::kNotDetermined, {"'position'", "argmax"}}});
  for (const std::string form : {"no mask", "other form", "gap"}) expect_unique(maximum(form));
}

// --- what is compared ----------------------------------------------------------------------------------------------

// A mere check, from which nothing follows for any tensor.
Builder comparison(const std::string& part) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto x = b.input("x", {i}, unsigned_bits(16));
  const auto y = b.input("y", {i}, unsigned_bits(16));
  const auto w = b.model("w", {i}, unsigned_bits(16));
  const auto u16 = b.range("u16", 65536);
  b.lookup("x_range", {i}, {x(i)}, u16);
  b.lookup("y_range", {i}, {part == "range" ? x(i) : y(i)}, u16);
  const std::int64_t scale = part == "wrap" ? std::int64_t{1} << 32 : std::int64_t{1} << 30;
  const bool with_model = part == "model" || part == "range of model";
  const auto left = b.define("left", {i}, scale * x(i) * (with_model ? w(i) : y(i)));
  const Expr other = with_model ? y(i) : w(i) - w(i);
  if (part == "range of model") b.lookup("w_range", {i}, {w(i)}, u16);
  b.lookup("check", {i}, {left(i) - 7 + other}, u16);
  return b;
}

TEST(Uniqueness, NeedsBoundsOfWhatIsCompared) {
  expect_each_needed(comparison, {{"wrap", Cause::kWrap, {"lookup 'check'", "left[cell]", "may reach p/2"}},
                                  {"range", Cause::kWrap, {"lookup 'check'", "no checked range"}},
                                  {"model", Cause::kWrap, {"lookup 'check'", "no checked range"}}});
  expect_unique(comparison("range of model"));
}

// Digits of a number that a zero claim has at once.
Builder digits_of_sum(const std::string& part) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto x = b.input("x", {i}, unsigned_bits(16));
  const auto low = b.witness("low", {i}, unsigned_bits(16)), high = b.witness("high", {i}, unsigned_bits(16));
  const auto u16 = b.range("u16", 65536);
  const auto y = b.witness("y", {i}, unsigned_bits(16));
  const auto row = b.axis("row", 256);
  const auto values = b.model("values", {row}, unsigned_bits(16));
  b.lookup("y_value", {i}, {x(i), y(i)}, b.table("squares", {row}, {b.index(row), values(row)}));
  if (part != "range") b.lookup("values_range", {row}, {values(row)}, u16);
  for (const auto& digit : {low, high}) b.lookup(digit.id == low.id ? "low" : "high", {i}, {digit(i)}, u16);
  const std::int64_t scale = part == "wrap" ? std::int64_t{1} << 48 : part == "multiple" ? -(std::int64_t{1} << 45) : 8;
  // Digits up to 2^64 - 2^48 - 1, of which p less a number below 2^61 has some.
  const std::int64_t step = part == "multiple" ? (std::int64_t{1} << 48) - (std::int64_t{1} << 32) : 65536;
  b.zero("digits", {i}, scale * y(i) - 5 - low(i) - step * high(i));
  return b;
}

TEST(Uniqueness, NeedsBoundsOfWhatDigitsAreOf) {
  expect_each_needed(digits_of_sum, {{"wrap", Cause::kWrap, {"zero claim 'digits'", "y[cell]", "may reach p/2"}},
                                     {"multiple", Cause::kWrap, {"zero claim 'digits'", "another multiple of p"}},
                                     {"range", Cause::kWrap, {"zero claim 'digits'", "no checked range"}}});
}

// A wrap is refused even where the modular argument would do: without model factors it can be avoided.
TEST(Uniqueness, RefusesWrapsWithoutModelFactors) {
  Builder b;
  const auto i = b.axis("cell", 12);
  const auto x = b.input("x", {i}, unsigned_bits(32));
  const auto y = b.witness("y", {i}, unsigned_bits(16));
  const auto u16 = b.range("u16", 65536);
  b.lookup("x_range", {i}, {x(i)}, b.range("u32", std::uint64_t{1} << 32));
  b.lookup("y_range", {i}, {y(i)}, u16);
  b.lookup("rest", {i}, {b.define("r", {i}, x(i) * x(i) - 65536 * y(i))(i)}, u16);
  expect_refused(b, Cause::kWrap, {"lookup 'rest'", "r[cell]", "may reach p/2"});
}

}  // namespace
}  // namespace avow::statement
