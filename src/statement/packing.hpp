// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "field/factor.hpp"

/// Dyadic packing: tensors of any lengths in one dense vector without padding (spec/statement.md, section 7).
namespace avow::statement {

/// The places [offset, offset + 2^log_size) of an axis; 2^log_size divides offset.
struct AxisPiece {
  std::uint64_t offset = 0;
  std::uint32_t log_size = 0;
  friend bool operator==(const AxisPiece&, const AxisPiece&) = default;
};
/// [0, length) cut into one piece for each binary digit of length, largest first. 768 = 512 + 256.
[[nodiscard]] std::vector<AxisPiece> axis_pieces(std::uint64_t length);

/// A product of axis pieces of one tensor, and where its 2^log_size cells lie in the dense vector: row-major, the last
/// axis in the lowest bits. 2^log_size divides offset.
struct TensorPiece {
  std::uint32_t tensor = 0;
  std::vector<AxisPiece> axes;
  std::uint32_t log_size = 0;
  std::uint64_t offset = 0;
  friend bool operator==(const TensorPiece&, const TensorPiece&) = default;
};

/// All pieces of tensors of the given shapes, in the order of the dense vector, which they fill without a gap: larger
/// ones first, then in order of tensors, then of the pieces of the first axis, of the second, and so on. Every shape's
/// cells, and their sum, are below 2^48.
struct Packing {
  std::vector<TensorPiece> pieces;
  std::uint64_t cells = 0;
};
[[nodiscard]] Packing pack(std::span<const std::vector<std::uint64_t>> shapes);

/// Where a cell of the piece's tensor lies in the dense vector. index lies in the piece.
[[nodiscard]] std::uint64_t dense_index(const TensorPiece& piece, std::span<const std::uint64_t> index);

/// coefficient * product-form weight on the aligned sub-cube [offset, offset + 2^factors.size()) of the dense vector,
/// lowest bit first.
struct DenseWeight {
  std::uint64_t offset = 0;
  field::Fp3 coefficient;
  std::vector<field::Factor> factors;
};
/// The part that falls on the piece of a weight on its tensor, given by a factor for each bit of each axis's places,
/// lowest first (field::eq_factor(r) for an evaluation at r). A claim on the tensor is the sum of these over its
/// pieces.
[[nodiscard]] DenseWeight piece_weight(const TensorPiece& piece, std::span<const std::vector<field::Factor>> axes);

}  // namespace avow::statement
