// SPDX-License-Identifier: Apache-2.0
#include "answer_prover/tensors.hpp"

#include <algorithm>
#include <limits>

#include "base/check.hpp"
#include "base/threads.hpp"

namespace avow::answer_prover {

using field::CellType;
using field::MatrixView;
using prover::Array;
using statement::TensorKind;

namespace {

// The cells in a type of the prover's.
template <typename Target, typename Source>
Array converted(const std::vector<Source>& cells, CellType type) {
  Array array = Array::make(type, cells.size());
  auto* out = static_cast<Target*>(array.data());
  base::parallel_for(cells.size(), std::size_t{1} << 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out[i] = static_cast<Target>(cells[i]);
  });
  return array;
}

Array array_of(const std::vector<std::uint8_t>& cells) {
  constexpr std::uint8_t kLargest = std::numeric_limits<std::int8_t>::max();
  const bool narrow = std::all_of(cells.begin(), cells.end(), [](std::uint8_t x) { return x <= kLargest; });
  return narrow ? converted<std::int8_t>(cells, CellType::kInt8) : converted<std::int16_t>(cells, CellType::kInt16);
}
Array array_of(const std::vector<std::uint16_t>& cells) {
  constexpr std::uint16_t kLargest = std::numeric_limits<std::int16_t>::max();
  const bool narrow = std::all_of(cells.begin(), cells.end(), [](std::uint16_t x) { return x <= kLargest; });
  return narrow ? converted<std::int16_t>(cells, CellType::kInt16) : converted<std::int32_t>(cells, CellType::kInt32);
}
Array array_of(const std::vector<std::uint32_t>& cells) {
  const std::vector<std::int64_t> wide(cells.begin(), cells.end());
  return Array::of(std::span<const std::int64_t>(wide));
}
Array array_of(std::span<const std::int16_t> cells) { return Array::borrow(MatrixView::of(cells, 1)); }
Array array_of(std::span<const std::int32_t> cells) { return Array::borrow(MatrixView::of(cells, 1)); }

}  // namespace

std::vector<Array> model_arrays(const statement::Statement& statement, const compile::IntegerModel& model) {
  std::vector<Array> arrays(statement.tensors.size());
  for (std::size_t t = 0; t < arrays.size(); ++t) {
    if (statement.tensors[t].kind != TensorKind::kModel) continue;
    for (std::size_t i = 0; i < compile::kModelTensors; ++i) {
      if (statement.tensors[t].name != compile::name_of(static_cast<compile::ModelTensor>(i))) continue;
      const compile::Cells& cells = model.cells[i];
      arrays[t] = cells.narrow.empty() ? array_of(std::span<const std::int32_t>(cells.wide))
                                       : array_of(std::span<const std::int16_t>(cells.narrow));
    }
    AVOW_CHECK(arrays[t].size() > 0);
  }
  return arrays;
}

std::vector<Array> witness_arrays(const statement::Statement& statement, const runtime::Witness& witness) {
  std::vector<Array> arrays(statement.tensors.size());
  for (std::size_t t = 0; t < arrays.size(); ++t) {
    if (statement.tensors[t].kind != TensorKind::kWitness) continue;
    const auto found = witness.tensors.find(statement.tensors[t].name);
    if (found == witness.tensors.end()) continue;  // multiplicities, which the prover counts
    arrays[t] = std::visit([](const auto& cells) { return array_of(cells); }, found->second.cells);
  }
  return arrays;
}

}  // namespace avow::answer_prover
