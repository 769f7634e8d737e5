// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <random>
#include <vector>

namespace avow::runtime {
namespace {

using Cells = std::vector<std::int16_t>;

template <typename Body>
void on_every_target(Body body) {
  for (const auto target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    SCOPED_TRACE(hwy::TargetName(target));
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
}

// Cells beyond the rows' length are there and must not count.
void check(const Cells& a, std::size_t a_count, const Cells& b, std::size_t b_count, std::size_t length) {
  const Rows rows_a{a.data(), a.size() / a_count, a_count};
  const Rows rows_b{b.data(), b.size() / b_count, b_count};
  std::vector<std::int64_t> expected(a_count * b_count + 1, 77);
  auto out = expected;
  auto product = expected;
  dots_ref(rows_a, rows_b, length, expected.data(), a_count);
  dots(rows_a, rows_b, length, out.data(), a_count);
  ASSERT_EQ(out, expected) << a_count << " x " << b_count << " rows of " << length;
  multiply(rows_a, rows_b, length, product.data());
  ASSERT_EQ(product, expected) << a_count << " x " << b_count << " rows of " << length;
}

TEST(Kernels, DotsEqualTheReferenceOnEdgesAndRandomCells) {
  on_every_target([] {
    std::mt19937_64 rng(1);
    const auto cells = [&](std::size_t count) {
      Cells out(count);
      const std::int16_t edges[] = {-32768, -32767, -1, 0, 1, 32767};
      const bool random = rng() % 2 == 0;
      for (auto& v : out) v = random ? static_cast<std::int16_t>(rng()) : edges[rng() % 6];
      return out;
    };
    for (const std::size_t length : {1u, 2u, 7u, 8u, 15u, 16u, 31u, 33u, 64u, 100u, 767u, 768u}) {
      for (const std::size_t a : {1u, 2u, 3u, 4u, 7u, 40u}) {
        for (const std::size_t b : {1u, 2u, 3u, 4u, 5u, 9u})
          check(cells(a * (length + 5)), a, cells(b * length), b, length);
      }
    }
  });
}

// The longest rows of cells that are all the same extreme: every partial sum is as large as it gets.
TEST(Kernels, LongestRowsOfExtremesDoNotOverflow) {
  on_every_target([] {
    const std::int16_t extremes[] = {-32768, -32767, 32767};
    for (const std::int16_t x : extremes) {
      for (const std::int16_t y : extremes) {
        check(Cells(4 * kLongestDot, x), 4, Cells(2 * kLongestDot, y), 2, kLongestDot);
        check(Cells(kLongestDot, x), 1, Cells(kLongestDot, y), 1, kLongestDot - 1);
      }
    }
  });
}

TEST(Kernels, RowsOfNothingAreZero) {
  on_every_target([] { check(Cells(4, 5), 4, Cells(1, 5), 1, 0); });
}

}  // namespace
}  // namespace avow::runtime
