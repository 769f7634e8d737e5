// SPDX-License-Identifier: Apache-2.0
#include "compile/check.hpp"

#include <algorithm>

#include "compile/compile.hpp"
#include "statement/analysis.hpp"

namespace avow::compile {
namespace {

template <typename T>
statement::TensorBound bound_of(const CellVector<T>& cells) {
  const auto [least, largest] = std::minmax_element(cells.begin(), cells.end());
  return {*least, *largest};
}

}  // namespace

std::optional<statement::Error> check_no_wrap(const IntegerModel& model) {
  const auto statement = compile(model.plan);
  if (!statement) return statement.error();
  statement::ModelBounds bounds{std::vector<std::optional<statement::TensorBound>>(statement.value().tensors.size())};
  for (std::size_t i = 0; i < kModelTensors; ++i) {
    const ModelTensor tensor{static_cast<std::uint8_t>(i)};
    const Cells& cells = model.of(tensor);
    if (cells.size() == 0) continue;
    const auto& tensors = statement.value().tensors;
    const auto it =
        std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name_of(tensor); });
    bounds.tensors[static_cast<std::size_t>(it - tensors.begin())] =
        cells.wide.empty() ? bound_of(cells.narrow) : bound_of(cells.wide);
  }
  return statement::check_no_wrap(statement.value(), bounds);
}

}  // namespace avow::compile
