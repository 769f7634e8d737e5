// SPDX-License-Identifier: Apache-2.0
#include "prover/contract.hpp"

#include <gtest/gtest.h>

#include <random>

#include "field/factor.hpp"
#include "field/random_testing.hpp"
#include "statement/binding.hpp"

namespace avow::prover {
namespace {

using field::Fp;
using field::kOne3;
using field::random_element;

// The same by loops over every cell.
std::vector<Fp3> contract_naive(const Array& cells, std::span<const std::uint64_t> shape,
                                std::span<const AxisFold> folds) {
  std::size_t kept = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) kept *= folds[i].is_kept ? folds[i].take : 1;
  std::vector<Fp3> result(kept);
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    std::size_t rest = cell;
    std::vector<std::uint64_t> index(shape.size());
    for (std::size_t i = shape.size(); i-- > 0; rest /= shape[i]) index[i] = rest % shape[i];
    std::size_t place = 0;
    Fp3 weight(Fp::from_int(cells.at(cell)));
    bool taken = true;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (folds[i].is_kept) {
        taken = taken && index[i] < folds[i].take;
        place = place * folds[i].take + index[i];
      } else {
        for (std::size_t b = 0; b < folds[i].point.size(); ++b) {
          weight *= ((index[i] >> b) & 1) != 0 ? folds[i].point[b] : kOne3 - folds[i].point[b];
        }
      }
    }
    if (taken) result[place] += weight;
  }
  return result;
}

void expect_same(const std::vector<std::uint64_t>& shape, std::mt19937_64& rng, int bits) {
  std::size_t size = 1;
  for (const auto length : shape) size *= length;
  std::vector<std::int64_t> cells(size);
  for (auto& x : cells) x = static_cast<std::int64_t>(rng() >> (64 - bits)) * (rng() % 2 == 0 ? 1 : -1);
  const Array array = Array::of(std::span<const std::int64_t>(cells));
  std::vector<AxisFold> folds;
  for (const auto length : shape) {
    AxisFold fold;
    fold.is_kept = rng() % 3 == 0;
    fold.take = fold.is_kept ? 1 + rng() % length : 0;
    if (fold.is_kept && rng() % 2 == 0) fold.take = length;
    for (unsigned b = 0; !fold.is_kept && b < statement::log_extent(length); ++b) {
      // Now and then a bit: places and prefixes.
      const auto kind = rng() % 6;
      fold.point.push_back(kind == 0 ? Fp3() : kind == 1 ? kOne3 : random_element(rng));
    }
    folds.push_back(std::move(fold));
  }
  EXPECT_EQ(contract(array, shape, folds), contract_naive(array, shape, folds));
  // Of elements, of which kept axes are kept whole.
  std::vector<Fp3> elements;
  for (const std::int64_t x : cells) elements.emplace_back(Fp::from_int(x));
  for (std::size_t i = 0; i < shape.size(); ++i) folds[i].take = folds[i].is_kept ? shape[i] : 0;
  EXPECT_EQ(contract(std::move(elements), shape, folds), contract_naive(array, shape, folds));
}

TEST(Contract, EqualsLoopsAtManyShapes) {
  std::mt19937_64 rng(1);
  const std::uint64_t lengths[] = {1, 2, 3, 8, 12, 43};
  for (int round = 0; round < 400; ++round) {
    std::vector<std::uint64_t> shape(rng() % 4);
    for (auto& length : shape) length = lengths[rng() % 6];
    const int bits[] = {5, 14, 30, 61};
    expect_same(shape, rng, bits[rng() % 4]);
  }
}

TEST(Contract, EqualsLoopsWhereAxesAreLong) {
  std::mt19937_64 rng(2);
  for (const std::vector<std::uint64_t>& shape :
       {std::vector<std::uint64_t>{8192}, {16384, 2}, {5000}, {3, 12288}, {2, 4096, 3}, {70, 130}}) {
    for (int i = 0; i < 8; ++i) expect_same(shape, rng, 15);
  }
}

}  // namespace
}  // namespace avow::prover
