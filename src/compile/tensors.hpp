// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "compile/cell_vector.hpp"
#include "compile/plan.hpp"

namespace avow::compile {

/// The tensors of an integer model, in the order of spec/integer_models.md section 2.
enum class ModelTensor : std::uint8_t {
  kEmbedding,
  kPosition,
  kQueryWeights,
  kKeyWeights,
  kValueWeights,
  kQueryBias,
  kKeyBias,
  kValueBias,
  kOutputWeights,
  kOutputBias,
  kGateWeights,
  kUpWeights,
  kUpBias,
  kDownWeights,
  kDownBias,
  kHeadWeights,
  kHeadGain,
  kHeadBias,
  kEmbeddingMean,
  kRotation,
  kActValues,
  kExpValues,
  kRootValues,
  kRootSlopes,
  kFoundValues,
  kWeightValues,
};
inline constexpr std::size_t kModelTensors = static_cast<std::size_t>(ModelTensor::kWeightValues) + 1;

[[nodiscard]] std::string_view name_of(ModelTensor tensor);
/// The lengths of its axes; empty if the plan's model has no such tensor.
[[nodiscard]] std::vector<std::uint64_t> shape_of(const Plan& plan, ModelTensor tensor);
[[nodiscard]] inline bool has(const Plan& plan, ModelTensor tensor) { return !shape_of(plan, tensor).empty(); }
/// The product of the lengths; 0 if there is none.
[[nodiscard]] std::uint64_t cells_of(const Plan& plan, ModelTensor tensor);
/// Whether its cells need 32 bits; the others have 16.
[[nodiscard]] bool is_wide(ModelTensor tensor);

/// The smallest and the largest value that a cell of it may have.
struct CellRange {
  std::int64_t least, largest;
};
[[nodiscard]] CellRange range_of(ModelTensor tensor);

/// The cells of one tensor: narrow or wide, the other is empty.
struct Cells {
  CellVector<std::int16_t> narrow;
  CellVector<std::int32_t> wide;

  [[nodiscard]] std::size_t size() const noexcept { return narrow.size() + wide.size(); }
  [[nodiscard]] std::int64_t operator[](std::size_t i) const noexcept { return narrow.empty() ? wide[i] : narrow[i]; }
  friend bool operator==(const Cells&, const Cells&) = default;
};

/// A model that is exact.
struct IntegerModel {
  Plan plan;
  std::array<Cells, kModelTensors> cells;  ///< by ModelTensor, row-major; empty if the plan has no such tensor

  [[nodiscard]] const Cells& of(ModelTensor tensor) const noexcept { return cells[static_cast<std::size_t>(tensor)]; }
  [[nodiscard]] Cells& of(ModelTensor tensor) noexcept { return cells[static_cast<std::size_t>(tensor)]; }
};

}  // namespace avow::compile
