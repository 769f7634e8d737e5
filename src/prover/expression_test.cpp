// SPDX-License-Identifier: Apache-2.0
// Virtual tensors as the prover computes them against those of the reference checker.
#include "prover/expression.hpp"

#include <gtest/gtest.h>

#include <random>

#include "prover/session_testing.hpp"
#include "statement/builder.hpp"

namespace avow::prover {
namespace {

using statement::Builder;
using statement::Example;
using statement::TensorKind;

void expect_same_as_checker(const statement::Statement& s, const statement::Instance& instance,
                            const statement::Assignment& assignment) {
  const auto binding = statement::Binding::bind(s, instance);
  ASSERT_TRUE(binding);
  const auto report = statement::check(binding.value(), assignment);
  ASSERT_TRUE(report);
  Tensors tensors(binding.value());
  const auto& expected = report.value().arrays;
  for (TensorId id = 0; id < s.tensors.size(); ++id) {
    const auto& tensor = s.tensors[id];
    if (tensor.kind == TensorKind::kStructured) continue;
    if (tensor.kind == TensorKind::kVirtual) {
      const Array computed = evaluate(tensors, tensor.axes, tensor.definition);
      ASSERT_EQ(computed.size(), expected[id].size());
      for (std::size_t i = 0; i < computed.size(); ++i) ASSERT_EQ(computed.at(i), expected[id][i]) << tensor.name;
    }
    tensors.set(id, Array::of(std::span<const std::int64_t>(expected[id])));
  }
}

TEST(Expression, EqualsTheCheckerOnEveryOperation) {
  for (const Example& example : statement::all_examples()) {
    SCOPED_TRACE(example.name);
    expect_same_as_checker(example.statement, example.instance, example.assignment());
  }
}

TEST(Expression, IsExactOverTheFieldWhereIntegersOverflow) {
  std::mt19937_64 rng(4);
  Example example = statement::matmul_example(3, 12, 5);
  for (auto& [name, cells] : example.arrays) {
    for (auto& x : cells) x = centred(field::Fp(rng()));
  }
  expect_same_as_checker(example.statement, example.instance, example.assignment());
}

TEST(Expression, ReadsPlacesPrefixesAndPickedRows) {
  Builder b;
  const auto t = b.parameter("token", 16);
  const auto k = b.alias("key", t);
  const auto v = b.axis("word", 11);
  const auto c = b.axis("context", 16);
  const auto f = b.axis("feature", 3);
  const auto id = b.values("id", {t}, 20);
  const auto E = b.input("embedding", {v, f}, statement::signed_bits(16));
  const auto P = b.input("position", {c, f}, statement::signed_bits(16));
  const auto X = b.define("x", {t, f}, sum({v}, b.one_hot(id(t), v) * E(v, f)) + P(t, f));
  const auto total = b.define("total", {}, sum({t, f}, X(t, f)));
  const auto pairs = b.define("pairs", {t, k}, sum({f}, X(t, f) * X(k, f)));
  const auto past = b.define("past", {t, k}, pairs(t, k) * b.less_equal(k, t));
  b.zero("z", {t, k},
         past(t, k) + total() + X(statement::at(0), statement::at(2)) + E(statement::at(10), statement::at(1)));
  const auto s = b.build();
  ASSERT_TRUE(s) << s.error().text;
  std::mt19937_64 rng(5);
  statement::Assignment assignment;
  for (const auto& tensor : s.value().tensors) {
    auto& cells = assignment.arrays.emplace_back();
    if (tensor.kind != TensorKind::kWitness) continue;
    cells.resize(tensor.name == "embedding" ? 33 : 48);
    for (auto& x : cells) x = static_cast<std::int64_t>(rng() % 1000) - 500;
  }
  // Two ids are beyond the words: their rows are zero.
  expect_same_as_checker(s.value(), {{6}, {{0, 10, 11, 3, 3, 19}}}, assignment);
}

// Layers of weights times activations of many requests, scores, mixtures, factors that are part of others; numbers of
// one and two digits, and such as have none.
TEST(Expression, MultipliesMatrices) {
  for (const int bits : {7, 16, 24, 32, 33}) {
    SCOPED_TRACE(bits);
    Builder b;
    const auto n = b.parameter("request", 4), t = b.parameter("token", 16);
    const auto k = b.alias("key", t);
    const auto l = b.axis("layer", 3), h = b.axis("head", 2), g = b.axis("group", 3), f = b.axis("feature", 8);
    const auto i = b.axis("in", 40), j = b.axis("out", 37);
    const auto narrow = statement::signed_bits(16), wide = statement::signed_bits(static_cast<std::uint8_t>(bits));
    const auto X = b.input("x", {n, l, t, i}, wide), W = b.input("w", {l, j, i}, narrow);
    const auto G = b.input("gain", {i}, statement::signed_bits(7));
    const auto Q = b.input("q", {n, l, h, g, t, f}, narrow), K = b.input("k", {n, l, h, t, f}, wide);
    const auto E = b.input("e", {n, l, h, g, t, k}, statement::unsigned_bits(14));
    const auto O = b.input("o", {l, i, h, g, f}, narrow);
    const auto y = b.define("y", {n, l, t, j}, sum({i}, X(n, l, t, i) * W(l, j, i)) + 5);
    const auto gained = b.define("gained", {n, t, j}, sum({l, i}, 3 * G(i) * X(n, l, t, i) * W(l, j, i)));
    const auto scores = b.define("scores", {n, l, h, g, t, k}, sum({f}, Q(n, l, h, g, t, f) * K(n, l, h, k, f)));
    const auto mix =
        b.define("mix", {n, l, h, g, t, f}, sum({k}, b.less_equal(k, t) * E(n, l, h, g, t, k) * K(n, l, h, k, f)));
    const auto out = b.define("out_sum", {n, l, t, i}, sum({h, g, f}, Q(n, l, h, g, t, f) * O(l, i, h, g, f)));
    const auto outer = b.define("outer", {l, i, j}, sum({n, t}, X(n, l, t, i) * y(n, l, t, j)));
    const auto squares = b.define("squares", {n, l, t}, sum({i}, X(n, l, t, i) * X(n, l, t, i)));
    b.zero("z", {n, t},
           sum({j}, gained(n, t, j)) + sum({l, h, g, k}, scores(n, l, h, g, t, k)) +
               sum({l, h, g, f}, mix(n, l, h, g, t, f)) + sum({l, i}, out(n, l, t, i)) +
               sum({l, i, j}, outer(l, i, j)) + sum({l}, squares(n, l, t)));
    const auto s = b.build();
    ASSERT_TRUE(s) << s.error().text;
    const statement::Instance instance{{3, 6}, {}};
    const auto binding = statement::Binding::bind(s.value(), instance);
    ASSERT_TRUE(binding) << binding.error().text;
    std::mt19937_64 rng(static_cast<std::uint64_t>(bits));
    statement::Assignment assignment;
    for (const auto& tensor : s.value().tensors) {
      auto& cells = assignment.arrays.emplace_back();
      if (tensor.kind != TensorKind::kWitness) continue;
      const std::int64_t end = std::int64_t{1} << (tensor.range.bits - (tensor.range.is_signed ? 1 : 0));
      cells.resize(binding.value().cells(tensor.axes));
      for (auto& x : cells) {
        x = static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(end));
        if (tensor.range.is_signed && rng() % 2 == 0) x = -x - 1;
        if (rng() % 8 == 0) x = tensor.range.is_signed && rng() % 2 == 0 ? -end : end - 1;
      }
    }
    expect_same_as_checker(s.value(), instance, assignment);
  }
}

TEST(Expression, APlaceBeyondTheSummedPrefixPicksNothing) {
  Builder b;
  const auto t = b.axis("token", 4);
  const auto v = b.axis("word", 11);
  const auto few = b.axis("few", 3);
  const auto id = b.values("id", {t}, 20);
  const auto W = b.input("w", {few}, statement::signed_bits(16));
  b.zero("z", {t}, sum({few}, b.one_hot(id(t), few) * W(few)));
  auto s = b.build();
  ASSERT_TRUE(s) << s.error().text;
  for (auto& tensor : s.value().tensors) {
    if (tensor.kind == TensorKind::kStructured) tensor.axes.back() = v.id;  // read along `few`: a prefix
  }
  statement::Assignment assignment;
  for (const auto& tensor : s.value().tensors) {
    assignment.arrays.push_back(tensor.kind == TensorKind::kWitness ? std::vector<std::int64_t>{5, 6, 7}
                                                                    : std::vector<std::int64_t>());
  }
  expect_same_as_checker(s.value(), {{}, {{2, 3, 10, 19}}}, assignment);
}

}  // namespace
}  // namespace avow::prover
