// SPDX-License-Identifier: Apache-2.0
#include "prover/dense.hpp"

#include <algorithm>
#include <cstring>

#include "base/threads.hpp"

namespace avow::prover {

using field::CellType;
using statement::TensorPiece;

namespace {

constexpr std::size_t kTile = 64;  // rows and columns that are moved together

// Columns of `rows` cells, one behind the other, to rows.
template <typename Cell>
void interleave(const Cell* from, Cell* to, std::size_t rows, std::size_t columns) {
  base::parallel_for((rows + kTile - 1) / kTile, 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin * kTile; row < std::min(rows, end * kTile); row += kTile) {
      const std::size_t last_row = std::min(rows, row + kTile);
      for (std::size_t column = 0; column < columns; column += kTile) {
        const std::size_t last_column = std::min(columns, column + kTile);
        for (std::size_t r = row; r < last_row; ++r) {
          for (std::size_t c = column; c < last_column; ++c) to[r * columns + c] = from[c * rows + r];
        }
      }
    }
  });
}

Array interleaved(const Array& columns, std::size_t rows) {
  Array result = Array::make(columns.type(), columns.size());
  const std::size_t count = columns.size() / rows;
  const auto move = [&]<typename Cell>(Cell* to) {
    interleave(static_cast<const Cell*>(columns.data()), to, rows, count);
  };
  switch (columns.type()) {
    case CellType::kInt8:
      move(static_cast<std::uint8_t*>(result.data()));
      break;
    case CellType::kInt16:
      move(static_cast<std::uint16_t*>(result.data()));
      break;
    case CellType::kInt32:
      move(static_cast<std::uint32_t*>(result.data()));
      break;
    case CellType::kFp:
      move(static_cast<std::uint64_t*>(result.data()));
      break;
  }
  return result;
}

}  // namespace

std::vector<field::MatrixView> DenseCells::views(const reduction::DenseLayout& layout) const {
  std::vector<field::MatrixView> views;
  for (std::size_t g = 0; g < groups.size(); ++g)
    views.push_back(groups[g].view(std::size_t{1} << layout.log_groups[g]));
  return views;
}

DenseCells make_dense(const reduction::DenseLayout& layout, const statement::Statement& statement,
                      std::span<const std::uint64_t> lengths, std::uint32_t log_rows,
                      const std::vector<const Array*>& arrays) {
  const auto group_of = [&](const TensorPiece& piece) {
    return static_cast<std::size_t>(
        std::upper_bound(layout.group_offsets.begin(), layout.group_offsets.end(), piece.offset) -
        layout.group_offsets.begin() - 1);
  };
  std::vector<CellType> types(layout.log_groups.size(), CellType::kInt8);
  for (const TensorPiece& piece : layout.pieces) {
    CellType& type = types[group_of(piece)];
    type = std::max(type, arrays[piece.tensor]->type());
  }
  DenseCells dense;
  for (std::size_t g = 0; g < types.size(); ++g) {
    const std::size_t size = std::size_t{1} << (layout.log_groups[g] + log_rows);
    Array& group = dense.groups.emplace_back(Array::make(types[g], size));
    // Zeros are needed only beyond the last piece.
    const std::size_t used = std::min<std::size_t>(size, layout.cells - layout.group_offsets[g]);
    const std::size_t bytes = field::cell_bytes(types[g]);
    std::memset(static_cast<std::uint8_t*>(group.data()) + used * bytes, 0, (size - used) * bytes);
  }
  for (const TensorPiece& piece : layout.pieces) {
    std::vector<std::uint64_t> shape, offsets, sizes;
    const auto& axes = statement.tensors[piece.tensor].axes;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      shape.push_back(lengths[axes[i]]);
      offsets.push_back(piece.axes[i].offset);
      sizes.push_back(std::uint64_t{1} << piece.axes[i].log_size);
    }
    Array& group = dense.groups[group_of(piece)];
    copy_box(*arrays[piece.tensor], {shape, offsets, sizes}, group.type(), group.data(),
             piece.offset - layout.group_offsets[group_of(piece)]);
  }
  for (std::size_t g = 0; g < types.size(); ++g) {
    if (layout.log_groups[g] != 0) dense.groups[g] = interleaved(dense.groups[g], std::size_t{1} << log_rows);
  }
  return dense;
}

}  // namespace avow::prover
