// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pcs/claim.hpp"
#include "reduction/evaluate.hpp"
#include "statement/packing.hpp"

namespace avow::reduction {

/// How the committed tensors of one kind lie in the columns of a commitment (spec/statement.md, section 7).
struct DenseLayout {
  std::vector<statement::TensorPiece> pieces;  ///< of all tensors, `tensor` being a tensor of the statement
  std::uint64_t cells = 0;                     ///< the cells that are not padding at the end
  std::vector<std::uint8_t> log_groups;        ///< of columns of 2^log_rows; empty if there are no cells
  std::vector<std::uint64_t> group_offsets;    ///< first cell of each group
};
/// Most weights of an opening: a piece for each claim on its tensor.
inline constexpr std::size_t kMaxWeights = 4096;
/// Most pieces that the tensors of one kind may be cut into.
inline constexpr std::uint64_t kMaxPieces = kMaxWeights;
/// lengths: of every axis of the statement; kind: kModel or kWitness. Refused: statement.too_large for more than
/// 2^max_log_columns columns, or than kMaxPieces.
[[nodiscard]] base::Result<DenseLayout, statement::Error> dense_layout(const statement::Statement& statement,
                                                                       std::span<const std::uint64_t> lengths,
                                                                       statement::TensorKind kind,
                                                                       std::uint32_t log_rows,
                                                                       std::uint32_t max_log_columns);
/// Pieces of one tensor.
[[nodiscard]] std::size_t pieces_of(const DenseLayout& layout, TensorId tensor) noexcept;
/// Columns of 2^log_rows that a layout takes.
[[nodiscard]] std::uint64_t columns(const DenseLayout& layout) noexcept;

/// The claim tensor~(point) = value about the cells of commitment number `commitment`.
[[nodiscard]] pcs::Claim committed_claim(const DenseLayout& layout, std::uint32_t commitment, std::uint32_t log_rows,
                                         TensorId tensor, std::span<const statement::Point> point, const Fp3& value);

}  // namespace avow::reduction
