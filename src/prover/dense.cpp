// SPDX-License-Identifier: Apache-2.0
#include "prover/dense.hpp"

#include <algorithm>
#include <cstring>

namespace avow::prover {

using field::CellType;
using statement::TensorPiece;

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
  return dense;
}

}  // namespace avow::prover
