// SPDX-License-Identifier: Apache-2.0
#include "field/kernels.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <limits>
#include <random>

namespace avow::field {
namespace {

class Kernels : public testing::Test {
 protected:
  std::mt19937_64 rng{7};

  // Small, large and random coefficients, so that carries and both ends of the halves occur.
  Fp element() {
    const Fp kinds[] = {Fp(rng()), Fp(rng() % 4), -Fp(rng() % 4), Fp((kP - 1) / 2 + rng() % 3 - 1)};
    return kinds[rng() % 4];
  }
  Fp3 element3() { return {element(), element(), element()}; }
  std::vector<Fp3> elements3(std::size_t count) {
    std::vector<Fp3> out(count);
    for (auto& v : out) v = element3();
    return out;
  }
  template <typename T>
  std::vector<T> integers(std::size_t count) {
    std::vector<T> out(count);
    for (auto& v : out) {
      const T kinds[] = {static_cast<T>(rng()), std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
      v = kinds[rng() % 3];
    }
    return out;
  }

  template <typename Body>
  void on_every_target(Body body) {
    for (const auto target : hwy::SupportedAndGeneratedTargets()) {
      hwy::SetSupportedTargetsForTest(target);
      SCOPED_TRACE(hwy::TargetName(target));
      body();
    }
    hwy::SetSupportedTargetsForTest(0);
  }

  void check_dots(const MatrixView& cells) {
    const auto row_weights = elements3(cells.rows - 1);
    EXPECT_EQ(column_dots(cells, 1, row_weights), column_dots_ref(cells, 1, row_weights));
    const auto col_weights = elements3(cells.cols);
    auto out = elements3(cells.rows);
    auto expected = out;
    add_row_dots(cells, col_weights, out);
    add_row_dots_ref(cells, col_weights, expected);
    EXPECT_EQ(out, expected);
  }
};

TEST_F(Kernels, DotsOfEveryCellTypeEqualTheReference) {
  on_every_target([&] {
    for (const std::size_t cols : {1u, 3u, 8u, 16u, 21u, 64u}) {
      const std::size_t rows = 300;
      const auto i8 = integers<std::int8_t>(rows * cols);
      const auto i16 = integers<std::int16_t>(rows * cols);
      const auto i32 = integers<std::int32_t>(rows * cols);
      std::vector<Fp> fp(rows * cols);
      for (auto& v : fp) v = element();
      check_dots(MatrixView::of(std::span<const std::int8_t>(i8), cols));
      check_dots(MatrixView::of(std::span<const std::int16_t>(i16), cols));
      check_dots(MatrixView::of(std::span<const std::int32_t>(i32), cols));
      check_dots(MatrixView::of(std::span<const Fp>(fp), cols));
    }
  });
}

// The lazy sums' worst case: every product has the same sign and the largest size, over more rows than one sum covers.
TEST_F(Kernels, LazySumsDoNotOverflow) {
  const std::size_t rows = 40000;
  const std::vector<std::int16_t> cells(rows * 8, std::numeric_limits<std::int16_t>::min());
  const std::vector<std::int32_t> wide(rows * 8, std::numeric_limits<std::int32_t>::min());
  // The centred representative with hi = -2^31: -(p+1)/2.
  const Fp extreme((kP - 1) / 2);
  const std::vector<Fp3> weights(rows, Fp3(extreme, extreme, extreme));
  const auto narrow = MatrixView::of(std::span<const std::int16_t>(cells), 8);
  EXPECT_EQ(column_dots(narrow, 0, weights), column_dots_ref(narrow, 0, weights));
  const auto wide_view = MatrixView::of(std::span<const std::int32_t>(wide), 8);
  EXPECT_EQ(column_dots(wide_view, 0, weights), column_dots_ref(wide_view, 0, weights));

  const std::vector<std::int32_t> row(16384, std::numeric_limits<std::int32_t>::min());
  const std::vector<Fp3> row_weights(16384, Fp3(extreme, extreme, extreme));
  const auto row_view = MatrixView::of(std::span<const std::int32_t>(row), 16384);
  std::vector<Fp3> out(1);
  std::vector<Fp3> expected(1);
  add_row_dots(row_view, row_weights, out);
  add_row_dots_ref(row_view, row_weights, expected);
  EXPECT_EQ(out, expected);
}

TEST_F(Kernels, TensorEqualsTheReference) {
  on_every_target([&] {
    for (std::size_t vars = 0; vars <= 13; ++vars) {
      std::vector<Factor> factors(vars);
      for (auto& f : factors) f = {element3(), element3()};
      auto out = elements3(std::size_t{1} << vars);
      auto expected = out;
      const Fp3 coefficient = element3();
      add_tensor(out, factors, coefficient);
      add_tensor_ref(expected, factors, coefficient);
      ASSERT_EQ(out, expected) << vars;
    }
  });
}

TEST_F(Kernels, PowersEqualTheReference) {
  on_every_target([&] {
    for (const std::size_t log_size : {0u, 1u, 4u, 8u, 12u}) {
      for (const std::size_t count : {0u, 1u, 5u}) {
        std::vector<Fp> points(count);
        for (auto& p : points) p = element();
        const auto coefficients = elements3(count);
        auto out = elements3(std::size_t{1} << log_size);
        auto expected = out;
        add_powers(out, points, coefficients);
        add_powers_ref(expected, points, coefficients);
        ASSERT_EQ(out, expected) << log_size << " " << count;
      }
    }
  });
}

TEST_F(Kernels, FoldAndSumEqualTheReference) {
  on_every_target([&] {
    for (const std::size_t size : {2u, 6u, 16u, 30u, 64u, 10000u}) {
      const auto f = elements3(size);
      const auto w = elements3(size);
      const Fp3 r = element3();
      ASSERT_EQ(fold_pairs(f, r), fold_pairs_ref(f, r)) << size;
      ASSERT_EQ(sum_products(f, w), sum_products_ref(f, w)) << size;
      ASSERT_EQ(inner_product(f, w), inner_product_ref(f, w)) << size;
      auto combined = f;
      auto expected = f;
      combine(combined, r, w, f[0]);
      combine_ref(expected, r, w, f[0]);
      ASSERT_EQ(combined, expected) << size;
    }
  });
}

TEST_F(Kernels, FactorInterpolates) {
  const Factor f{element3(), element3()};
  EXPECT_EQ(f.at(Fp3()), f.at0);
  EXPECT_EQ(f.at(kOne3), f.at1);
}

}  // namespace
}  // namespace avow::field
