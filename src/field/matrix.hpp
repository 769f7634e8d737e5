// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "field/extension.hpp"

namespace avow::field {

/// How the cells of a matrix are stored. Integers stand for themselves modulo p.
enum class CellType : std::uint8_t { kInt8, kInt16, kInt32, kFp };

/// Bytes of a cell.
[[nodiscard]] constexpr std::size_t cell_bytes(CellType type) noexcept {
  switch (type) {
    case CellType::kInt8:
      return 1;
    case CellType::kInt16:
      return 2;
    case CellType::kInt32:
      return 4;
    case CellType::kFp:
      return 8;
  }
  return 0;
}

/// A row-major matrix [row, column] that belongs to somebody else, without a copy as field elements.
struct MatrixView {
  CellType type = CellType::kFp;
  const void* data = nullptr;
  std::size_t rows = 0;
  std::size_t cols = 0;

  static MatrixView of(std::span<const std::int8_t> cells, std::size_t cols) {
    return {CellType::kInt8, cells.data(), cells.size() / cols, cols};
  }
  static MatrixView of(std::span<const std::int16_t> cells, std::size_t cols) {
    return {CellType::kInt16, cells.data(), cells.size() / cols, cols};
  }
  static MatrixView of(std::span<const std::int32_t> cells, std::size_t cols) {
    return {CellType::kInt32, cells.data(), cells.size() / cols, cols};
  }
  static MatrixView of(std::span<const Fp> cells, std::size_t cols) {
    return {CellType::kFp, cells.data(), cells.size() / cols, cols};
  }
  /// Extension elements are three base columns each.
  static MatrixView of(std::span<const Fp3> cells, std::size_t cols) {
    return {CellType::kFp, cells.data(), cells.size() / cols, 3 * cols};
  }

  /// The cell as a field element; for tests and small work.
  [[nodiscard]] Fp at(std::size_t row, std::size_t col) const noexcept {
    const std::size_t i = row * cols + col;
    switch (type) {
      case CellType::kInt8:
        return Fp::from_int(static_cast<const std::int8_t*>(data)[i]);
      case CellType::kInt16:
        return Fp::from_int(static_cast<const std::int16_t*>(data)[i]);
      case CellType::kInt32:
        return Fp::from_int(static_cast<const std::int32_t*>(data)[i]);
      case CellType::kFp:
        return static_cast<const Fp*>(data)[i];
    }
    return {};
  }
};

static_assert(sizeof(Fp) == 8 && sizeof(Fp3) == 24, "matrices of elements are read as 64-bit words");

}  // namespace avow::field
