// SPDX-License-Identifier: Apache-2.0
#include "statement/packing.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "field/random_testing.hpp"

namespace avow::statement {
namespace {

using field::Factor;
using field::Fp;
using field::Fp3;
using Shape = std::vector<std::uint64_t>;

TEST(AxisPieces, AreTheBinaryDigitsLargestFirstAndAligned) {
  EXPECT_EQ(axis_pieces(1), (std::vector<AxisPiece>{{0, 0}}));
  EXPECT_EQ(axis_pieces(768), (std::vector<AxisPiece>{{0, 9}, {512, 8}}));
  EXPECT_EQ(axis_pieces(43), (std::vector<AxisPiece>{{0, 5}, {32, 3}, {40, 1}, {42, 0}}));
  for (std::uint64_t length = 1; length < 1100; ++length) {
    const auto pieces = axis_pieces(length);
    EXPECT_EQ(pieces.size(), static_cast<std::size_t>(std::popcount(length)));
    std::uint64_t end = 0;
    for (const AxisPiece& piece : pieces) {
      EXPECT_EQ(piece.offset, end);
      EXPECT_EQ(piece.offset % (std::uint64_t{1} << piece.log_size), 0u);
      end += std::uint64_t{1} << piece.log_size;
    }
    EXPECT_EQ(end, length);
  }
}

const std::vector<Shape> kShapes = {{12, 768}, {43}, {}, {3, 1, 43}, {1000, 3}, {8, 4, 2}, {1}, {7, 7, 7}};

bool next(Shape& index, const Shape& shape) {
  for (std::size_t i = index.size(); i-- > 0;) {
    if (++index[i] < shape[i]) return true;
    index[i] = 0;
  }
  return false;
}

bool holds(const TensorPiece& piece, const Shape& index) {
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (index[i] < piece.axes[i].offset || (index[i] - piece.axes[i].offset) >> piece.axes[i].log_size != 0)
      return false;
  }
  return true;
}

TEST(Packing, IsABijectionWithoutPadding) {
  const Packing packing = pack(kShapes);
  std::uint64_t cells = 0;
  for (const Shape& shape : kShapes) {
    std::uint64_t product = 1;
    for (const std::uint64_t length : shape) product *= length;
    cells += product;
  }
  ASSERT_EQ(packing.cells, cells);
  std::uint64_t end = 0;
  for (const TensorPiece& piece : packing.pieces) {
    EXPECT_EQ(piece.offset, end);
    EXPECT_EQ(piece.offset % (std::uint64_t{1} << piece.log_size), 0u);
    end += std::uint64_t{1} << piece.log_size;
  }
  EXPECT_EQ(end, cells);
  std::vector<int> hits(cells);
  for (std::uint32_t tensor = 0; tensor < kShapes.size(); ++tensor) {
    Shape index(kShapes[tensor].size());
    do {
      int pieces = 0;
      for (const TensorPiece& piece : packing.pieces) {
        if (piece.tensor != tensor || !holds(piece, index)) continue;
        ++pieces;
        ++hits[dense_index(piece, index)];
      }
      EXPECT_EQ(pieces, 1);
    } while (next(index, kShapes[tensor]));
  }
  for (const int hit : hits) ASSERT_EQ(hit, 1);
}

// Column groups of 2^m times a power of two cells, largest first: spec/statement.md, section 7.
TEST(Packing, NoPieceStraddlesTwoColumnGroups) {
  const Packing packing = pack(kShapes);
  for (std::uint32_t m = 0; m < 20; ++m) {
    const std::uint64_t columns = ((packing.cells - 1) >> m) + 1;
    std::uint64_t boundary = 0;
    for (const AxisPiece& group : axis_pieces(columns)) {
      boundary += std::uint64_t{1} << (group.log_size + m);
      for (const TensorPiece& piece : packing.pieces) {
        EXPECT_TRUE(piece.offset + (std::uint64_t{1} << piece.log_size) <= boundary || piece.offset >= boundary) << m;
      }
    }
  }
}

TEST(Packing, ClaimsAreSumsOfClaimsOnPieces) {
  std::mt19937_64 rng(11);
  const auto random = [&] { return field::random_element(rng); };
  const Packing packing = pack(kShapes);
  std::vector<Fp> dense(packing.cells);
  for (Fp& cell : dense) cell = Fp(rng());
  for (std::uint32_t tensor = 0; tensor < kShapes.size(); ++tensor) {
    const Shape& shape = kShapes[tensor];
    std::vector<std::vector<Factor>> factors;
    std::vector<std::vector<Fp3>> tables;
    for (const std::uint64_t length : shape) {
      auto& axis = factors.emplace_back();
      for (auto left = length - 1; left != 0; left /= 2) {
        axis.push_back(tensor % 2 == 0 ? field::eq_factor(random()) : Factor{random(), random()});
      }
      tables.push_back(field::tensor_table(axis, field::kOne3));
    }
    Fp3 by_pieces;
    for (const TensorPiece& piece : packing.pieces) {
      if (piece.tensor != tensor) continue;
      const DenseWeight weight = piece_weight(piece, factors);
      ASSERT_EQ(weight.factors.size(), piece.log_size);
      const auto table = field::tensor_table(weight.factors, weight.coefficient);
      for (std::size_t i = 0; i < table.size(); ++i) by_pieces += table[i] * dense[weight.offset + i];
    }
    Fp3 by_cells;
    Shape index(shape.size());
    do {
      Fp3 weight = field::kOne3;
      for (std::size_t i = 0; i < shape.size(); ++i) weight *= tables[i][index[i]];
      for (const TensorPiece& piece : packing.pieces) {
        if (piece.tensor == tensor && holds(piece, index)) by_cells += weight * dense[dense_index(piece, index)];
      }
    } while (next(index, shape));
    EXPECT_EQ(by_pieces, by_cells) << tensor;
  }
}

}  // namespace
}  // namespace avow::statement
