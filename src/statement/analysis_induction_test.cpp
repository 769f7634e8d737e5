// SPDX-License-Identifier: Apache-2.0
// Rule J: induction along an axis.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.hpp"
#include "base/test_stride.hpp"
#include "statement/analysis.hpp"
#include "statement/analysis_testing.hpp"
#include "statement/print.hpp"

namespace avow::statement {
namespace {

// Layers that read the sum of all earlier ones, and of what `part` says.
Builder layers(const std::string& part) {
  Builder b;
  const auto l = b.axis("layer", 6);
  const auto m = b.alias("earlier", l);
  const auto all = b.axis("all_layers", 12);
  const auto t = b.parameter("token", 16);
  const auto k = b.alias("key", t);
  const auto i = b.axis("in", 5);
  const auto o = b.axis("out", 5);
  const auto count = b.values("count", {}, 16);
  const auto u6 = b.range("u6", part == "two remainders" ? 65 : 64);
  const auto s10 = b.range("s10", 1024, -512);
  const auto E = b.input("embedding", {t, i}, signed_bits(10));
  b.lookup("embedding_range", {t, i}, {E(t, i)}, s10);
  const auto out = b.witness("out", {part == "prefix" ? all : l, t, i}, signed_bits(10));
  Expr earlier = out(m, t, i);
  if (part.starts_with("definition")) {
    // A linear layer between.
    const auto V = b.model("output_weights", {l, o, i}, signed_bits(4));
    earlier = b.define("output", {l, t, o}, sum({i}, out(l, t, i) * V(l, o, i)))(m, t, i);
  }
  const auto before = [&]() -> Expr {
    if (part == "less or equal") return b.less_equal(m, l) * earlier;
    if (part == "later") return b.less(l, m) * earlier;
    if (part == "all layers" || part == "definition of all layers") return earlier;
    if (part == "definition of later") return b.less(l, m) * earlier;
    if (part == "twice") return b.less(m, l) * earlier + b.less_equal(m, l) * earlier;
    if (part == "other pair") return b.less(m, l) * earlier * out(l, t, i);
    if (part == "copy" || part == "masked copy") {
      // What a tensor of both axes repeats of every layer; or of earlier ones only.
      const auto copy = b.witness("copy", {l, m, t, i}, signed_bits(10));
      const Expr factor = part == "copy" ? Expr(1) : b.less(m, l);
      b.zero("copies", {l, m, t, i}, factor * earlier - copy(l, m, t, i));
      return factor * copy(l, m, t, i);
    }
    return b.less(m, l) * earlier;
  };
  const auto more = [&]() -> Expr {
    if (part == "same layer") return out(l, t, i);
    if (part == "first layer") return out(at(0), t, i);
    if (part == "last layer") return out(at(5), t, i);
    if (part == "earlier tokens") return sum({k}, b.less(k, t) * out(l, k, i));
    return 0;
  };
  Expr stream = E(t, i) + sum({m}, before()) + more();
  if (part == "total" || part == "total of earlier") {
    // A tensor without the axis.
    const auto total = b.witness("total", {t, i}, signed_bits(10));
    b.zero("totals", {t, i}, sum({l}, out(l, t, i)) - total(t, i));
    if (part == "total") stream = stream + total(t, i);
  }
  const auto before_layer = b.define("stream", {l, t, i}, stream);
  const auto W = b.model("weights", {l, o, i}, signed_bits(4));
  const auto acc = b.define("acc", {l, t, o}, sum({i}, before_layer(l, t, i) * W(l, o, i)));
  const auto now = b.define("now", {l, t, o}, out(l, t, o));
  const Expr rest = acc(l, t, o) + 32 - 64 * now(l, t, o);
  if (part == "one place") {
    b.lookup("round", {l, t}, {acc(l, t, at(0)) + 32 - 64 * now(l, t, at(0))}, u6);
  } else if (part == "masked") {
    b.lookup("round", {l, t, o}, {rest}, u6, b.below(count(), t));
  } else {
    b.lookup("round", {l, t, o}, {rest}, u6);
  }
  b.lookup("range", {l, t, o}, {now(l, t, o)}, s10);
  return b;
}

TEST(Uniqueness, CoversInductionAlongAnAxis) {
  const Names texts = {"'out'", "round"};
  expect_each_needed(layers, {{"less or equal", Cause::kNotDetermined, texts},
                              {"later", Cause::kNotDetermined, texts},
                              {"all layers", Cause::kNotDetermined, texts},
                              {"definition of all layers", Cause::kNotDetermined, texts},
                              {"definition of later", Cause::kNotDetermined, texts},
                              {"twice", Cause::kNotDetermined, texts},
                              {"other pair", Cause::kNotDetermined, texts},
                              {"same layer", Cause::kNotDetermined, texts},
                              {"first layer", Cause::kNotDetermined, texts},
                              {"last layer", Cause::kNotDetermined, texts},
                              {"earlier tokens", Cause::kNotDetermined, texts},
                              {"copy", Cause::kNotDetermined, texts},
                              {"total", Cause::kNotDetermined, texts},
                              {"prefix", Cause::kNotDetermined, texts},
                              {"one place", Cause::kNotDetermined, texts},
                              {"masked", Cause::kNotDetermined, texts},
                              {"two remainders", Cause::kNotDetermined, texts}});
  expect_unique(layers("masked copy"));
  expect_unique(layers("definition"));
  expect_unique(layers("total of earlier"));
}

TEST(Uniqueness, TellsWhyAfterInduction) {
  const Statement s = built(layers(""));
  const auto findings = analyse_uniqueness(s);
  ASSERT_TRUE(findings.ok()) << findings.error().text;
  for (const Finding& finding : findings.value()) {
    if (s.tensors[finding.tensor].name != "out") continue;
    EXPECT_EQ(finding.reason, Reason::kDigits);
    EXPECT_EQ(finding.claim, "round");
    EXPECT_TRUE(finding.masks.empty());
  }
}

// Along tokens, whose number each instance chooses; then along layers, from what the tokens gave; or across.
Builder two_axes(const std::string& part) {
  Builder b;
  const auto t = b.parameter("token", 16);
  const auto k = b.alias("key", t);
  const auto l = b.axis("layer", 6);
  const auto m = b.alias("earlier", l);
  const auto x = b.input("x", {l, t}, signed_bits(10));
  const auto y = b.witness("y", {l, t}, signed_bits(10));
  const auto z = b.witness("z", {l, t}, signed_bits(10));
  if (part == "crossed") {
    // Earlier tokens of any layer, earlier layers of any token.
    b.zero("tokens", {l, t}, x(l, t) + sum({m, k}, b.less(k, t) * z(m, k)) - y(l, t));
    b.zero("layers", {l, t}, x(l, t) + sum({m, k}, b.less(m, l) * y(m, k)) - z(l, t));
    return b;
  }
  const Expr earlier_tokens = sum({k}, b.less(k, t) * (part == "one after the other" ? z(l, k) : y(l, k)));
  b.zero("tokens", {l, t}, x(l, t) + earlier_tokens - y(l, t));
  const Expr now = part == "same index" ? y(l, t) + z(l, t) : part.empty() || part == "both" ? y(l, t) : x(l, t);
  const Expr earlier_layers = sum({m}, b.less(m, l) * (part == "one after the other" ? y(m, t) : z(m, t)));
  b.zero("layers", {l, t}, now + earlier_layers - 2 * z(l, t));
  if (part == "in each other's way") {
    const auto c = b.witness("c", {l, t}, signed_bits(10));
    const auto e = b.witness("e", {l, t}, signed_bits(10));
    b.zero("later_tokens", {l, t}, sum({k}, b.less(k, t) * z(l, k)) - c(l, t));
    b.zero("later_layers", {l, t}, sum({m}, b.less(m, l) * y(m, t)) - e(l, t));
  }
  if (part == "both") {
    // Earlier in both: along either axis.
    const auto w = b.witness("w", {l, t}, signed_bits(10));
    b.zero("both", {l, t}, x(l, t) + sum({m, k}, b.less(m, l) * b.less(k, t) * w(m, k)) - w(l, t));
  }
  return b;
}

TEST(Uniqueness, CoversInductionsInTurn) {
  expect_each_needed(two_axes, {{"crossed", Cause::kNotDetermined, {"'y'", "tokens"}}});
  expect_unique(two_axes("both"));
  // z of a layer follows from y of earlier ones, and y from z of the same one.
  expect_unique(two_axes("one after the other"));
  // Of z, which needs the other axis, a tensor of earlier tokens; of y one of earlier layers.
  expect_unique(two_axes("in each other's way"));
  // y is determined along tokens; z occurs twice at one index, with coefficients that add up to -1.
  expect_unique(two_axes("same index"));
}

// Tensors that need each other at the same index: no less-than between them, but elsewhere.
Builder cycle(const std::string& part) {
  Builder b;
  const auto l = b.axis("layer", 6);
  const auto m = b.alias("earlier", l);
  const auto x = b.input("x", {l}, signed_bits(10));
  const auto y = b.witness("y", {l}, signed_bits(10));
  const auto z = b.witness("z", {l}, signed_bits(10));
  const Expr from_z = part.empty() ? sum({m}, b.less(m, l) * z(m)) : part == "scaled" ? 2 * z(l) : z(l);
  b.zero("first", {l}, x(l) + from_z - y(l));
  b.zero("second", {l}, y(l) * y(l) - z(l));
  const auto other = b.witness("other", {l}, signed_bits(10));
  b.zero("third", {l}, x(l) + sum({m}, b.less(m, l) * other(m)) - other(l));
  return b;
}

TEST(Uniqueness, RefusesCyclesAtOneIndex) {
  expect_each_needed(
      cycle, {{"plain", Cause::kNotDetermined, {"'y'", "first"}}, {"scaled", Cause::kNotDetermined, {"'y'", "first"}}});
}

// A maximum, its selector, and a quotient in each layer, of scores that depend on earlier layers.
Builder rules(const std::string& part) {
  Builder b;
  const auto l = b.axis("layer", 6);
  const auto m = b.alias("earlier", l);
  const auto v = b.axis("word", 9);
  const auto row = b.axis("row", 512);
  const auto u9 = b.range("u9", 512);
  const auto Z = b.input("score", {l, v}, unsigned_bits(8));
  b.lookup("score_range", {l, v}, {Z(l, v)}, b.range("u8", 256));
  const auto M = b.witness("max", {l}, unsigned_bits(9));
  const auto s = b.witness("selector", {l, v}, unsigned_bits(1));
  const auto q = b.witness("quotient", {l}, unsigned_bits(9));
  const auto f = b.witness("function", {l}, unsigned_bits(8));
  const auto H = part == "hint" ? s(m, v) : f(m);
  const auto score = b.define("score_now", {l, v}, Z(l, v) + sum({m}, b.less(m, l) * H));
  b.lookup("max_above", {l, v}, {M(l) - score(l, v)}, u9);
  b.zero("selector_bit", {l, v}, s(l, v) * s(l, v) - s(l, v));
  b.zero("selector_one", {l}, sum({v}, s(l, v)) - 1);
  b.zero("max_attained", {l}, sum({v}, s(l, v) * (M(l) - score(l, v))));
  // 1000 / (max + 1)
  b.lookup("quotient_range", {l}, {q(l)}, u9);
  const auto rest = b.define("quotient_rest", {l}, 1000 - q(l) * M(l) - q(l));
  b.lookup("quotient_low", {l}, {rest(l)}, u9);
  const Expr divisor = part == "quotient" ? Z(l, at(0)) : M(l);
  b.lookup("quotient_high", {l}, {divisor - rest(l)}, u9);
  const auto A = b.model("values", {row}, unsigned_bits(8));
  b.lookup("look", {l}, {q(l), f(l)}, b.table("function_table", {row}, {b.index(row), A(row)}));
  b.lookup("function_range", {l}, {f(l)}, b.range("u3", 8));
  return b;
}

TEST(Uniqueness, CoversAllRulesInInduction) {
  expect_each_needed(rules, {{"hint", Cause::kNotDetermined, {"'max'", "max_attained"}},
                             {"quotient", Cause::kNotDetermined, {"'max'", "max_above"}}});
  const std::map<std::string, Reason> reasons = {{"max", Reason::kMaximum},
                                                 {"selector", Reason::kHint},
                                                 {"quotient", Reason::kSandwich},
                                                 {"function", Reason::kFunction}};
  const Statement s = built(rules(""));
  const auto findings = analyse_uniqueness(s);
  ASSERT_TRUE(findings.ok()) << findings.error().text;
  for (const Finding& finding : findings.value()) {
    const auto it = reasons.find(s.tensors[finding.tensor].name);
    if (it == reasons.end()) continue;
    EXPECT_EQ(finding.reason, it->second) << it->first;
  }
}

// The range of the maximum follows from its being one, which takes induction.
TEST(NoWrap, UsesInduction) {
  const Statement s = built(rules(""));
  ModelBounds bounds{std::vector<std::optional<TensorBound>>(s.tensors.size(), TensorBound{0, 7})};
  const auto error = check_no_wrap(s, bounds);
  EXPECT_FALSE(error) << name(error->cause) << ": " << error->text;
}

// Random systems of equations T = sum of reads, each along some places of each axis: what is accepted has an order of
// cells in which each follows from those before.
class RandomSystem {
 public:
  explicit RandomSystem(std::uint64_t seed) : random_(seed) {
    const std::size_t tensors = 1 + random_() % 3;
    for (std::size_t i = 0; i < tensors; ++i) axes_.push_back(1 + random_() % 3);
    for (std::size_t i = 0; i < tensors; ++i) {
      for (std::size_t k = random_() % 3; k-- > 0;) reads_.push_back({i, random_() % tensors, {mode(), mode()}});
    }
  }

