// SPDX-License-Identifier: Apache-2.0
// Tables against the functions of the C library in extended precision, which round correctly but near a half.
#include "quantise/tables.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "base/test_stride.hpp"
#include "quantise/fixed.hpp"

namespace avow::quantise {
namespace {

using Real = long double;

// Every cell is the nearest integer, or the other of two between which the library's value lies too well in the middle
// to tell.
void expect_rounded(std::size_t rows, const std::function<std::int64_t(std::size_t)>& cell,
                    const std::function<Real(std::size_t)>& exact) {
  std::size_t wrong = 0, first = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    if (std::abs(static_cast<Real>(cell(row)) - exact(row)) <= 0.5L + 1e-9L) continue;
    if (wrong++ == 0) first = row;
  }
  EXPECT_EQ(wrong, 0u) << "first at " << first << ": " << cell(first) << " for " << exact(first);
}

TEST(Tables, RootsAreRounded) {
  const RootTables tables = root_tables();
  ASSERT_EQ(tables.values.size(), 65536u);
  const auto exact = [](std::size_t n) { return (1048576.0L - 1024.0L) / std::sqrt(static_cast<Real>(n)); };
  expect_rounded(
      65536 - 256, [&](std::size_t i) { return tables.values[i + 256]; },
      [&](std::size_t i) { return exact(i + 256); });
  for (std::size_t row = 0; row < 256; ++row) EXPECT_EQ(tables.values[row] | tables.slopes[row], 0);
  for (std::size_t row = 256; row < 65535; ++row) {
    ASSERT_EQ(tables.values[row] - tables.slopes[row], tables.values[row + 1]);
  }
  EXPECT_EQ(tables.values[65535] - tables.slopes[65535], std::llround(exact(65536)));
}

TEST(Tables, ExponentialsAreRounded) {
  for (const int bits : {-3, 0, 3, 7, 11, 16, 40, 90}) {
    const auto cells = exp_values(bits);
    EXPECT_EQ(cells[0], 1 << 14);
    expect_rounded(
        cells.size(), [&](std::size_t i) { return cells[i]; },
        [&](std::size_t i) { return 16384 * std::exp(-std::ldexp(static_cast<Real>(i), -bits)); });
  }
  const auto weights = weight_values();
  ASSERT_EQ(weights.size(), 4096u);
  EXPECT_EQ(weights[0], 65535);
  EXPECT_EQ(weights[4095], 0);
  expect_rounded(
      4095, [&](std::size_t i) { return weights[i]; },
      [](std::size_t i) { return 65535 * std::exp(-static_cast<Real>(i) / 256); });
}

Real silu(Real x) { return x / (1 + std::exp(-x)); }
Real gelu_tanh(Real x) {
  const Real inner = std::sqrt(2 / std::numbers::pi_v<Real>) * (x + 0.044715L * x * x * x);
  return inner > 0 ? 0.5L * x * (1 + std::tanh(inner)) : x / (1 + std::exp(-2 * inner));
}
Real gelu_erf(Real x) { return 0.5L * x * std::erfc(-x / std::numbers::sqrt2_v<Real>); }

constexpr bool kSampled = base::kTestStride > 1;
const std::vector<int> kScales = kSampled ? std::vector<int>{11} : std::vector<int>{5, 11, 15, 22};
const std::vector<int> kWideScales = kSampled ? std::vector<int>{-10} : std::vector<int>{-10, 3, 12, 40};

TEST(Tables, ActivationsAreRounded) {
  const struct {
    model::Activation activation;
    Real (*exact)(Real);
  } cases[] = {{model::Activation::kSilu, silu},
               {model::Activation::kGeluTanh, gelu_tanh},
               {model::Activation::kGeluErf, gelu_erf}};
  for (const auto& [activation, exact] : cases) {
    for (const int bits : kScales) {
      const auto cells = act_values(activation, bits);
      ASSERT_EQ(cells.size(), 65536u);
      EXPECT_EQ(cells[32768], 0);
      expect_rounded(
          cells.size(), [&](std::size_t i) { return cells[i]; },
          [&, f = exact](std::size_t i) {
            return std::ldexp(f(std::ldexp(static_cast<Real>(i) - 32768, -bits)), bits);
          });
    }
  }
}

// What the bounds of a plan rely on: |act(x)| <= |x|.
TEST(Tables, ActivationsAreNoLongerThanTheirArguments) {
  for (const auto activation : {model::Activation::kSilu, model::Activation::kGeluTanh, model::Activation::kGeluErf}) {
    for (const int bits : kWideScales) {
      const auto cells = act_values(activation, bits);
      for (int row = 0; row < 65536; ++row)
        ASSERT_LE(std::abs(cells[static_cast<std::size_t>(row)]), std::abs(row - 32768));
    }
  }
}

TEST(Tables, RotationsAreRounded) {
  const std::vector<double> frequencies = {1.0, 0.31622776601683794, 1e-4, 12345.678, -0.5};
  std::vector<fixed::Number> exact;
  for (const double frequency : frequencies) exact.push_back(fixed::of_double(frequency));
  for (const double amplitude : {1.0, 1.1386294361119891}) {
    const auto cells = rotation(exact, fixed::of_double(amplitude), 700);
    ASSERT_EQ(cells.size(), 700u * 5 * 4);
    const auto angle = [&](std::size_t i) {
      const std::size_t position = i / 5;
      return static_cast<Real>(position) * static_cast<Real>(frequencies[i % 5]);
    };
    const Real unit = 16384 * static_cast<Real>(amplitude);
    const auto cell = [&](std::size_t i, std::size_t k) { return std::int64_t{cells[4 * i + k]}; };
    expect_rounded(
        3500, [&](std::size_t i) { return cell(i, 0); }, [&](std::size_t i) { return unit * std::cos(angle(i)); });
    expect_rounded(
        3500, [&](std::size_t i) { return cell(i, 2); }, [&](std::size_t i) { return unit * std::sin(angle(i)); });
    for (std::size_t i = 0; i < 3500; ++i) {
      ASSERT_EQ(cell(i, 3), cell(i, 0));
      ASSERT_EQ(cell(i, 1), -cell(i, 2));
    }
  }
}

TEST(Tables, FoundIsSetByAByteOrBefore) {
  const auto cells = found_values();
  ASSERT_EQ(cells.size(), 512u);
  for (std::size_t i = 0; i < 512; ++i) EXPECT_EQ(cells[i], i == 0 ? 0 : 1);
}

// 200 bits of identities that share no series: sin^2 + cos^2 = 1, exp(x) exp(-x) = 1, tanh from exp, sin(3x), and pi.
TEST(Fixed, AgreesWithItself) {
  const fixed::Number one = fixed::of_scaled(1, 0), unit = fixed::of_scaled(1, 200);
  const auto near = [&](const fixed::Number& a, const fixed::Number& b) { return abs(a - b) < unit; };
  for (std::int64_t i = -40; i <= 40; ++i) {
    const fixed::Number x = fixed::of_scaled(3 * i + 1, 4);
    const auto [c, s] = fixed::turn(x);
    EXPECT_TRUE(near(fixed::multiply(c, c) + fixed::multiply(s, s), one));
    const auto thrice = fixed::turn(3 * x);
    EXPECT_TRUE(near(thrice.sine, 3 * s - 4 * fixed::multiply(s, fixed::multiply(s, s))));
    EXPECT_TRUE(near(fixed::multiply(fixed::exp(x), fixed::exp(-x)), one));
    EXPECT_TRUE(near(fixed::tanh(x) + fixed::tanh(-x), 0));
  }
  EXPECT_TRUE(near(fixed::turn(fixed::pi() / 6).sine, one / 2));
  EXPECT_TRUE(near(fixed::multiply(fixed::root(3 * one), fixed::root(3 * one)), 3 * one));
}

// Of the error function, by another series: x - x^3/3 + x^5/10 - ...
TEST(Fixed, HasTheErrorFunctionOfTaylorsSeries) {
  for (std::int64_t i = 1; i <= 32; ++i) {
    const fixed::Number x = fixed::of_scaled(i, 3), square = fixed::multiply(x, x);
    fixed::Number power = x, sum = 0;
    for (unsigned long n = 0; n < 400; ++n) {
      sum += n % 2 == 0 ? fixed::Number(power / (2 * n + 1)) : fixed::Number(-power / (2 * n + 1));
      power = fixed::multiply(power, square) / (n + 1);
    }
    const fixed::Number expected = fixed::divide(2 * sum, fixed::root(fixed::pi()));
    EXPECT_TRUE(abs(fixed::erf(x) - expected) < fixed::of_scaled(1, 200)) << i;
  }
}

TEST(Fixed, RoundsToTheNearestAndHalvesDown) {
  EXPECT_EQ(fixed::round(fixed::of_scaled(5, 1), 0), 2);
  EXPECT_EQ(fixed::round(fixed::of_scaled(-5, 1), 0), -3);
  EXPECT_EQ(fixed::round(fixed::of_scaled(5, 1) + 1, 0), 3);
  EXPECT_EQ(fixed::round(fixed::of_scaled(-11, 2), 0), -3);
  EXPECT_EQ(fixed::round(fixed::of_double(-0.15625), 5), -5);
  EXPECT_EQ(fixed::round(fixed::of_double(0x1.8p-60), 62), 6);
}

}  // namespace
}  // namespace avow::quantise
