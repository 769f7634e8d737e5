// SPDX-License-Identifier: Apache-2.0
#include "statement/structured.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "field/factor.hpp"
#include "field/random_testing.hpp"
#include "statement/extents.hpp"
#include "statement/validate.hpp"

namespace avow::statement {
namespace {

using field::Fp;
using field::Fp3;

constexpr std::uint64_t kAxisLengths[] = {1, 3, 12, 43, 768, 1000};

// A statement of nothing but axes and public values; the structured tensors are held against it one by one.
struct Axes {
  Statement statement;
  Instance instance;
  std::mt19937_64 rng{7};

  AxisId axis(std::uint64_t length) {
    statement.axes.push_back({fmt::format("a{}", statement.axes.size()), AxisKind::kFixed, length, 0});
    return static_cast<AxisId>(statement.axes.size() - 1);
  }
  ValuesId values(std::vector<AxisId> axes, std::uint64_t bound) {
    std::uint64_t cells = 1;
    for (const AxisId axis : axes) cells *= statement.axes[axis].length;
    auto& array = instance.values.emplace_back(cells);
    for (auto& value : array) value = static_cast<std::int64_t>(rng() % bound);
    array.front() = static_cast<std::int64_t>(bound - 1);
    statement.values.push_back({fmt::format("v{}", statement.values.size()), std::move(axes), bound});
    return static_cast<ValuesId>(statement.values.size() - 1);
  }

