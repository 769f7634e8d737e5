// SPDX-License-Identifier: Apache-2.0
// Normalisations with an exact reciprocal square root, rotary positions, attention scores.
#include <algorithm>

#include "statement/examples_building_testing.hpp"
#include "statement/examples_testing.hpp"

namespace avow::statement {
namespace {

constexpr std::int64_t kOne = std::int64_t{1} << 46;  // r = floor(sqrt(kOne / n))

std::int64_t square_root(std::int64_t x) {
  std::int64_t root = 0;
  for (std::int64_t bit = std::int64_t{1} << 31; bit != 0; bit >>= 1) {
    if ((root + bit) * (root + bit) <= x) root += bit;
  }
  return root;
}

// Added to the squares, so that r is below 2^17 and r^2 n below 2^61 whatever a prover takes for r.
constexpr std::int64_t kEpsilon = 4097;

// r with r^2 n <= 2^46 < (r+1)^2 n, in two digits; both differences are three digits, which are never negative.
struct ReciprocalRoot {
  TensorRef r;
  TensorRef low[3];
  TensorRef high[3];
};
ReciprocalRoot add_reciprocal_root(Builder& b, AxisRef t, TensorRef n) {
  const auto u12 = b.range("u12", kDigit);
  const auto r0 = b.witness("root_0", {t}, unsigned_bits(12));
  const auto r1 = b.witness("root_1", {t}, unsigned_bits(5));
  b.lookup("root_0_range", {t}, {r0(t)}, u12);
  b.lookup("root_1_range", {t}, {r1(t)}, b.range("u5", 32));
  ReciprocalRoot root{b.witness("root", {t}, unsigned_bits(17)), {}, {}};
  b.zero("root_digits", {t}, root.r(t) - r0(t) - kDigit * r1(t));
  const auto squared = b.define("root_squared", {t}, root.r(t) * root.r(t));
  const char* const names[2][3] = {{"low_0", "low_1", "low_2"}, {"high_0", "high_1", "high_2"}};
  for (int side = 0; side < 2; ++side) {
    for (int i = 0; i < 3; ++i) {
      TensorRef& digit = (side == 0 ? root.low : root.high)[i];
      digit = b.witness(names[side][i], {t}, unsigned_bits(12));
      b.lookup(std::string(names[side][i]) + "_range", {t}, {digit(t)}, u12);
    }
  }
  const auto digits = [&](const TensorRef(&d)[3]) { return d[0](t) + kDigit * d[1](t) + kDigit * kDigit * d[2](t); };
  b.zero("root_not_above", {t}, kOne - squared(t) * n(t) - digits(root.low));
  b.zero("root_not_below", {t}, squared(t) * n(t) + 2 * (root.r(t) * n(t)) + n(t) - 1 - kOne - digits(root.high));
  return root;
}

void fill_digits(Example& example, const char* const (&names)[3], std::int64_t value) {
  for (const char* name : names) {
    example.arrays[name].push_back(value % kDigit);
    value /= kDigit;
  }
}

// One row of both: the root of n and what shows it.
std::int64_t fill_root(Example& example, std::int64_t n) {
  const std::int64_t r = square_root(kOne / n);
  example.arrays["root"].push_back(r);
  example.arrays["root_0"].push_back(r % kDigit);
  example.arrays["root_1"].push_back(r / kDigit);
  fill_digits(example, {"low_0", "low_1", "low_2"}, kOne - r * r * n);
  fill_digits(example, {"high_0", "high_1", "high_2"}, (r + 1) * (r + 1) * n - 1 - kOne);
  return r;
}

constexpr std::int64_t kShift = 1 << 20;  // y = round(x r / 2^20): about 8 sqrt(width) at most

// y = round(x r / 2^20) for every cell, with everything about the root.
void add_scaling(Builder& b, AxisRef t, AxisRef i, const Expr& x, TensorRef r) {
  const auto Y = b.witness("y", {t, i}, signed_bits(16));
  const auto R = b.define("y_rest", {t, i}, x * r(t) + kShift / 2 - kShift * Y(t, i));
  const auto u10 = b.range("u10", 1024);
  const auto rest0 = b.witness("rest_0", {t, i}, unsigned_bits(10));
  const auto rest1 = b.witness("rest_1", {t, i}, unsigned_bits(10));
  b.lookup("rest_0_range", {t, i}, {rest0(t, i)}, u10);
  b.lookup("rest_1_range", {t, i}, {rest1(t, i)}, u10);
  b.zero("y_round", {t, i}, R(t, i) - rest0(t, i) - 1024 * rest1(t, i));
  b.lookup("y_range", {t, i}, {Y(t, i)}, b.range("s12", 4096, -2048));
}

void fill_scaling(Example& example, std::int64_t x, std::int64_t r) {
  const std::int64_t y = floor_div(x * r + kShift / 2, kShift);
  const std::int64_t rest = x * r + kShift / 2 - kShift * y;
  example.arrays["y"].push_back(y);
  example.arrays["rest_0"].push_back(rest % 1024);
  example.arrays["rest_1"].push_back(rest / 1024);
}

void add_root_mutations(Example& example) {
  for (const char* digit : {"root", "root_0", "root_1"}) {
    example.mutations.push_back({digit, {1, -1, kDigit}, {"root_digits"}});
  }
  for (const char* digit : {"low_0", "low_1", "low_2"}) {
    example.mutations.push_back({digit, {1, -1, kDigit}, {"root_not_above"}});
  }
  for (const char* digit : {"high_0", "high_1", "high_2"}) {
    example.mutations.push_back({digit, {1, -1, kDigit}, {"root_not_below"}});
  }
  for (const char* cells : {"y", "rest_0", "rest_1"}) example.mutations.push_back({cells, {1, -1, 3000}, {"y_round"}});
}

}  // namespace

Example rms_norm_example(std::uint64_t tokens, std::uint64_t width) {
  Builder b;
  const auto t = b.parameter("token", 64);
  const auto i = b.axis("feature", width);
  const auto X = b.input("x", {t, i}, signed_bits(8));
  b.lookup("x_range", {t, i}, {X(t, i)}, b.range("s8", 256, -128));
  const auto n = b.define("squares", {t}, sum({i}, X(t, i) * X(t, i)) + kEpsilon);
  const auto root = add_reciprocal_root(b, t, n);
  add_scaling(b, t, i, X(t, i), root.r);

  Example example{"rms_norm", built(b), {{tokens}, {}}, {}, {}};
  const Array x = random_array(tokens * width, -128, 127, 20);
  example.arrays["x"] = x;
  for (std::uint64_t token = 0; token < tokens; ++token) {
    std::int64_t squares = kEpsilon;
    for (std::uint64_t k = 0; k < width; ++k) squares += x[token * width + k] * x[token * width + k];
    const std::int64_t r = fill_root(example, squares);
    for (std::uint64_t k = 0; k < width; ++k) fill_scaling(example, x[token * width + k], r);
  }
  example.mutations = {{"x", {1000, -1000}, {"x_range"}}};
  add_root_mutations(example);
  return example;
}

Example layer_norm_example(std::uint64_t tokens, std::uint64_t width) {
  const auto d = static_cast<std::int64_t>(width);
  Builder b;
  const auto t = b.parameter("token", 64);
  const auto i = b.axis("feature", width);
  const auto X = b.input("x", {t, i}, signed_bits(8));
  const auto s8 = b.range("s8", 256, -128);
  b.lookup("x_range", {t, i}, {X(t, i)}, s8);
  // The mean, rounded: 0 <= sum + floor(d/2) - d mean < d.
  const auto mean = b.witness("mean", {t}, signed_bits(8));
  b.lookup("mean_range", {t}, {mean(t)}, s8);
  const auto rest = b.define("mean_rest", {t}, sum({i}, X(t, i)) + d / 2 - d * mean(t));
  b.lookup("mean_round", {t}, {rest(t)}, b.range("divisor", width));
  const auto C = b.define("centred", {t, i}, X(t, i) - mean(t));
  const auto n = b.define("squares", {t}, sum({i}, C(t, i) * C(t, i)) + kEpsilon);
  const auto root = add_reciprocal_root(b, t, n);
  add_scaling(b, t, i, C(t, i), root.r);

  Example example{"layer_norm", built(b), {{tokens}, {}}, {}, {}};
  const Array x = random_array(tokens * width, -64, 63, 21);
  example.arrays["x"] = x;
  for (std::uint64_t token = 0; token < tokens; ++token) {
    std::int64_t total = 0;
    for (std::uint64_t k = 0; k < width; ++k) total += x[token * width + k];
    const std::int64_t m = floor_div(total + d / 2, d);
    example.arrays["mean"].push_back(m);
    std::int64_t squares = kEpsilon;
    for (std::uint64_t k = 0; k < width; ++k) squares += (x[token * width + k] - m) * (x[token * width + k] - m);
    const std::int64_t r = fill_root(example, squares);
    for (std::uint64_t k = 0; k < width; ++k) fill_scaling(example, x[token * width + k] - m, r);
  }
  example.mutations = {{"x", {1000, -1000}, {"x_range"}}, {"mean", {1, -1, 300}, {"mean_round"}}};
  add_root_mutations(example);
  return example;
}

Example scores_example(std::uint64_t tokens, std::uint64_t features) {
  constexpr std::uint64_t kHeads = 2;
  constexpr std::uint64_t kGroup = 3;
  constexpr std::int64_t kStep = 256;
  Builder b;
  const auto h = b.axis("kv_head", kHeads);
  const auto g = b.axis("group", kGroup);
  const auto t = b.parameter("token", 64);
  const auto k = b.alias("key", t);
  const auto f = b.axis("feature", features);
  const auto Q = b.input("query", {h, g, t, f}, signed_bits(8));
  const auto K = b.input("keys", {h, t, f}, signed_bits(8));
  const auto s8 = b.range("s8", 256, -128);
  b.lookup("query_range", {h, g, t, f}, {Q(h, g, t, f)}, s8);
  b.lookup("keys_range", {h, t, f}, {K(h, t, f)}, s8);
  const auto S = b.witness("score", {h, g, t, k}, signed_bits(16));
  const auto acc = b.define("dot", {h, g, t, k}, sum({f}, Q(h, g, t, f) * K(h, k, f)));
  const auto R = b.define("score_rest", {h, g, t, k}, acc(h, g, t, k) + kStep / 2 - kStep * S(h, g, t, k));
  const auto causal = b.less_equal(k, t);
  b.lookup("score_round", {h, g, t, k}, {R(h, g, t, k)}, b.range("u8", 256), causal);
  b.lookup("score_range", {h, g, t, k}, {S(h, g, t, k)}, b.range("s17", 131072, -65536), causal);

  const Array q = random_array(kHeads * kGroup * tokens * features, -100, 100, 22);
  const Array keys = random_array(kHeads * tokens * features, -100, 100, 23);
  Array score;
  for (std::uint64_t row = 0; row < kHeads * kGroup * tokens; ++row) {
    const std::uint64_t head = row / tokens / kGroup;
    for (std::uint64_t key = 0; key < tokens; ++key) {
      std::int64_t dot = 0;
      for (std::uint64_t x = 0; x < features; ++x) {
        dot += q[row * features + x] * keys[(head * tokens + key) * features + x];
      }
      score.push_back(floor_div(dot + kStep / 2, kStep));
    }
  }
  return {"scores",
          built(b),
          {{tokens}, {}},
          {{"query", q}, {"keys", keys}, {"score", score}},
          {{"query", {1000, -1000}, {"query_range"}},
           {"keys", {1000, -1000}, {"keys_range"}},
           {"score", {1, -1, 1 << 20}, {"score_round"}, true}}};
}

Example rope_example(std::uint64_t tokens, std::uint64_t pairs) {
  constexpr std::uint64_t kHeads = 3;
  constexpr std::uint64_t kContext = 12;
  constexpr std::int64_t kStep = 1024;
  Builder b;
  const auto t = b.parameter("token", kContext);
  const auto h = b.axis("head", kHeads);
  const auto p = b.axis("pair", pairs);
  const auto c = b.axis("context", kContext);
  const auto A = b.input("even", {t, h, p}, signed_bits(12));
  const auto B = b.input("odd", {t, h, p}, signed_bits(12));
  const auto cosines = b.model("cosine", {c, p}, signed_bits(12));
  const auto sines = b.model("sine", {c, p}, signed_bits(12));
  const auto s12 = b.range("s12", 4096, -2048);
  const auto s13 = b.range("s13", 8192, -4096);  // a pair turned by 45 degrees is longer than both
  const auto u10 = b.range("u10", 1024);
  b.lookup("even_range", {t, h, p}, {A(t, h, p)}, s12);
  b.lookup("odd_range", {t, h, p}, {B(t, h, p)}, s12);
  const auto rotate = [&](const char* name, const Expr& turned) {
    const auto Y = b.witness(name, {t, h, p}, signed_bits(13));
    const std::string prefix = name;
    const auto acc = b.define(prefix + "_sum", {t, h, p}, turned);
    const auto R = b.define(prefix + "_rest", {t, h, p}, acc(t, h, p) + kStep / 2 - kStep * Y(t, h, p));
    b.lookup(prefix + "_round", {t, h, p}, {R(t, h, p)}, u10);
    b.lookup(prefix + "_range", {t, h, p}, {Y(t, h, p)}, s13);
  };
  rotate("turned_even", A(t, h, p) * cosines(t, p) - B(t, h, p) * sines(t, p));
  rotate("turned_odd", A(t, h, p) * sines(t, p) + B(t, h, p) * cosines(t, p));

  Example example{"rope", built(b), {{tokens}, {}}, {}, {}};
  const std::uint64_t cells = tokens * kHeads * pairs;
  const Array even = random_array(cells, -1000, 1000, 24);
  const Array odd = random_array(cells, -1000, 1000, 25);
  // Any numbers do for the statement; these are on no circle.
  const Array cosine = random_array(kContext * pairs, -1024, 1024, 26);
  const Array sine = random_array(kContext * pairs, -1024, 1024, 27);
  for (std::uint64_t cell = 0; cell < cells; ++cell) {
    const std::uint64_t at = cell / pairs / kHeads * pairs + cell % pairs;
    const auto rounded = [&](std::int64_t x) { return floor_div(x + kStep / 2, kStep); };
    example.arrays["turned_even"].push_back(rounded(even[cell] * cosine[at] - odd[cell] * sine[at]));
    example.arrays["turned_odd"].push_back(rounded(even[cell] * sine[at] + odd[cell] * cosine[at]));
  }
  example.arrays["even"] = even;
  example.arrays["odd"] = odd;
  example.arrays["cosine"] = cosine;
  example.arrays["sine"] = sine;
  example.mutations = {{"even", {5000, -5000}, {"even_range"}},
                       {"odd", {5000, -5000}, {"odd_range"}},
                       {"turned_even", {1, -1, 5000}, {"turned_even_round"}},
                       {"turned_odd", {1, -1, 5000}, {"turned_odd_round"}}};
  return example;
}

}  // namespace avow::statement
