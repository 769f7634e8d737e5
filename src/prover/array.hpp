// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/buffer.hpp"
#include "field/matrix.hpp"

namespace avow::prover {

/// The cells of a tensor, row-major, in the narrowest type that holds them all: its own memory, or somebody else's.
class Array {
 public:
  Array() = default;
  /// Values in (-p/2, p/2).
  [[nodiscard]] static Array of(std::span<const std::int64_t> cells);
  [[nodiscard]] static Array of(std::span<const field::Fp> cells);
  /// Cells that must outlive the array.
  [[nodiscard]] static Array borrow(const field::MatrixView& cells);
  [[nodiscard]] static Array borrow(const Array& cells);
  /// Unspecified cells of this type.
  [[nodiscard]] static Array make(field::CellType type, std::size_t size);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] field::CellType type() const noexcept { return type_; }
  [[nodiscard]] const void* data() const noexcept { return data_; }
  [[nodiscard]] void* data() noexcept { return memory_.data(); }
  /// Of its own memory.
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_.size(); }
  /// The largest absolute value, or a bound on it.
  [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }
  /// The cell's representative in (-p/2, p/2).
  [[nodiscard]] std::int64_t at(std::size_t i) const noexcept;
  /// As a matrix of `cols` columns, which divide the size.
  [[nodiscard]] field::MatrixView view(std::size_t cols) const noexcept { return {type_, data_, size_ / cols, cols}; }

 private:
  field::CellType type_ = field::CellType::kInt8;
  std::size_t size_ = 0;
  std::uint64_t largest_ = 0;
  const void* data_ = nullptr;
  base::Buffer<std::uint8_t> memory_;
};

/// x as the representative in (-p/2, p/2).
[[nodiscard]] std::int64_t centred(field::Fp x) noexcept;

/// Converts n cells from one type to another that holds them.
void convert(field::CellType from, const void* source, field::CellType to, void* target, std::size_t n);

/// The cells source[offset_i + x_i] for all x with x_i < sizes_i, row-major, into `target` from its cell `first` on.
/// source has shape `shape`; target's type holds its values.
struct Box {
  std::span<const std::uint64_t> shape;
  std::span<const std::uint64_t> offsets;
  std::span<const std::uint64_t> sizes;
};
void copy_box(const Array& source, const Box& box, field::CellType to, void* target, std::size_t first);

}  // namespace avow::prover
