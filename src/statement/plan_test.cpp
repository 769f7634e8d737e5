// SPDX-License-Identifier: Apache-2.0
#include "statement/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "field/factor.hpp"
#include "field/random_testing.hpp"
#include "statement/builder.hpp"
#include "statement/checker.hpp"
#include "statement/examples_testing.hpp"
#include "statement/extents.hpp"
#include "statement/structured.hpp"

namespace avow::statement {
namespace {

using ::testing::HasSubstr;

const Tensor& tensor_of(const Statement& statement, const std::string& name) {
  for (const Tensor& tensor : statement.tensors) {
    if (tensor.name == name) return tensor;
  }
  ADD_FAILURE() << name;
  return statement.tensors[0];
}

// "token:fixed out:fixed in:2", the degrees of variables.
std::string uses_of(const Statement& statement, const std::string& name, std::size_t term = 0) {
  const Tensor& tensor = tensor_of(statement, name);
  std::string text;
  for (const AxisUse& use : axis_uses(statement, tensor.axes, tensor.definition[term])) {
    if (!text.empty()) text += " ";
    text += statement.axes[use.axis].name + ":" + (use.is_variable ? std::to_string(use.degree) : "fixed");
    if (use.needs_extent) text += "!";
  }
  return text;
}

TEST(AxisUses, FollowTheFactors) {
  EXPECT_EQ(uses_of(matmul_example(3, 12, 5).statement, "acc"), "token:fixed out:fixed in:2");
  EXPECT_EQ(uses_of(product_example(3, 5).statement, "product"), "row:3 col:3");
  EXPECT_EQ(uses_of(row_sums_example(3, 5).statement, "row_sum"), "row:fixed col:fixed");  // at 1/2
  const Statement softmax = softmax_example(6).statement;
  EXPECT_EQ(uses_of(softmax, "denominator"), "head:fixed token:3 key:2");
  EXPECT_EQ(uses_of(softmax, "numerator"), "head:3 token:3 feature:fixed key:3");
  EXPECT_EQ(uses_of(softmax, "max_attained"), "head:3 token:4 key:2");
  EXPECT_EQ(uses_of(softmax, "max_attained", 1), "head:3 token:4 key:3");
  const Statement embedding = embedding_example(6).statement;
  EXPECT_EQ(uses_of(embedding, "embed"), "token:fixed feature:fixed vocabulary:2");
  // A prefix of the table of positions: cut off by the extent's indicator.
  EXPECT_EQ(uses_of(embedding, "embed", 1), "token:3! feature:fixed");
  const Statement convolution = convolution_example(7, 2, 1).statement;
  EXPECT_EQ(uses_of(convolution, "columns"), "channel:fixed tap_x:fixed in_y:fixed x:fixed in_x:2");
  EXPECT_EQ(uses_of(convolution, "conv"), "out:fixed y:fixed x:fixed channel:2 tap_y:2 tap_x:2 in_y:2");
}

TEST(AxisUses, BroadcastNeedsTheExtent) {
  Builder b;
  const auto i = b.axis("i", 3), j = b.axis("j", 5);
  const auto A = b.witness("a", {i}, signed_bits(8));
  b.zero("z", {i, j}, A(i) + 1);
  const Statement statement = b.build().value();
  EXPECT_EQ(uses_of(statement, "z"), "i:fixed j:fixed!");
  EXPECT_EQ(uses_of(statement, "z", 1), "i:fixed! j:fixed!");
}

// --- the rules themselves: a claim on a definition, discharged as axis_uses() says, against the array's extension
// -----

using field::Fp;
using field::Fp3;

Fp3 extension_of(const std::vector<std::int64_t>& array, const std::vector<std::uint64_t>& shape,
                 const std::vector<Point>& points) {
  std::vector<Fp3> weights = {field::kOne3};
  for (std::size_t i = 0; i < shape.size(); ++i) {
    std::vector<Fp3> next;
    for (const Fp3& weight : weights) {
      for (std::uint64_t x = 0; x < shape[i]; ++x) next.push_back(weight * eq_at(points[i], x));
    }
    weights = std::move(next);
  }
  Fp3 result;
  for (std::size_t i = 0; i < array.size(); ++i) result += weights[i] * Fp::from_int(array[i]);
  return result;
}

Point bits_of(std::uint64_t x, std::size_t bits) {
  Point point(bits);
  for (std::size_t b = 0; b < bits; ++b) point[b] = ((x >> b) & 1) != 0 ? field::kOne3 : Fp3();
  return point;
}

// The factors' extensions at the points of the definition's axes: longer axes padded with zeros, places as their bits.
Fp3 product_of(const Binding& binding, const Report& report, const Term& term, const std::map<AxisId, Point>& points) {
  Fp3 product(Fp::from_int(term.coefficient));
  for (const Access& factor : term.factors) {
    const Tensor& tensor = binding.statement().tensors[factor.tensor];
    std::vector<Point> at;
    for (std::size_t i = 0; i < tensor.axes.size(); ++i) {
      const Index& index = factor.indices[i];
      const unsigned bits = log_extent(binding.length(tensor.axes[i]));
      at.push_back(index.kind == Index::Kind::kFixed ? bits_of(index.value, bits)
                                                     : points.at(static_cast<AxisId>(index.value)));
      at.back().resize(bits);
    }
    product *= tensor.kind == TensorKind::kStructured
                   ? structured_extension(binding, tensor, at)
                   : extension_of(report.arrays[factor.tensor], binding.shape(tensor.axes), at);
  }
  return product;
}

// Sum over the cubes of the variables from uses[next] on.
Fp3 sum_over_variables(const Binding& binding, const Report& report, const Term& term, const std::vector<AxisUse>& uses,
                       std::size_t next, std::map<AxisId, Point>& points) {
  if (next == uses.size()) return product_of(binding, report, term, points);
  const AxisUse& use = uses[next];
  const std::uint64_t length = binding.length(use.axis);
  const unsigned bits = log_extent(length);
  const auto rest = [&] { return sum_over_variables(binding, report, term, uses, next + 1, points); };
  const Point z = points.at(use.axis);
  if (!use.is_variable) {
    if (use.is_free) return use.needs_extent ? moments_below(z, length).count * rest() : rest();
    points[use.axis] = Point(bits, Fp3(Fp(2).inverse()));
    const Fp3 result = rest() * Fp(std::uint64_t{1} << bits);
    points[use.axis] = z;
    return result;
  }
  Fp3 result;
  for (std::uint64_t x = 0; x < std::uint64_t{1} << bits; ++x) {
    if (use.needs_extent && x >= length) continue;
    points[use.axis] = bits_of(x, bits);
    result += use.is_free ? eq_at(z, x) * rest() : rest();
  }
  points[use.axis] = z;
  return result;
}

void expect_plan_discharges(const Example& example) {
  const auto binding = Binding::bind(example.statement, example.instance);
  ASSERT_TRUE(binding.ok()) << binding.error().text;
  const auto report = check(binding.value(), example.assignment());
  ASSERT_TRUE(report.ok()) << report.error().text;
  std::mt19937_64 rng(3);
  std::map<AxisId, Point> points;
  for (AxisId axis = 0; axis < example.statement.axes.size(); ++axis) {
    for (Fp3& r : points[axis] = Point(log_extent(binding.value().length(axis)))) r = field::random_element(rng);
  }
  for (TensorId id = 0; id < example.statement.tensors.size(); ++id) {
    const Tensor& tensor = example.statement.tensors[id];
    if (tensor.kind != TensorKind::kVirtual) continue;
    std::vector<Point> z;
    for (const AxisId axis : tensor.axes) z.push_back(points[axis]);
    Fp3 by_plan;
    for (const Term& term : tensor.definition) {
      const auto uses = axis_uses(example.statement, tensor.axes, term);
      by_plan += sum_over_variables(binding.value(), report.value(), term, uses, 0, points);
    }
    EXPECT_EQ(by_plan, extension_of(report.value().arrays[id], binding.value().shape(tensor.axes), z)) << tensor.name;
  }
}

TEST(AxisUses, DischargeEveryDefinition) {
  for (const Example& example : all_examples()) expect_plan_discharges(example);
  expect_plan_discharges(embedding_example(3));
  expect_plan_discharges(matmul_example(1, 43, 1));
  expect_plan_discharges(row_sums_example(1, 12));
}

// Broadcast, places, prefixes alone and beside other factors, sums of prefixes, structured factors only.
TEST(AxisUses, DischargeWhatIsUnusual) {
  Builder b;
  const auto t = b.parameter("token", 12), k = b.alias("key", t), c = b.axis("context", 13), i = b.axis("in", 5);
  const auto P = b.witness("p", {c, i}, signed_bits(16));
  const auto X = b.witness("x", {t}, signed_bits(16));
  b.zero("mixed", {t, i},
         P(t, i) - 3 * X(t) * P(t, i) + 7 + 5 * X(t) + sum({k}, P(k, i)) + sum({k}, X(k) * X(t)) + P(at(11), i) +
             sum({k}, b.less(k, t) * X(k)) + b.less(t, i) * b.index(t) - 2 * sum({k}, b.equal(k, t)) +
             sum({k}, P(k, at(4)) * b.less_equal(k, i)) + sum({k}, X(k)) * b.index(i, -9));
  auto statement = b.build();
  ASSERT_TRUE(statement.ok()) << statement.error().text;
  Example example{"mixed", std::move(statement).value(), {}, {}, {}};
  std::mt19937_64 rng(4);
  for (const std::uint64_t tokens : {1u, 3u, 4u, 12u}) {
    example.instance.lengths = {tokens};
    for (const auto& [tensor, cells] : {std::pair{"p", std::uint64_t{65}}, std::pair{"x", tokens}}) {
      auto& array = example.arrays[tensor] = std::vector<std::int64_t>(cells);
      for (auto& cell : array) cell = static_cast<std::int64_t>(rng() % 1000) - 500;
    }
    expect_plan_discharges(example);
  }
}

TEST(Stages, CountSumchecksOnly) {
  const Statement statement = softmax_example(6).statement;
  const auto stage = stages(statement);
  const auto stage_of = [&](const std::string& name) {
    return stage[static_cast<std::size_t>(&tensor_of(statement, name) - statement.tensors.data())];
  };
  EXPECT_EQ(stage_of("score"), 0u);
  EXPECT_EQ(stage_of("denominator"), 1u);
  EXPECT_EQ(stage_of("reciprocal_rest"), 2u);
  EXPECT_EQ(stage_of("numerator"), 1u);
  EXPECT_EQ(stage_of("output_rest"), 2u);
  EXPECT_FALSE(needs_sumcheck(statement, tensor_of(matmul_example(3, 12, 5).statement, "r")));
  EXPECT_FALSE(
      needs_sumcheck(row_sums_example(3, 5).statement, tensor_of(row_sums_example(3, 5).statement, "row_sum")));
}

TEST(Stages, AnOuterProductNeedsTheValuesOfItsFactors) {
  Builder b;
  const auto i = b.axis("i", 3), j = b.axis("j", 5);
  const auto A = b.witness("a", {i}, signed_bits(8)), B = b.witness("b", {j}, signed_bits(8));
  const auto outer = b.define("outer", {i, j}, A(i) * B(j));
  const auto scaled = b.define("scaled", {i, j}, A(i) * b.index(j));
  b.zero("z", {i, j}, outer(i, j) - scaled(i, j));
  const Statement statement = b.build().value();
  EXPECT_TRUE(needs_sumcheck(statement, tensor_of(statement, "outer")));
  EXPECT_FALSE(needs_sumcheck(statement, tensor_of(statement, "scaled")));
}

TEST(JointSpace, IsTheProductOfTheVariables) {
  const Example example = softmax_example(6);
  const auto binding = Binding::bind(example.statement, example.instance);
  ASSERT_TRUE(binding.ok());
  for (const TermSpace& space : term_spaces(example.statement, binding.value().lengths())) {
    const std::string& name = example.statement.tensors[space.tensor].name;
    if (name == "denominator") {
      EXPECT_EQ(space.joint, 36u);
    }
    if (name == "denominator") {
      EXPECT_EQ(space.largest, 72u);
    }
    if (name == "numerator") {
      EXPECT_EQ(space.joint, 72u);
    }
  }
}

// Rotated queries straight from the projection: every pair of inputs and outputs for every token.
TEST(JointSpace, RefusesABlowUpByName) {
  Builder b;
  const auto t = b.parameter("token", 64);
  const auto h = b.axis("half", 16);
  const auto d = b.axis("in", 64);
  const auto X = b.witness("x", {t, d}, signed_bits(16));
  const auto W = b.model("w", {h, d}, signed_bits(16));
  const auto cosine = b.model("cosine", {b.axis("context", 64), h}, signed_bits(16));
  b.zero("rotated", {t, h}, sum({d}, X(t, d) * W(h, d) * cosine(t, h)));
  const Statement statement = b.build().value();
  const auto binding = Binding::bind(statement, {{64}, {}});
  ASSERT_FALSE(binding.ok());
  EXPECT_EQ(binding.error().cause, Cause::kJointSpace);
  EXPECT_THAT(binding.error().text,
              HasSubstr("'rotated', term 0: joint index space 65536 is more than 4 times its largest factor, 4096"));
  EXPECT_TRUE(Binding::bind(statement, {{1}, {}}).ok());
}

TEST(JointSpace, RefusesAConvolutionInOneStep) {
  Builder b;
  const auto y = b.axis("y", 8), x = b.axis("x", 8), iy = b.axis("in_y", 8), ix = b.axis("in_x", 8);
  const auto ky = b.axis("tap_y", 3), kx = b.axis("tap_x", 3);
  const auto X = b.witness("image", {iy, ix}, signed_bits(8)), Y = b.witness("result", {y, x}, signed_bits(8));
  const auto W = b.model("kernel", {ky, kx}, signed_bits(8));
  const ShiftShape same{.padding = 1};
  b.zero("conv", {y, x},
         sum({ky, kx, iy, ix}, W(ky, kx) * b.shift(y, ky, iy, same) * b.shift(x, kx, ix, same) * X(iy, ix)) - Y(y, x));
  const Statement statement = b.build().value();
  const auto binding = Binding::bind(statement, {});
  ASSERT_FALSE(binding.ok());
  EXPECT_THAT(binding.error().text, HasSubstr("'conv', term 0: joint index space 576"));
}

}  // namespace
}  // namespace avow::statement