  // The extension in logarithmic time against the sum over all indices.
  void expect_agrees(const std::vector<AxisId>& axes, const Structured& structured) {
    const auto binding = Binding::bind(statement, instance);
    ASSERT_TRUE(binding.ok()) << binding.error().text;
    const Tensor tensor{TensorKind::kStructured, "", axes, {}, structured, {}};
    std::vector<Point> points;
    std::vector<std::vector<Fp3>> eq;
    for (const AxisId axis : axes) {
      auto& point = points.emplace_back(log_extent(binding.value().length(axis)));
      for (Fp3& r : point) r = field::random_element(rng);
      eq.push_back(field::eq_table(point));
    }
    Fp3 expected;
    std::vector<std::uint64_t> index(axes.size());
    for (bool more = true; more;) {
      if (const std::int64_t value = structured_value(binding.value(), tensor, index); value != 0) {
        Fp3 weight(Fp::from_int(value));
        for (std::size_t i = 0; i < index.size(); ++i) weight *= eq[i][index[i]];
        expected += weight;
      }
      more = false;
      for (std::size_t i = index.size(); i-- > 0 && !more;) {
        more = ++index[i] < binding.value().length(axes[i]);
        if (!more) index[i] = 0;
      }
    }
    EXPECT_EQ(structured_extension(binding.value(), tensor, points), expected)
        << "kind " << static_cast<int>(structured.kind) << " lengths "
        << ::testing::PrintToString(binding.value().shape(axes));
  }
};

Structured of(StructuredKind kind, std::int64_t constant = 0) {
  Structured structured;
  structured.kind = kind;
  structured.constant = constant;
  return structured;
}

TEST(Structured, ConstantsAndIndicesAgreeWithTheirSums) {
  for (const std::uint64_t length : kAxisLengths) {
    Axes f;
    const AxisId a = f.axis(length);
    f.expect_agrees({a}, of(StructuredKind::kConstant, 1));
    f.expect_agrees({a}, of(StructuredKind::kConstant, -77));
    f.expect_agrees({a}, of(StructuredKind::kIndex));
    f.expect_agrees({a}, of(StructuredKind::kIndex, -32768));
    f.expect_agrees({a, f.axis(12)}, of(StructuredKind::kConstant, 5));
    f.expect_agrees({}, of(StructuredKind::kConstant, 5));
  }
}

TEST(Structured, ComparisonsAgreeWithTheirSums) {
  for (const std::uint64_t n : kAxisLengths) {
    for (const std::uint64_t m : kAxisLengths) {
      Axes f;
      const std::vector<AxisId> axes = {f.axis(n), f.axis(m)};
      f.expect_agrees(axes, of(StructuredKind::kEqual));
      f.expect_agrees(axes, of(StructuredKind::kLess));
      f.expect_agrees(axes, of(StructuredKind::kLessEqual));
    }
  }
}

TEST(Structured, ShiftsAgreeWithTheirSums) {
  struct Case {
    std::uint64_t out, tap, in;
    std::int64_t stride, dilation, padding;
  };
  const Case cases[] = {{1, 1, 1, 1, 1, 0},      {3, 3, 3, 1, 1, 1},      {12, 3, 12, 1, 1, 1},
                        {43, 3, 43, 2, 1, 1},    {12, 5, 43, 4, 1, 2},    {12, 12, 43, 3, 2, 7},
                        {768, 3, 1000, 1, 1, 1}, {43, 7, 1000, 16, 5, 3}, {3, 43, 768, 64, 64, 9},
                        {1, 3, 1000, 7, 3, 0},   {43, 1, 12, 1, 1, 30},   {1000, 3, 3, 1, 1, 1000}};
  for (const Case& c : cases) {
    Axes f;
    Structured shift = of(StructuredKind::kShift);
    shift.stride = c.stride;
    shift.dilation = c.dilation;
    shift.padding = c.padding;
    f.expect_agrees({f.axis(c.out), f.axis(c.tap), f.axis(c.in)}, shift);
  }
}

TEST(Structured, TensorsOfPublicValuesAgreeWithTheirSums) {
  for (const std::uint64_t length : kAxisLengths) {
    Axes f;
    const std::vector<AxisId> of_values = {f.axis(3), f.axis(12)};
    std::vector<AxisId> axes = of_values;
    axes.push_back(f.axis(length));
    Structured one_hot = of(StructuredKind::kOneHot);
    one_hot.values = f.values(of_values, length);
    f.expect_agrees(axes, one_hot);
    Structured below = of(StructuredKind::kBelow);
    below.values = f.values(of_values, length + 1);
    f.expect_agrees(axes, below);
    below.values = f.values(of_values, 5000);  // beyond the extent
    f.expect_agrees(axes, below);
    Structured between = of(StructuredKind::kBetween);
    between.values = f.values(of_values, length + 1);
    between.lower = f.values(of_values, length + 1);  // above the upper bound at times
    f.expect_agrees(axes, between);
    Structured value = of(StructuredKind::kValue);
    value.values = f.values({axes[2]}, std::uint64_t{1} << 32);
    f.expect_agrees({axes[2]}, value);
    value.values = f.values({}, 100);
    f.expect_agrees({}, value);
    one_hot.values = f.values({}, length);
    f.expect_agrees({axes[2]}, one_hot);
  }
}

TEST(Structured, OneHotBeyondTheExtentIsZero) {
  Axes f;
  Structured one_hot = of(StructuredKind::kOneHot);
  const AxisId a = f.axis(12);
  const AxisId b = f.axis(3);
  one_hot.values = f.values({a}, 200);
  f.expect_agrees({a, b}, one_hot);
}

TEST(Structured, PiecesAgreeWithTheirSums) {
  for (const std::uint64_t length : kAxisLengths) {
    Axes f;
    const AxisId a = f.axis(length);
    Structured pieces = of(StructuredKind::kPiecewise);
    pieces.pieces = {{length, -5, 3}};
    f.expect_agrees({a}, pieces);
    if (length < 12) continue;
    pieces.pieces = {{length / 3, -5, 1}, {1, 4096, 0}, {length - 1 - length / 3, -4096, -1}};
    f.expect_agrees({a}, pieces);
  }
}

TEST(Moments, OfEverythingAndOfNothing) {
  const std::vector<Fp3> point = {Fp3(Fp(3), Fp(4), Fp(5)), Fp3(Fp(6), Fp(7), Fp(8))};
  EXPECT_EQ(moments_below(point, 0).count, Fp3());
  EXPECT_EQ(moments_below(point, 0).sum, Fp3());
  EXPECT_EQ(moments_below(point, 4).count, field::kOne3);
  EXPECT_EQ(moments_below(point, 4).sum, point[0] + point[1] * Fp(2));
  EXPECT_EQ(moments_below({}, 1).count, field::kOne3);
  EXPECT_EQ(moments_below({}, 0).count, Fp3());
  EXPECT_EQ(eq_at(point, 2), (field::kOne3 - point[0]) * point[1]);
}

}  // namespace
}  // namespace avow::statement
