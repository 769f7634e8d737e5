// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace avow::model {

/// How a tensor's values are stored. The first three are single numbers, little-endian; the others are blocks of values
/// that share scales (quant_blocks.hpp). kOther can be skipped but not read.
enum class TensorType : std::uint8_t {
  kF32,
  kF16,
  kBF16,
  kQ8Zero,
  kQ4Zero,
  kQ4One,
  kQ5Zero,
  kQ5One,
  kQ4K,
  kQ5K,
  kQ6K,
  kOther
};

/// Name of the type as GGUF's tools write it: "Q4_K".
[[nodiscard]] const char* name(TensorType type) noexcept;
/// Values in a block; 1 for single numbers.
[[nodiscard]] std::uint64_t block_values(TensorType type) noexcept;
/// Bytes of a block; 0 for kOther.
[[nodiscard]] std::uint64_t block_bytes(TensorType type) noexcept;

/// A tensor as it lies in a file. The shape is row-major, slowest index first, whatever the file's own order.
struct TensorView {
  std::string name;
  TensorType type;
  std::vector<std::uint64_t> shape;
  base::ByteView bytes;      ///< exactly what type and shape need
  std::uint64_t offset = 0;  ///< of the bytes in the file
  std::uint32_t file = 0;    ///< which of the model's files
};

/// `[3, 4]`.
[[nodiscard]] std::string to_text(const std::vector<std::uint64_t>& shape);

}  // namespace avow::model
