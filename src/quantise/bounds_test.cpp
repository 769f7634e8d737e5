// SPDX-License-Identifier: Apache-2.0
#include "quantise/bounds.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "compile/plan.hpp"

namespace avow::quantise {
namespace {

struct Random {
  std::mt19937_64 engine;
  std::vector<std::int16_t> cells(std::size_t count, int largest) {
    std::uniform_int_distribution<int> values(-largest, largest);
    std::vector<std::int16_t> out(count);
    for (auto& cell : out) cell = static_cast<std::int16_t>(values(engine));
    return out;
  }
};

// What power iteration reaches: at most the norm, and close to it.
double reached(const std::vector<std::int16_t>& cells, std::size_t columns) {
  const std::size_t rows = cells.size() / columns;
  std::vector<double> x(columns, 1);
  double length = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<double> y(rows), z(columns);
    for (std::size_t i = 0; i < cells.size(); ++i) y[i / columns] += cells[i] * x[i % columns];
    for (std::size_t i = 0; i < cells.size(); ++i) z[i % columns] += cells[i] * y[i / columns];
    double squares = 0, images = 0;
    for (const double value : z) squares += value * value;
    for (const double value : y) images += value * value;
    double inputs = 0;
    for (const double value : x) inputs += value * value;
    length = std::sqrt(images / inputs);
    for (std::size_t i = 0; i < columns; ++i) x[i] = z[i] / std::sqrt(squares);
  }
  return length;
}

TEST(Bounds, SpectralNormIsNeverExceededAndAlmostReached) {
  Random random{std::mt19937_64(11)};
  const std::pair<std::size_t, std::size_t> shapes[] = {{1, 1},    {1, 40},   {40, 1},   {7, 13},
                                                        {64, 172}, {172, 64}, {300, 280}};
  for (const auto& [rows, columns] : shapes) {
    const auto cells = random.cells(rows * columns, 32767);
    const double bound = spectral_norm(whole({cells, columns})), least = reached(cells, columns);
    EXPECT_GE(bound, least * (1 - 1e-12)) << rows << " x " << columns;
    EXPECT_LE(bound, least * 1.25) << rows << " x " << columns;
  }
}

TEST(Bounds, SpectralNormOfKnownMatrices) {
  // Of rank 1: the product of the lengths, which is the Frobenius norm, too.
  std::vector<std::int16_t> outer;
  for (int r = 1; r <= 20; ++r) {
    for (int c = 1; c <= 30; ++c) outer.push_back(static_cast<std::int16_t>(r * c));
  }
  const double exact = std::sqrt(2870.0 * 9455.0);
  EXPECT_GE(spectral_norm(whole({outer, 30})), exact);
  EXPECT_LE(spectral_norm(whole({outer, 30})), exact * (1 + 1e-6));
  // A diagonal, in which the largest stands out.
  std::vector<std::int16_t> diagonal(50 * 50);
  for (std::size_t i = 0; i < 50; ++i) diagonal[51 * i] = static_cast<std::int16_t>(i == 30 ? -30000 : 20000);
  EXPECT_GE(spectral_norm(whole({diagonal, 50})), 30000);
  EXPECT_LE(spectral_norm(whole({diagonal, 50})), 30000 * (1 + 1e-6));
  EXPECT_EQ(spectral_norm(whole({std::vector<std::int16_t>(100), 10})), 0);
  // Of sizes that powers of the Gram matrix would not survive unscaled.
  const RealMatrix large{{1e100, 0, 0, 1e90}, 2}, small{{1e-100, 0, 0, 1e-90}, 2};
  EXPECT_NEAR(spectral_norm(large) / 1e100, 1, 1e-6);
  EXPECT_NEAR(spectral_norm(small) / 1e-90, 1, 1e-6);
}

TEST(Bounds, PairsAreSpectralNorms) {
  Random random{std::mt19937_64(12)};
  for (int i = 0; i < 50; ++i) {
    const auto cells = random.cells(40, i < 25 ? 32767 : 3);
    const std::span<const std::int16_t> all = cells;
    const double pair = pair_norm(all.first(20), all.last(20));
    const double least = reached(cells, 20);
    EXPECT_GE(pair, least * (1 - 1e-12));
    EXPECT_LE(pair, least * (1 + 1e-3));
    EXPECT_GE(length_of(all), pair);
    EXPECT_GE(pair, length_of(all.first(20)) * (1 - 1e-9));
  }
}

// sqrt(n) g(n) as the specification's section 3 computes it.
double norm_output(const RootTables& tables, std::uint64_t n) {
  std::size_t top = 7;
  while ((n >> (8 * top) & 255) == 0) --top;
  const auto digit = [&](std::size_t below) { return top >= below ? n >> (8 * (top - below)) & 255 : 0; };
  const std::uint64_t row = 256 * digit(0) + digit(1);
  const auto fine = static_cast<std::uint64_t>(256 * std::int64_t{tables.values[row]} -
                                               static_cast<std::int64_t>(digit(2)) * tables.slopes[row]);
  const unsigned __int128 scaled = static_cast<unsigned __int128>(fine) << (4 * (7 - top));
  const auto g = (scaled + (std::uint64_t{1} << (compile::kScaleShift - 1))) >> compile::kScaleShift;
  return std::sqrt(static_cast<double>(n)) * static_cast<double>(g) / (1 << compile::kNormShift);
}

TEST(Bounds, NormsStayBelowTheirBoundAndComeClose) {
  const RootTables tables = root_tables();
  const NormBound bound(tables);
  std::mt19937_64 engine(13);
  for (const double root : {1.0, 300.0, 65536.0, 1.5e6, 3e6, 1e9}) {
    const auto largest = static_cast<std::uint64_t>(root * root);
    const double limit = bound(root);
    double seen = 0;
    const auto look = [&](std::uint64_t n) {
      if (n >= 1 && n <= largest) seen = std::max(seen, norm_output(tables, n));
    };
    for (std::uint64_t n = 1; n < 300000; ++n) look(n);
    for (int i = 0; i < 300000; ++i) look(engine() % largest + 1);
    for (int i = 0; i < 1000; ++i) look(largest - static_cast<std::uint64_t>(i));
    EXPECT_LE(seen, limit) << root;
    EXPECT_GE(seen, limit * 0.95) << root;
  }
  EXPECT_LE(bound(2e6), 32767);
}

}  // namespace
}  // namespace avow::quantise
