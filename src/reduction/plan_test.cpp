// SPDX-License-Identifier: Apache-2.0
#include "reduction/plan.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "reduction/positions.hpp"
#include "statement/builder.hpp"
#include "statement/examples_testing.hpp"

namespace avow::reduction {
namespace {

using statement::AxisId;
using statement::Binding;
using statement::Builder;
using statement::Cause;
using statement::signed_bits;

statement::Statement axes_of(const std::vector<std::uint64_t>& lengths) {
  statement::Statement statement;
  for (const std::uint64_t length : lengths) statement.axes.push_back({.name = {}, .length = length});
  return statement;
}

TEST(Positions, AxesThatOccurTogetherAreDisjointAndOthersShare) {
  const std::vector<std::uint64_t> lengths = {16, 8, 5, 64, 1, 2};
  const std::vector<std::vector<AxisId>> together = {{0, 1}, {1, 2, 4}, {3}, {2, 5}};
  const Positions positions(axes_of(lengths), lengths, together);
  const auto range = [&](AxisId axis) {
    return std::pair(positions.first(axis), positions.first(axis) + statement::log_extent(lengths[axis]));
  };
  for (const auto& list : together) {
    for (const AxisId a : list) {
      for (const AxisId b : list) {
        if (a == b) continue;
        EXPECT_TRUE(range(a).second <= range(b).first || range(b).second <= range(a).first) << a << " " << b;
      }
    }
  }
  EXPECT_EQ(positions.count(), 7u);  // 4 + 3; the rest beside them
}

// 1 and 3 are twins, 2 has their length but occurs with another axis, 4 another length.
TEST(Positions, TwinsBeginTogetherWhateverTheLengths) {
  const std::vector<std::vector<AxisId>> together = {{0, 1}, {0, 3}, {0, 2, 5}, {0, 4}, {1, 6}, {3, 6}};
  for (const std::uint64_t length : {1u, 2u, 5u, 16u, 300u}) {
    const std::vector<std::uint64_t> lengths = {16, length, length, length, 17, 3, 40};
    const Positions positions(axes_of(lengths), lengths, together);
    EXPECT_EQ(positions.first(3), positions.first(1));
    EXPECT_EQ(positions.first_twin(3), 1u);
    EXPECT_EQ(positions.first_twin(1), 1u);
    EXPECT_EQ(positions.first_twin(2), 2u);
    EXPECT_EQ(positions.first_twin(4), 4u);
  }
}

TEST(Plan, ARequantisationHasOneSumAndOneLinearStep) {
  const auto example = statement::matmul_example(4, 12, 8);
  const auto binding = Binding::bind(example.statement, example.instance);
  const auto plan = make_plan(binding.value());
  ASSERT_TRUE(plan);
  // Two tables, three lookups; claims on r, x and y, of r on acc and y again at the same point, of acc on x and w, and
  // the one that is made of both on x.
  EXPECT_EQ(plan.value().columns.size(), 5u);
  EXPECT_EQ(plan.value().claims.size(), 2u + 3u + 1u + 2u + 1u);
  ASSERT_EQ(plan.value().stages.size(), 2u);
  const Stage& stage = plan.value().stages[0];
  EXPECT_EQ(stage.number, 1);
  EXPECT_EQ(stage.linear.size(), 1u);
  EXPECT_EQ(stage.linear_values.size(), 1u);
  EXPECT_EQ(stage.sums.size(), 1u);
  EXPECT_EQ(stage.degrees, std::vector<std::uint8_t>(4, 2));  // the 12 inputs
  const Stage& last = plan.value().stages[1];
  EXPECT_EQ(last.number, 0);
  ASSERT_EQ(last.gathered.size(), 1u);
  EXPECT_EQ(last.gathered[0].claims.size(), 2u);
  EXPECT_EQ(last.degrees, std::vector<std::uint8_t>(2 + 4, 2));  // tokens and inputs
  EXPECT_EQ(plan.value().opened.size(), 5u);
}

// With a tensor that has several claims all others with its axes are gathered, so that they are opened at one point;
// not the model's, nor tensors with axes of their own.
TEST(Plan, TensorsWithTheAxesOfOneWithSeveralClaimsAreGathered) {
  Builder b;
  const auto i = b.axis("i", 8), j = b.axis("j", 4);
  const auto A = b.input("a", {i, j}, signed_bits(8)), B = b.input("b", {i, j}, signed_bits(8));
  const auto C = b.input("c", {i}, signed_bits(8)), W = b.model("w", {i, j}, signed_bits(8));
  b.zero("both", {i, j}, A(i, j) + B(i, j) - W(i, j));
  b.zero("one", {i}, A(i, statement::at(1)) + W(i, statement::at(2)) - C(i));
  const auto statement = b.build();
  ASSERT_TRUE(statement) << statement.error().text;
  const auto binding = Binding::bind(statement.value(), {});
  const auto plan = make_plan(binding.value());
  ASSERT_TRUE(plan);
  const Stage& last = plan.value().stages.back();
  ASSERT_EQ(last.gathered.size(), 2u);
  const auto tensor_of = [&](ClaimId id) { return plan.value().claims[id].tensor; };
  EXPECT_EQ(tensor_of(last.gathered[0].value), 0u);
  EXPECT_EQ(last.gathered[0].claims.size(), 2u);
  EXPECT_EQ(tensor_of(last.gathered[1].value), 1u);
  EXPECT_EQ(last.gathered[1].claims.size(), 1u);
  // Claims on both, on c, and two on w.
  EXPECT_EQ(plan.value().opened.size(), 5u);
  for (const ClaimId id : plan.value().opened) EXPECT_EQ(plan.value().last_use[id], plan.value().stages.size());
}

// What is read of public values is claimed of, but for masks; the gathering reads it with a factor for each digit.
TEST(Plan, PublicValuesAreReadInTheGathering) {
  Builder b;
  const auto t = b.axis("t", 4), w = b.axis("w", 300), d = b.axis("d", 8);
  const auto V = b.values("v", {t}, 300), N = b.values("n", {t}, 9);
  const auto E = b.input("e", {t, d}, signed_bits(8)), W = b.model("w", {w, d}, signed_bits(8));
  b.zero("embedded", {t, d}, sum({w}, b.one_hot(V(t), w) * W(w, d)) - E(t, d));
  b.zero("shown", {t}, sum({d}, E(t, d) * b.below(N(t), d)) - b.value(N(t)));
  b.lookup("range", {t, d}, {E(t, d)}, b.range("s8", 256, -128), b.below(N(t), d));
  const auto statement = b.build();
  ASSERT_TRUE(statement) << statement.error().text;
  const auto binding = Binding::bind(statement.value(), {{}, {{1, 2, 3, 4}, {1, 2, 3, 8}}});
  const auto plan = make_plan(binding.value());
  ASSERT_TRUE(plan) << plan.error().text;
  const Stage& last = plan.value().stages.back();
  ASSERT_EQ(last.reads.size(), 3u);
  std::vector<statement::StructuredKind> kinds;
  for (const Read& read : last.reads) {
    const auto& tensor = statement.value().tensors[plan.value().claims[read.claim].tensor];
    kinds.push_back(tensor.structured.kind);
    EXPECT_EQ(plan.value().last_use[read.claim], plan.value().stages.size() - 1);
    EXPECT_EQ(std::count(plan.value().opened.begin(), plan.value().opened.end(), read.claim), 0);
  }
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), statement::StructuredKind::kBelow), 1);
  // eq and three digits of 300 words along t, eq and the cells along d.
  EXPECT_EQ(last.degrees, (std::vector<std::uint8_t>{2, 2, 2, 4, 4}));
  for (const Column& column : plan.value().columns) {
    EXPECT_EQ(column.numerator.structured.size(), column.multiplicity == kNone ? 1u : 0u);
  }
}

