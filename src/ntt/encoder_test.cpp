// SPDX-License-Identifier: Apache-2.0
#include "ntt/encoder.hpp"

#include <gtest/gtest.h>

#include <random>

#include <hwy/targets.h>
#include "field/random_testing.hpp"
#include "ntt/kernels.hpp"

namespace avow::ntt {
namespace {

using field::Fp;

Fp evaluate(const field::MatrixView& matrix, std::size_t col, Fp x) {
  Fp r;
  for (std::size_t row = matrix.rows; row-- > 0;) r = r * x + matrix.at(row, col);
  return r;
}

template <typename T>
std::vector<T> random_ints(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::vector<T> out(count);
  for (auto& v : out) v = static_cast<T>(rng());
  return out;
}

std::vector<std::uint64_t> encode_all(const Encoder& encoder) {
  std::vector<std::uint64_t> out(encoder.cosets() * encoder.rows_per_coset() * encoder.cols());
  encoder.encode(0, encoder.cosets(), out.data());
  return out;
}

TEST(Encoder, CodewordsAreValuesAtTheDomainPoints) {
  for (unsigned log_rows = 0; log_rows <= 7; ++log_rows) {
    for (const std::size_t cols : {1u, 2u, 3u, 7u, 8u, 24u}) {
      const auto cells = random_ints<std::int16_t>(cols << log_rows, log_rows * 100 + cols);
      const auto matrix = field::MatrixView::of(std::span<const std::int16_t>(cells), cols);
      const unsigned log_inv_rate = 2;
      const auto codeword = encode_all(Encoder(log_rows, log_inv_rate, {matrix}));
      for (std::size_t row = 0; row < std::size_t{4} << log_rows; ++row) {
        const Fp x = field::domain_point(log_rows + log_inv_rate, row);
        for (std::size_t col = 0; col < cols; ++col) {
          ASSERT_EQ(codeword[row * cols + col], evaluate(matrix, col, x).value())
              << "log_rows " << log_rows << " cols " << cols << " row " << row << " col " << col;
        }
      }
    }
  }
}

TEST(Encoder, GroupsOfEveryCellTypeStandSideBySide) {
  const unsigned log_rows = 5;
  const auto a = random_ints<std::int8_t>(4 << log_rows, 1);
  const auto b = random_ints<std::int16_t>(2 << log_rows, 2);
  const auto c = random_ints<std::int32_t>(1 << log_rows, 3);
  std::vector<field::Fp3> d;
  std::mt19937_64 rng(4);
  for (int i = 0; i < 1 << log_rows; ++i) d.push_back(field::random_element(rng));
  const std::vector<field::MatrixView> groups = {field::MatrixView::of(std::span<const std::int8_t>(a), 4),
                                                 field::MatrixView::of(std::span<const std::int16_t>(b), 2),
                                                 field::MatrixView::of(std::span<const std::int32_t>(c), 1),
                                                 field::MatrixView::of(std::span<const field::Fp3>(d), 1)};
  const auto codeword = encode_all(Encoder(log_rows, 1, groups));
  for (std::size_t row = 0; row < 2u << log_rows; ++row) {
    const Fp x = field::domain_point(log_rows + 1, row);
    std::size_t col = 0;
    for (const auto& group : groups) {
      for (std::size_t k = 0; k < group.cols; ++k, ++col) {
        ASSERT_EQ(codeword[row * 10 + col], evaluate(group, k, x).value()) << row << " " << col;
      }
    }
  }
}

// Two passes: enough rows that the first pass has layers of its own.
TEST(Encoder, LongColumnsAgreeWithDirectEvaluationAtSampledPoints) {
  const unsigned log_rows = 14;
  const auto cells = random_ints<std::int16_t>(std::size_t{12} << log_rows, 9);
  const auto matrix = field::MatrixView::of(std::span<const std::int16_t>(cells), 12);
  const auto codeword = encode_all(Encoder(log_rows, 2, {matrix}));
  for (const std::size_t row : {0u, 1u, 77u, 16384u, 32767u, 40000u, 65535u}) {
    const Fp x = field::domain_point(log_rows + 2, row);
    for (std::size_t col = 0; col < 12; ++col) {
      ASSERT_EQ(codeword[row * 12 + col], evaluate(matrix, col, x).value()) << row;
    }
  }
}

TEST(Encoder, ReportsEveryRowOnce) {
  for (const unsigned log_rows : {3u, 13u}) {  // short and long columns
    const auto cells = random_ints<std::int16_t>(std::size_t{16} << log_rows, 5);
    const Encoder encoder(log_rows, 3, {field::MatrixView::of(std::span<const std::int16_t>(cells), 16)});
    std::vector<std::uint64_t> out(std::size_t{3 * 16} << log_rows);
    std::vector<int> seen(std::size_t{3} << log_rows, 0);
    encoder.encode(2, 3, out.data(), [&](std::size_t first, std::size_t rows, const std::uint64_t* data) {
      EXPECT_EQ(data, out.data() + first * 16);
      for (std::size_t i = first; i < first + rows; ++i) ++seen[i];
    });
    for (const int n : seen) ASSERT_EQ(n, 1);
    const auto all = encode_all(encoder);
    EXPECT_TRUE(std::equal(out.begin(), out.end(), all.begin() + static_cast<std::ptrdiff_t>(2 * 16 << log_rows)));
  }
}

TEST(Transform, EveryTargetEqualsTheReference) {
  std::mt19937_64 rng(11);
  for (const auto target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    for (unsigned log_size = 0; log_size <= 8; ++log_size) {
      for (const std::size_t run : {1u, 3u, 4u, 8u, 17u}) {
        const std::uint64_t block = rng() % 64;
        std::vector<std::uint64_t> data(run << log_size);
        for (auto& v : data) {
          // Edge values often: both representatives of small numbers, and the largest words.
          const std::uint64_t kinds[] = {rng(), rng() % 3, field::kP + rng() % 3, ~std::uint64_t{0} - rng() % 3};
          v = kinds[rng() % 4];
        }
        auto expected = data;
        internal::transform(data.data(), log_size, run, internal::make_twiddles(block, log_size));
        internal::transform_ref(expected.data(), log_size, run, block);
        ASSERT_EQ(data, expected) << hwy::TargetName(target) << " log_size " << log_size << " run " << run;
      }
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}

}  // namespace
}  // namespace avow::ntt
