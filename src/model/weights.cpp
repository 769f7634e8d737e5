// SPDX-License-Identifier: Apache-2.0
#include "model/weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "model/quant_blocks.hpp"

namespace avow::model {

using base::Err;
using base::Result;

std::uint64_t Weights::count(Part part) const noexcept { return slots_[static_cast<std::size_t>(part)].size(); }

Shape Weights::shape(Part part) const noexcept {
  AVOW_CHECK(has(part));
  return shapes_[static_cast<std::size_t>(part)];
}

TensorType Weights::stored_type(Part part, std::uint64_t layer) const noexcept {
  AVOW_CHECK(layer < count(part));
  return tensors_[slots_[static_cast<std::size_t>(part)][layer].tensor].type;
}

std::uint64_t Weights::stored_index(const Slot& slot, std::uint64_t index) const noexcept {
  if (slot.order != Order::kHalfSplit) return slot.first + index;
  const std::uint64_t size = config_.head_size, in_head = index % size;
  return slot.first + index - in_head + in_head % 2 * (size / 2) + in_head / 2;
}

// Vectors are short, and stored one may be one of three in a row: it is decoded whole.
void Weights::decode_vector(const Slot& slot, std::span<float> out) const {
  const TensorView& tensor = tensors_[slot.tensor];
  std::vector<float> all(tensor.shape.back());
  dequantise(tensor.type, tensor.bytes, all);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = all[stored_index(slot, i)];
}

void Weights::decode_column(const TensorView& tensor, std::uint64_t column, std::span<float> out) const {
  const std::uint64_t size = block_bytes(tensor.type);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint64_t at = (i * tensor.shape.back() + column) * size;
    dequantise(tensor.type, tensor.bytes.subspan(at, size), out.subspan(i, 1));
  }
}

MaybeError Weights::read_row(Part part, std::uint64_t layer, std::uint64_t row, std::span<float> out) const {
  AVOW_CHECK(layer < count(part));
  const Shape& shape = shapes_[static_cast<std::size_t>(part)];
  AVOW_CHECK(row < shape.rows && out.size() == shape.columns);
  const Slot& slot = slots_[static_cast<std::size_t>(part)][layer];
  const TensorView& tensor = tensors_[slot.tensor];
  std::uint64_t at = 0;
  if (tensor.shape.size() == 1) {
    decode_vector(slot, out);
  } else if (slot.order == Order::kTransposed) {
    decode_column(tensor, slot.first + row, out);
  } else {
    const std::uint64_t size = shape.columns / block_values(tensor.type) * block_bytes(tensor.type);
    at = stored_index(slot, row) * size;
    dequantise(tensor.type, tensor.bytes.subspan(at, size), out);
  }
  const auto bad = std::find_if(out.begin(), out.end(), [](float value) { return !std::isfinite(value); });
  if (bad == out.end()) return std::nullopt;
  return ReadError{Cause::kNotFinite, files_[tensor.file], tensor.offset + at,
                   fmt::format("tensor '{}': value {} of row {} is not finite", tensor.name, bad - out.begin(), row)};
}

Result<std::vector<float>, ReadError> Weights::read(Part part, std::uint64_t layer) const {
  const auto [rows, columns] = shape(part);
  std::vector<float> values(rows * columns);
  for (std::uint64_t row = 0; row < rows; ++row) {
    if (auto error = read_row(part, layer, row, std::span(values).subspan(row * columns, columns))) {
      return Err{std::move(*error)};
    }
  }
  return values;
}

}  // namespace avow::model
