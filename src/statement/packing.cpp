// SPDX-License-Identifier: Apache-2.0
#include "statement/packing.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace avow::statement {

std::vector<AxisPiece> axis_pieces(std::uint64_t length) {
  std::vector<AxisPiece> pieces;
  std::uint64_t offset = 0;
  for (std::uint32_t bit = 64; bit-- > 0;) {
    if (((length >> bit) & 1) == 0) continue;
    pieces.push_back({offset, bit});  // offset is a sum of larger powers of two
    offset += std::uint64_t{1} << bit;
  }
  return pieces;
}

Packing pack(std::span<const std::vector<std::uint64_t>> shapes) {
  Packing packing;
  for (std::uint32_t tensor = 0; tensor < shapes.size(); ++tensor) {
    std::vector<TensorPiece> pieces = {{tensor, {}, 0, 0}};
    for (const std::uint64_t length : shapes[tensor]) {
      std::vector<TensorPiece> next;
      for (const TensorPiece& piece : pieces) {
        for (const AxisPiece& axis : axis_pieces(length)) {
          TensorPiece longer = piece;
          longer.axes.push_back(axis);
          longer.log_size += axis.log_size;
          next.push_back(std::move(longer));
        }
      }
      pieces = std::move(next);
    }
    packing.pieces.insert(packing.pieces.end(), pieces.begin(), pieces.end());
  }
  std::stable_sort(packing.pieces.begin(), packing.pieces.end(),
                   [](const TensorPiece& a, const TensorPiece& b) { return a.log_size > b.log_size; });
  for (TensorPiece& piece : packing.pieces) {
    AVOW_CHECK(piece.log_size < 48);
    piece.offset = packing.cells;  // a sum of multiples of this piece's size
    packing.cells += std::uint64_t{1} << piece.log_size;
  }
  AVOW_CHECK(packing.cells < std::uint64_t{1} << 48);
  return packing;
}

std::uint64_t dense_index(const TensorPiece& piece, std::span<const std::uint64_t> index) {
  std::uint64_t inner = 0;
  for (std::size_t i = 0; i < piece.axes.size(); ++i) {
    const AxisPiece& axis = piece.axes[i];
    AVOW_DCHECK(index[i] >= axis.offset && (index[i] - axis.offset) >> axis.log_size == 0);
    inner = inner << axis.log_size | (index[i] - axis.offset);
  }
  return piece.offset + inner;
}

DenseWeight piece_weight(const TensorPiece& piece, std::span<const std::vector<field::Factor>> axes) {
  AVOW_CHECK(axes.size() == piece.axes.size());
  DenseWeight weight{piece.offset, field::kOne3, {}};
  for (std::size_t i = axes.size(); i-- > 0;) {
    const AxisPiece& axis = piece.axes[i];
    AVOW_CHECK(axes[i].size() >= axis.log_size);
    weight.factors.insert(weight.factors.end(), axes[i].begin(), axes[i].begin() + axis.log_size);
    for (std::size_t b = axis.log_size; b < axes[i].size(); ++b) {
      weight.coefficient *= ((axis.offset >> b) & 1) != 0 ? axes[i][b].at1 : axes[i][b].at0;
    }
  }
  return weight;
}

}  // namespace avow::statement
