// SPDX-License-Identifier: Apache-2.0
#include "reduction/program.hpp"

#include <gtest/gtest.h>

#include "statement/builder.hpp"
#include "statement/examples_testing.hpp"

namespace avow::reduction {
namespace {

using statement::Binding;
using statement::Builder;
using statement::signed_bits;
using statement::sum;

// x, read along an axis and its alias, with masks, extents, halves, sums and a table.
statement::Statement mixed() {
  Builder b;
  const auto r = b.parameter("request", 64), t = b.parameter("token", 64);
  const auto u = b.alias("key", t);
  const auto i = b.axis("in", 12), o = b.axis("one", 1);
  const auto X = b.input("x", {r, t, i}, signed_bits(8));
  const auto W = b.model("w", {o, i}, signed_bits(8));
  const auto S = b.input("s", {r, t, u}, signed_bits(16));
  const auto Z = b.input("total", {r}, signed_bits(32));
  b.zero("scores", {r, t, u}, sum({i}, X(r, t, i) * X(r, u, i) * b.less_equal(u, t)) - S(r, t, u));
  b.zero("sums", {r}, sum({t, i}, X(r, t, i)) - Z(r));
  const auto V = b.values("v", {r}, 13), N = b.values("n", {r, t}, 64);
  const auto E = b.input("e", {r, t}, signed_bits(16));
  b.zero("picked", {r}, sum({i}, b.one_hot(V(r), i) * W(statement::at(0), i)) + b.value(V(r)) - Z(r));
  b.zero("earlier", {r, t}, sum({u}, b.below(N(r, t), u) * S(r, t, u)) - E(r, t));
  b.zero("weights", {o}, sum({i}, W(o, i) * W(o, i)) - 1);
  b.lookup("x_range", {r, t, i}, {X(r, t, i)}, b.range("s8", 256, -128));
  const auto statement = b.build();
  EXPECT_TRUE(statement) << statement.error().text;
  return statement.value();
}

TEST(Program, IsTheSameForAllInstances) {
  const auto statement = mixed();
  const auto program = make_program(statement);
  ASSERT_TRUE(program) << program.error();
  for (const std::uint64_t requests : {1u, 2u, 3u, 16u}) {
    for (const std::uint64_t tokens : {1u, 2u, 3u, 4u}) {
      const std::vector<std::vector<std::int64_t>> values = {std::vector<std::int64_t>(requests, 3),
                                                             std::vector<std::int64_t>(requests * tokens, 1)};
      const auto binding = Binding::bind(statement, {{requests, tokens}, values});
      ASSERT_TRUE(binding) << binding.error().text;
      const auto plan = make_plan(binding.value());
      ASSERT_TRUE(plan) << plan.error().text;
      EXPECT_EQ(program_bytes(statement, plan.value()), program.value()) << requests << " " << tokens;
    }
  }
}

TEST(Program, IsNotMadeOfWhatItHasNoFormFor) {
  {
    Builder b;
    const auto a = b.axis("a", 4), t = b.axis("t", 2), c = b.axis("c", 4);
    const auto X = b.input("x", {a, c}, signed_bits(8));
    const auto shift = b.shift(a, t, c, {.stride = 1, .padding = 0, .dilation = 1});
    b.zero("z", {a}, sum({t, c}, X(a, c) * shift));
    const auto statement = b.build();
    ASSERT_TRUE(statement) << statement.error().text;
    const auto program = make_program(statement.value());
    ASSERT_FALSE(program);
    EXPECT_EQ(program.error(), "a shift");
  }
  {
    Builder b;
    std::vector<statement::AxisRef> axes;
    for (const char* name : {"a", "b", "c", "d"}) axes.push_back(b.parameter(name, 4));
    const auto X = b.input("x", axes, signed_bits(8));
    b.zero("z", axes, X(axes[0], axes[1], axes[2], axes[3]) - 1);
    const auto statement = b.build();
    ASSERT_TRUE(statement) << statement.error().text;
    const auto program = make_program(statement.value());
    ASSERT_FALSE(program);
    EXPECT_EQ(program.error(), "4 parameters");
  }
  const auto error_of_mask = [](bool between) {
    Builder b;
    const auto t = b.axis("t", 4), u = b.axis("u", 8);
    const auto V = b.values("v", {t}, 8), L = b.values("l", {t}, 8);
    const auto X = b.input("x", {t, u}, signed_bits(8));
    const auto mask = between ? b.between(L(t), V(t), u) : b.below(V(t), u);
    b.lookup("x_range", {t, u}, {X(t, u)}, b.range("s8", 256, -128), mask);
    const auto statement = b.build();
    EXPECT_TRUE(statement) << statement.error().text;
    const auto program = make_program(statement.value());
    EXPECT_FALSE(program);
    return program.error();
  };
  EXPECT_EQ(error_of_mask(true), "a range between two public values");
  EXPECT_EQ(error_of_mask(false), "lookup 'x_range': a mask of public values");
}

}  // namespace
}  // namespace avow::reduction