  [[nodiscard]] Statement statement() const {
    Builder b;
    const AxisRef own[] = {b.axis("layer", kLength[0]), b.parameter("token", kLength[1])};
    const AxisRef other[] = {b.alias("earlier", own[0]), b.alias("key", own[1])};
    std::vector<TensorRef> tensors;
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      tensors.push_back(b.witness(fmt::format("T{}", i), axes_of(i, own), signed_bits(8)));
    }
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      Expr sum_of_reads = 5;
      for (const Read& read : reads_) {
        if (read.by == i) sum_of_reads = sum_of_reads + expression(b, read, tensors[read.of], own, other);
      }
      const auto total = b.define(fmt::format("sum{}", i), axes_of(i, own), sum_of_reads);
      b.zero(fmt::format("claim{}", i), axes_of(i, own), at_own(total, i, own) - at_own(tensors[i], i, own));
    }
    return built(b);
  }

  [[nodiscard]] bool is_ordered() const {
    const std::size_t cells = axes_.size() * kLength[0] * kLength[1];
    std::vector<bool> done(cells);
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t cell = 0; cell < cells; ++cell) {
        if (done[cell] || !follows(cell, done)) continue;
        done[cell] = changed = true;
      }
    }
    return std::all_of(done.begin(), done.end(), [](bool d) { return d; });
  }

 private:
  enum class Mode : std::uint8_t { kSame, kBefore, kUpTo, kAfter, kAll, kFirst };
  struct Read {
    std::size_t by = 0;
    std::size_t of = 0;
    Mode modes[2]{};
  };
  static constexpr std::uint64_t kLength[2] = {3, 4};

  Mode mode() { return random_() % 2 == 0 ? Mode::kSame : static_cast<Mode>(random_() % 6); }
  [[nodiscard]] bool has(std::size_t tensor, std::size_t axis) const { return (axes_[tensor] >> axis & 1) != 0; }
  [[nodiscard]] std::vector<AxisRef> axes_of(std::size_t tensor, const AxisRef* own) const {
    std::vector<AxisRef> result;
    for (std::size_t a = 0; a < 2; ++a) {
      if (has(tensor, a)) result.push_back(own[a]);
    }
    return result;
  }
  [[nodiscard]] Expr at_own(const TensorRef& read, std::size_t tensor, const AxisRef* own) const {
    return axes_[tensor] == 3 ? read(own[0], own[1]) : read(own[axes_[tensor] - 1]);
  }
  // A tensor with an axis that the reader lacks is read all along it, or at the first place.
  [[nodiscard]] Mode mode_of(const Read& read, std::size_t axis) const {
    if (has(read.by, axis)) return read.modes[axis];
    return read.modes[axis] == Mode::kFirst ? Mode::kFirst : Mode::kAll;
  }
  Expr expression(Builder& b, const Read& read, const TensorRef& of, const AxisRef* own, const AxisRef* other) const {
    Expr factor = 2;
    std::vector<AxisRef> summed;
    std::vector<IndexRef> indices;
    for (std::size_t a = 0; a < 2; ++a) {
      if (!has(read.of, a)) continue;
      const Mode mode = mode_of(read, a);
      indices.push_back(mode == Mode::kFirst ? at(0) : IndexRef(mode == Mode::kSame ? own[a] : other[a]));
      if (mode != Mode::kFirst && mode != Mode::kSame) summed.push_back(other[a]);
      if (mode == Mode::kBefore) factor = factor * b.less(other[a], own[a]);
      if (mode == Mode::kUpTo) factor = factor * b.less_equal(other[a], own[a]);
      if (mode == Mode::kAfter) factor = factor * b.less(own[a], other[a]);
    }
    const Expr cell = indices.size() == 2 ? of(indices[0], indices[1]) : of(indices[0]);
    return summed.empty() ? factor * cell : sum(summed, factor * cell);
  }

  static bool is_read(Mode mode, std::uint64_t reader, std::uint64_t place) {
    switch (mode) {
      case Mode::kSame:
        return place == reader;
      case Mode::kBefore:
        return place < reader;
      case Mode::kUpTo:
        return place <= reader;
      case Mode::kAfter:
        return place > reader;
      case Mode::kAll:
        return true;
      case Mode::kFirst:
        return place == 0;
    }
    return true;
  }

  [[nodiscard]] bool follows(std::size_t cell, const std::vector<bool>& done) const {
    const auto place = [](std::size_t c, std::size_t a) {
      return a == 1 ? c % kLength[1] : c / kLength[1] % kLength[0];
    };
    const std::size_t tensor = cell / (kLength[0] * kLength[1]);
    for (const Read& read : reads_) {
      if (read.by != tensor) continue;
      for (std::size_t c = 0; c < done.size(); ++c) {
        if (c / (kLength[0] * kLength[1]) != read.of) continue;
        bool touched = true;
        bool is_own = read.of == tensor;
        for (std::size_t a = 0; a < 2; ++a) {
          if (!has(read.of, a)) continue;
          touched = touched && is_read(mode_of(read, a), place(cell, a), place(c, a));
          is_own = is_own && mode_of(read, a) == Mode::kSame;
        }
        // 2 T on one side, T on the other.
        if (touched && !is_own && !done[c]) return false;
      }
    }
    return true;
  }

  base::SplitMix64 random_;
  std::vector<std::size_t> axes_;  // of tensors, a bit for each
  std::vector<Read> reads_;
};

