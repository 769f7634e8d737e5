// SPDX-License-Identifier: Apache-2.0
#include "reduction/digits.hpp"

#include <gtest/gtest.h>

#include <random>

#include "statement/builder.hpp"
#include "statement/extents.hpp"

namespace avow::reduction {
namespace {

using field::Fp;
using field::Fp3;
using statement::AxisId;
using statement::AxisKind;
using statement::Binding;
using statement::StructuredKind;
using statement::Tensor;
using statement::TensorKind;

// Values over two axes, not powers of two, and a last axis.
struct Values {
  statement::Statement statement;
  statement::Instance instance;
  std::mt19937_64 rng{7};

  // largest: that the last axis may have, as a parameter; 0: it is fixed.
  explicit Values(std::uint64_t length, std::uint64_t largest = 0) {
    for (const std::uint64_t n : {std::uint64_t{3}, std::uint64_t{5}, length}) {
      statement.axes.push_back({.name = {}, .length = n});
    }
    if (largest != 0) {
      statement.axes[2].kind = AxisKind::kParameter;
      statement.axes[2].length = largest;
      instance.lengths = {length};
    }
    statement.values.push_back({"v", {0, 1}, length + 3});
    auto& values = instance.values.emplace_back(15);
    for (auto& value : values) value = static_cast<std::int64_t>(rng() % (length + 3));
    // The edges of the axis.
    for (std::size_t i = 0; i < 4; ++i) values[i] = static_cast<std::int64_t>(length - 1 + i);
    values[4] = 0;
  }
  [[nodiscard]] static Tensor tensor(StructuredKind kind) {
    Tensor tensor{TensorKind::kStructured, "", {0, 1}, {}, {}, {}};
    tensor.structured.kind = kind;
    if (kind != StructuredKind::kValue) tensor.axes.push_back(2);
    return tensor;
  }
  statement::Point point(std::uint64_t length) {
    statement::Point point(statement::log_extent(length));
    for (Fp3& x : point) x = {Fp(rng() >> 1), Fp(rng() >> 1), Fp(rng() >> 1)};
    return point;
  }
};

// Place by place the sum of products is the function of the value there: with eq of a point, all of it is the
// extension.
TEST(Digits, MakeTheExtension) {
  std::vector<Values> all;
  for (const std::uint64_t length : {1u, 2u, 3u, 16u, 17u, 43u, 256u, 257u, 768u, 4096u, 70000u})
    all.emplace_back(length);
  // Digits without coordinates.
  for (const std::uint64_t length : {1u, 2u, 3u, 4u, 12u, 96u}) {
    for (const std::uint64_t largest : {96u, 512u, 4096u}) all.emplace_back(length, largest);
  }
  for (Values& v : all) {
    const auto binding = Binding::bind(v.statement, v.instance);
    ASSERT_TRUE(binding) << binding.error().text;
    for (const auto kind : {StructuredKind::kOneHot, StructuredKind::kBelow, StructuredKind::kValue}) {
      const Tensor tensor = Values::tensor(kind);
      ASSERT_TRUE(is_read(tensor));
      std::vector<statement::Point> points;
      for (const AxisId axis : tensor.axes) points.push_back(v.point(binding.value().length(axis)));
      const auto last = tensor.axes.size() == 3 ? points[2] : statement::Point();
      const DigitSum sum = digit_sum(binding.value(), tensor, last);
      const auto places = std::span(tensor.axes).first(2);
      const auto weights = statement::eq_of_places(binding.value(), places, std::span(points).first(2));
      ASSERT_EQ(weights.size(), 15u);
      Fp3 total;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        for (const auto& term : sum.terms) {
          Fp3 product = weights[i];
          for (const std::size_t factor : term) product *= sum.factors[factor][i];
          total += product;
        }
      }
      EXPECT_EQ(total, statement::structured_extension(binding.value(), tensor, points)) << binding.value().length(2);
      // With the weights of a single place the extensions of the factors are their values there.
      std::vector<Fp3> only(15);
      only[1] = field::kOne3;
      Fp3 there;
      for (const auto& term : sum.terms) {
        Fp3 product = field::kOne3;
        for (const std::size_t factor : term) product *= sum.factors[factor][1];
        there += product;
      }
      EXPECT_EQ(evaluate(sum, only), there) << binding.value().length(2);
    }
  }
}

TEST(Digits, FollowFromTheLargestLength) {
  const auto digits = [](std::uint64_t length, AxisKind kind) {
    Values v(length);
    v.statement.axes[2].kind = kind;
    return digits_of(v.statement, Values::tensor(StructuredKind::kBelow));
  };
  const std::pair<std::uint64_t, unsigned> expected[] = {{1, 1},   {2, 1},   {16, 1},   {17, 2},
                                                         {256, 2}, {257, 3}, {4096, 3}, {1u << 18, 3}};
  for (const auto& [length, count] : expected) {
    EXPECT_EQ(digits(length, AxisKind::kFixed), count) << length;
    EXPECT_EQ(digits(length, AxisKind::kParameter), count) << length;
  }
  EXPECT_EQ(digits_of(Values(8).statement, Values::tensor(StructuredKind::kValue)), 0u);
}

TEST(Digits, AreThoseOfThreeKinds) {
  EXPECT_FALSE(is_read(Values::tensor(StructuredKind::kBetween)));
  EXPECT_FALSE(is_read(Values::tensor(StructuredKind::kLess)));
  Tensor witness = Values::tensor(StructuredKind::kOneHot);
  witness.kind = TensorKind::kWitness;
  EXPECT_FALSE(is_read(witness));
}

}  // namespace
}  // namespace avow::reduction