TEST(Plan, LayersCostRoundsNotClaims) {
  const auto plan_of = [](std::uint64_t layers) {
    Builder b;
    const auto l = b.axis("layer", layers);
    const auto t = b.parameter("token", 8);
    const auto i = b.axis("in", 8);
    const auto o = b.axis("out", 8);
    const auto X = b.input("x", {l, t, i}, signed_bits(16));
    const auto W = b.model("w", {l, o, i}, signed_bits(16));
    const auto Y = b.input("y", {l, t, o}, signed_bits(32));
    b.zero("z", {l, t, o}, sum({i}, X(l, t, i) * W(l, o, i)) - Y(l, t, o));
    const auto statement = b.build();
    return make_plan(Binding::bind(statement.value(), {{4}, {}}).value()).value();
  };
  const Plan few = plan_of(4);
  const Plan many = plan_of(64);
  EXPECT_EQ(few.claims.size(), many.claims.size());
  EXPECT_EQ(few.stages[0].degrees.size() + 4, many.stages[0].degrees.size());
}

// Each level reads the one below at two places of another axis: 2^8 claims of a few bytes.
TEST(Plan, RefusesClaimsThatMultiply) {
  Builder b;
  std::vector<statement::AxisRef> axes;
  for (int i = 0; i < 6; ++i) axes.push_back(b.axis(fmt::format("a{}", i), 16));
  const auto X = b.input("x", axes, signed_bits(8));
  const auto read = [&](statement::TensorRef tensor, int fixed, std::uint64_t place) {
    const auto index = [&](int i) {
      return i == fixed ? statement::at(place) : statement::IndexRef(axes[static_cast<std::size_t>(i)]);
    };
    return tensor(index(0), index(1), index(2), index(3), index(4), index(5));
  };
  auto last = X;
  for (int level = 0; level < 6; ++level) {
    statement::Expr all(0);
    for (std::uint64_t place = 0; place < 16; ++place) all = all + read(last, level, place);
    last = b.define(fmt::format("v{}", level), axes, all);
  }
  b.zero("z", axes, read(last, -1, 0) - read(X, -1, 0));
  const auto statement = b.build();
  ASSERT_TRUE(statement) << statement.error().text;
  const auto plan = make_plan(Binding::bind(statement.value(), {}).value());
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().cause, Cause::kTooLarge);
}

