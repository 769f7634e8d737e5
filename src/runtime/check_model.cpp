// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "runtime/runtime.hpp"

namespace avow::runtime {
namespace {

using compile::IntegerModel;
using compile::ModelTensor;

MaybeError check_cells(const IntegerModel& model) {
  for (std::size_t i = 0; i < compile::kModelTensors; ++i) {
    const auto tensor = static_cast<ModelTensor>(i);
    const compile::Cells& cells = model.of(tensor);
    const std::uint64_t expected = compile::cells_of(model.plan, tensor);
    const std::size_t got = compile::is_wide(tensor) ? cells.wide.size() : cells.narrow.size();
    if (got == expected && cells.size() == expected) continue;
    return Error{Cause::kCells, fmt::format("{} has {} cells, not {} of {} bits", compile::name_of(tensor),
                                            cells.size(), expected, compile::is_wide(tensor) ? 32 : 16)};
  }
  return std::nullopt;
}

MaybeError check_range(const IntegerModel& model, ModelTensor tensor, std::int64_t least, std::int64_t largest) {
  const compile::Cells& cells = model.of(tensor);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] >= least && cells[i] <= largest) continue;
    return Error{Cause::kTable,
                 fmt::format("{}[{}] is {}, not {} to {}", compile::name_of(tensor), i, cells[i], least, largest)};
  }
  return std::nullopt;
}

MaybeError check_cell(const IntegerModel& model, ModelTensor tensor, std::size_t i, std::int64_t expected) {
  if (model.of(tensor)[i] == expected) return std::nullopt;
  return Error{Cause::kTable,
               fmt::format("{}[{}] is {}, not {}", compile::name_of(tensor), i, model.of(tensor)[i], expected)};
}

// What the runtime's arithmetic relies on. An exponential is at most that of distance 0, 2^14, so that denominators are
// at most context 2^14; a weight of the selection is below 2^16.
MaybeError check_tables(const IntegerModel& model) {
  for (const ModelTensor tensor :
       {ModelTensor::kExpValues, ModelTensor::kRootValues, ModelTensor::kRootSlopes, ModelTensor::kWeightValues}) {
    const auto [least, largest] = range_of(tensor);
    if (auto error = check_range(model, tensor, least, largest)) return error;
  }
  if (auto error = check_cell(model, ModelTensor::kExpValues, 0, 1 << 14)) return error;
  if (auto error = check_cell(model, ModelTensor::kWeightValues, 0, (1 << 16) - 1)) return error;
  if (auto error = check_cell(model, ModelTensor::kWeightValues, compile::kDistanceSteps - 1, 0)) return error;
  for (std::size_t i = 0; i < 512; ++i) {
    if (auto error = check_cell(model, ModelTensor::kFoundValues, i, i == 0 ? 0 : 1)) return error;
  }
  return std::nullopt;
}

}  // namespace

MaybeError check_model(const IntegerModel& model) {
  if (const auto problem = compile::check_plan(model.plan)) return Error{Cause::kPlan, *problem};
  if (auto error = check_cells(model)) return error;
  return check_tables(model);
}

}  // namespace avow::runtime