TEST(Uniqueness, AcceptsNoCycles) {
  std::size_t accepted = 0;
  std::size_t ordered = 0;
  for (std::uint64_t seed = 0; seed < 20000; seed += base::kTestStride) {
    const RandomSystem system(seed);
    const Statement s = system.statement();
    const auto error = check_uniqueness(s);
    if (system.is_ordered()) ++ordered;
    if (!error) ++accepted;
    ASSERT_TRUE(error || system.is_ordered()) << seed << "\n" << to_text(s);
  }
  EXPECT_GT(accepted, 5000u / base::kTestStride);
  EXPECT_GT(accepted, ordered / 10 * 8);
}

// Each tensor follows from the one before, the first from nothing: one assumption falls in each round.
TEST(Uniqueness, BoundsTheWorkOfInductions) {
  Builder b;
  const auto l = b.axis("layer", 64);
  const auto m = b.alias("earlier", l);
  std::vector<TensorRef> chain;
  for (int i = 0; i < 400; ++i) chain.push_back(b.witness(fmt::format("y{}", i), {l}, signed_bits(8)));
  for (std::size_t i = 1; i < chain.size(); ++i) {
    b.zero(fmt::format("next{}", i), {l}, sum({m}, b.less(m, l) * chain[i - 1](m)) - chain[i](l));
  }
  b.zero("first", {l}, chain[0](l) * chain[0](l) - 4);
  expect_refused(b, Cause::kTooComplex, {});
}

}  // namespace
}  // namespace avow::statement