TEST(Plan, RefusesLookupsThatDoNotFitTheArgument) {
  Builder b;
  const auto i = b.axis("i", std::uint64_t{1} << 31);
  const auto X = b.input("x", {i}, signed_bits(8));
  b.lookup("x_range", {i}, {X(i)}, b.range("u8", 256));
  const auto statement = b.build();
  const auto plan = make_plan(Binding::bind(statement.value(), {}).value());
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().cause, Cause::kTooLarge);
}

TEST(Plan, RefusesMoreThanAVerifierMayCarry) {
  const auto plan_of = [](int claims) {
    Builder b;
    const auto i = b.axis("i", 4);
    for (int k = 0; k < claims; ++k) {
      const auto X = b.input(fmt::format("x{}", k), {i}, signed_bits(8));
      const auto Y = b.input(fmt::format("y{}", k), {i}, signed_bits(8));
      b.zero(fmt::format("z{}", k), {i}, X(i) - Y(i));
    }
    const auto statement = b.build();
    EXPECT_TRUE(statement) << statement.error().text;
    return make_plan(Binding::bind(statement.value(), {}).value());
  };
  // Two values of each claim, and two challenges.
  const auto largest = plan_of((kMaxCarried - 2) / 2);
  ASSERT_TRUE(largest);
  EXPECT_EQ(largest.value().carried_elements(), kMaxCarried);
  const auto plan = plan_of((kMaxCarried - 2) / 2 + 1);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().cause, Cause::kTooLarge);
}

// Every stage is a sumcheck over all coordinates of an axis.
TEST(Plan, RefusesMoreChallengesThanAnOpeningLeavesRoomFor) {
  const auto plan_of = [](unsigned log_length) {
    Builder b;
    const auto i = b.axis("i", std::uint64_t{1} << 32), j = b.axis("j", std::uint64_t{1} << (log_length - 32));
    auto last = b.input("x", {i, j}, signed_bits(2));
    for (int k = 0; k < 6; ++k) last = b.define(fmt::format("y{}", k), {i, j}, last(i, j) * last(i, j));
    b.zero("z", {i, j}, last(i, j) - 1);
    const auto statement = b.build();
    EXPECT_TRUE(statement) << statement.error().text;
    return make_plan(Binding::bind(statement.value(), {}).value());
  };
  EXPECT_TRUE(plan_of(36));
  const auto plan = plan_of(38);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().cause, Cause::kTooLarge);
}

// v is a sum of products of six shifts over axes of their own, read at many places: a minute of work in a small key.
TEST(Plan, RefusesStructuredTensorsThatTakeTooLong) {
  const auto plan_of = [](std::uint64_t places) {
    Builder b;
    const auto place = b.axis("place", 64);
    const auto X = b.input("x", {place}, signed_bits(8));
    std::vector<statement::AxisRef> summed;
    statement::Expr shifts(1);
    for (int k = 0; k < 6; ++k) {
      for (int i = 0; i < 3; ++i) summed.push_back(b.axis(fmt::format("a{}_{}", k, i), std::uint64_t{1} << 31));
      const std::span<statement::AxisRef> last = std::span(summed).last(3);
      shifts = shifts * b.shift(last[0], last[1], last[2], {.stride = 64, .padding = 0, .dilation = 63});
    }
    const auto V = b.define("v", {place}, X(place) + sum(summed, shifts));
    statement::Expr all(0);
    for (std::uint64_t i = 0; i < places; ++i) all = all + V(statement::at(i));
    b.zero("z", {}, all);
    const auto statement = b.build();
    EXPECT_TRUE(statement) << statement.error().text;
    return make_plan(Binding::bind(statement.value(), {}).value());
  };
  EXPECT_TRUE(plan_of(50));
  const auto plan = plan_of(64);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().cause, Cause::kTooLarge);
}

}  // namespace
}  // namespace avow::reduction
