// SPDX-License-Identifier: Apache-2.0
#include "reduction/dense.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "statement/plan.hpp"

namespace avow::reduction {

using statement::Cause;
using statement::Error;
using statement::TensorKind;

base::Result<DenseLayout, Error> dense_layout(const statement::Statement& statement,
                                              std::span<const std::uint64_t> lengths, TensorKind kind,
                                              std::uint32_t log_rows, std::uint32_t max_log_columns) {
  const auto& tensors = statement.tensors;
  std::vector<std::vector<std::uint64_t>> shapes;
  std::vector<TensorId> ids;
  std::uint64_t cells = 0;  // at most 2^40 + 1 of each of 2^10 tensors
  std::uint64_t pieces = 0;
  for (TensorId id = 0; id < tensors.size(); ++id) {
    if (tensors[id].kind != kind) continue;
    ids.push_back(id);
    auto& shape = shapes.emplace_back();
    std::uint64_t size = 1;
    std::uint64_t product = 1;  // at most 32^8
    for (const statement::AxisId axis : tensors[id].axes) {
      shape.push_back(lengths[axis]);
      size = std::min(statement::saturating_product(size, lengths[axis]), statement::limits::kCells + 1);
      product *= static_cast<std::uint64_t>(std::popcount(lengths[axis]));
    }
    cells += size;
    pieces += product;
    if (cells > std::uint64_t{1} << (log_rows + max_log_columns) || pieces > kMaxPieces) {
      return base::Err{
          Error{Cause::kTooLarge,
                fmt::format("tensor '{}': with it there are {} {} cells in {} pieces, too many for the "
                            "commitment",
                            tensors[id].name, cells, kind == TensorKind::kModel ? "model" : "witness", pieces)}};
    }
  }
  auto packing = statement::pack(shapes);
  DenseLayout layout{std::move(packing.pieces), packing.cells, {}, {}};
  for (auto& piece : layout.pieces) piece.tensor = ids[piece.tensor];
  std::uint64_t offset = 0;
  layout.log_groups = pcs::groups_of((layout.cells + (std::uint64_t{1} << log_rows) - 1) >> log_rows);
  for (const std::uint8_t log_cols : layout.log_groups) {
    layout.group_offsets.push_back(offset);
    offset += std::uint64_t{1} << (log_cols + log_rows);
  }
  return layout;
}

std::size_t pieces_of(const DenseLayout& layout, TensorId tensor) noexcept {
  return static_cast<std::size_t>(std::count_if(layout.pieces.begin(), layout.pieces.end(),
                                                [&](const auto& piece) { return piece.tensor == tensor; }));
}

std::uint64_t columns(const DenseLayout& layout) noexcept { return pcs::columns(layout.log_groups); }

pcs::Claim committed_claim(const DenseLayout& layout, std::uint32_t commitment, std::uint32_t log_rows, TensorId tensor,
                           std::span<const statement::Point> point, const Fp3& value) {
  std::vector<std::vector<field::Factor>> factors;
  for (const auto& coordinates : point) {
    auto& list = factors.emplace_back();
    for (const Fp3& r : coordinates) list.push_back(field::eq_factor(r));
  }
  pcs::Claim claim{{}, value};
  for (const auto& piece : layout.pieces) {
    if (piece.tensor != tensor) continue;
    const auto weight = statement::piece_weight(piece, factors);
    if (weight.coefficient == Fp3()) continue;  // the point lies in other pieces alone
    const auto next = std::upper_bound(layout.group_offsets.begin(), layout.group_offsets.end(), weight.offset);
    const auto group = static_cast<std::uint32_t>(next - layout.group_offsets.begin() - 1);
    const std::uint64_t inside = weight.offset - layout.group_offsets[group];
    auto list = weight.factors;
    const std::size_t variables = std::size_t{layout.log_groups[group]} + log_rows;
    for (std::size_t b = list.size(); b < variables; ++b) {
      list.push_back(field::bit_factor(((inside >> b) & 1) != 0));
    }
    // The low bits are the row's; a term has the columns' variables first.
    std::rotate(list.begin(), list.begin() + log_rows, list.end());
    claim.terms.push_back({commitment, group, weight.coefficient, std::move(list)});
  }
  return claim;
}

}  // namespace avow::reduction
