// SPDX-License-Identifier: Apache-2.0
#include "lookup/claims.hpp"

#include <gtest/gtest.h>

#include <random>

#include "field/factor.hpp"
#include "field/random_testing.hpp"

namespace avow::lookup {
namespace {

using field::Fp3;
using field::kOne3;

std::vector<Fp3> random_point(std::size_t size, std::mt19937_64& rng) {
  std::vector<Fp3> point(size);
  for (Fp3& r : point) r = field::random_element(rng);
  return point;
}

TEST(Layout, LargerColumnsFirstWithoutGaps) {
  const Config config{
      {{1, Numerators::kSent}, {3, Numerators::kSent}, {0, Numerators::kPublic}, {1, Numerators::kSent}}};
  const Layout layout = make_layout(config);
  EXPECT_EQ(layout.offsets, (std::vector<std::uint64_t>{8, 0, 12, 10}));
  EXPECT_EQ(layout.order, (std::vector<std::uint32_t>{1, 0, 3, 2}));
  EXPECT_EQ(layout.log_cells, 4u);
  EXPECT_EQ(columns_bytes(config), 24u * 7);
  EXPECT_EQ(proof_bytes(config), 384u + (48 * 3 + 96) + 24 * 7);
  EXPECT_EQ(encode(config), (base::Bytes{0, 0, 0, 1, 0, 0, 0, 4, 1, 0, 3, 0, 0, 1, 1, 0}));
  const Layout one = make_layout({{{0, Numerators::kSent}}});
  EXPECT_EQ(one.log_cells, 0u);
}

TEST(Layout, LargestAllowedCube) {
  const Layout layout = make_layout({std::vector<Column>(4, {30, Numerators::kSent})});
  EXPECT_EQ(layout.log_cells, 32u);
  EXPECT_EQ(layout.offsets[3], std::uint64_t{3} << 30);
}

TEST(Claims, PrefixValueIsTheSumOfTheFirstWeights) {
  std::mt19937_64 rng(1);
  for (std::size_t variables = 0; variables <= 6; ++variables) {
    const auto point = random_point(variables, rng);
    const auto eq = field::eq_table(point);
    Fp3 sum;
    for (std::size_t extent = 0; extent <= eq.size(); ++extent) {
      ASSERT_EQ(prefix_value(extent, point), sum) << variables << " " << extent;
      if (extent < eq.size()) sum += eq[extent];
    }
  }
}

TEST(Claims, JoiningColumnsEqualsTheCubesExtension) {
  std::mt19937_64 rng(2);
  for (int round = 0; round < 200; ++round) {
    Config config;
    config.columns.resize(1 + rng() % 9);
    for (Column& c : config.columns) c.log_size = static_cast<std::uint8_t>(rng() % 6);
    const Layout layout = make_layout(config);
    const auto point = random_point(layout.log_cells, rng);
    const auto eq = field::eq_table(point);
    ColumnClaim expected;
    for (const Fp3& weight : eq) expected.denominator += weight;
    std::vector<ColumnClaim> claims(config.columns.size());
    for (std::size_t j = 0; j < claims.size(); ++j) {
      const auto low = field::eq_table(std::span(point).first(config.columns[j].log_size));
      for (std::size_t x = 0; x < low.size(); ++x) {
        const Fp3 n = field::random_element(rng);
        const Fp3 d = field::random_element(rng);
        claims[j].numerator += low[x] * n;
        claims[j].denominator += low[x] * d;
        expected.numerator += eq[layout.offsets[j] + x] * n;
        expected.denominator += eq[layout.offsets[j] + x] * (d - kOne3);
      }
    }
    ASSERT_EQ(join_columns(config, layout, point, claims), expected) << round;
  }
}

}  // namespace
}  // namespace avow::lookup
