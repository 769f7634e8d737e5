// SPDX-License-Identifier: Apache-2.0
#include "prover/array.hpp"

#include <gtest/gtest.h>

#include <random>

#include "prover/kernels.hpp"

namespace avow::prover {
namespace {

using field::CellType;
using field::Fp;
using Cells = std::vector<std::int64_t>;

constexpr std::int64_t kHalf = static_cast<std::int64_t>((field::kP - 1) / 2);

TEST(Array, TakesTheNarrowestType) {
  const auto type_of = [](std::int64_t x) { return Array::of(std::span<const std::int64_t>(Cells{0, x})).type(); };
  EXPECT_EQ(type_of(127), CellType::kInt8);
  EXPECT_EQ(type_of(-127), CellType::kInt8);
  EXPECT_EQ(type_of(128), CellType::kInt16);
  EXPECT_EQ(type_of(-32767), CellType::kInt16);
  EXPECT_EQ(type_of(32768), CellType::kInt32);
  EXPECT_EQ(type_of(std::int64_t{1} << 31), CellType::kFp);
  EXPECT_EQ(type_of(-kHalf), CellType::kFp);
}

TEST(Array, GivesBackEveryCell) {
  std::mt19937_64 rng(1);
  for (const int bits : {3, 8, 15, 31, 62}) {
    Cells cells(1000);
    for (auto& x : cells) x = static_cast<std::int64_t>(rng() >> (64 - bits)) * (rng() % 2 == 0 ? 1 : -1);
    const Array array = Array::of(std::span<const std::int64_t>(cells));
    std::uint64_t largest = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      ASSERT_EQ(array.at(i), cells[i]);
      largest = std::max(largest, static_cast<std::uint64_t>(cells[i] < 0 ? -cells[i] : cells[i]));
    }
    EXPECT_EQ(array.largest(), largest);
    const Array borrowed = Array::borrow(array);
    EXPECT_EQ(borrowed.data(), array.data());
    EXPECT_EQ(borrowed.largest(), largest);
  }
}

TEST(Array, CentresElements) {
  EXPECT_EQ(centred(Fp(0)), 0);
  EXPECT_EQ(centred(-Fp(1)), -1);
  EXPECT_EQ(centred(Fp((field::kP - 1) / 2)), kHalf);
  EXPECT_EQ(centred(Fp((field::kP + 1) / 2)), -kHalf);
}

TEST(Array, CopiesBoxes) {
  std::mt19937_64 rng(2);
  for (int round = 0; round < 50; ++round) {
    const std::vector<std::uint64_t> shape = {1 + rng() % 5, 1 + rng() % 7, 1 + rng() % 9};
    std::vector<std::uint64_t> offsets, sizes;
    for (const auto length : shape) {
      offsets.push_back(rng() % length);
      sizes.push_back(1 + rng() % (length - offsets.back()));
    }
    Cells cells(shape[0] * shape[1] * shape[2]);
    for (auto& x : cells) x = static_cast<std::int64_t>(rng() % 200) - 100;
    const Array array = Array::of(std::span<const std::int64_t>(cells));
    Array out = Array::make(CellType::kFp, 3 + sizes[0] * sizes[1] * sizes[2]);
    copy_box(array, {shape, offsets, sizes}, CellType::kFp, out.data(), 3);
    std::size_t at = 3;
    for (std::uint64_t a = 0; a < sizes[0]; ++a) {
      for (std::uint64_t b = 0; b < sizes[1]; ++b) {
        for (std::uint64_t c = 0; c < sizes[2]; ++c) {
          const std::size_t from = ((offsets[0] + a) * shape[1] + offsets[1] + b) * shape[2] + offsets[2] + c;
          ASSERT_EQ(out.at(at++), cells[from]);
        }
      }
    }
  }
}

TEST(Kernels, DotEqualsItsReference) {
  std::mt19937_64 rng(3);
  for (const std::size_t n : {0u, 1u, 3u, 16u, 17u, 1000u}) {
    std::vector<std::int32_t> a(n), b(n);
    for (auto& x : a) x = static_cast<std::int32_t>(rng());
    for (auto& x : b) x = static_cast<std::int32_t>(rng());
    if (n > 2) a[1] = b[1] = std::numeric_limits<std::int32_t>::min();
    EXPECT_EQ(dot(a.data(), b.data(), n), dot_ref(a.data(), b.data(), n)) << n;
  }
}

}  // namespace
}  // namespace avow::prover
