// SPDX-License-Identifier: Apache-2.0
#include "runtime/recorder.hpp"

#include <algorithm>
#include <utility>

namespace avow::runtime {

WitnessCells Recorder::make_cells(CellType type, std::size_t size) {
  switch (type) {
    case CellType::kNone:
      break;
    case CellType::kU8:
      return std::vector<std::uint8_t>(size);
    case CellType::kS16:
      return std::vector<std::int16_t>(size);
    case CellType::kU16:
      return std::vector<std::uint16_t>(size);
    case CellType::kS32:
      return std::vector<std::int32_t>(size);
    case CellType::kU32:
      return std::vector<std::uint32_t>(size);
  }
  return {};
}

void Recorder::copy_request(std::size_t from, std::size_t to) {
  AVOW_CHECK(from < requests_ && to < requests_);
  for (std::size_t s = 0; s < kSlots; ++s) {
    const std::size_t size = specs_[s].size();
    const auto copy = [&](auto& cells) {
      if (!cells.empty()) std::copy_n(cells.data() + from * size, size, cells.data() + to * size);
    };
    std::visit(copy, cells_[s]);
    for (auto& digits : digits_[s]) std::visit(copy, digits);
  }
}

std::map<std::string, WitnessTensor> Recorder::take() {
  std::map<std::string, WitnessTensor> out;
  for (std::size_t s = 0; s < kSlots; ++s) {
    std::vector<std::uint64_t> shape = {requests_};
    shape.insert(shape.end(), specs_[s].shape.begin(), specs_[s].shape.end());
    const std::string name = name_of(static_cast<Slot>(s));
    if (specs_[s].cells != CellType::kNone) out[name] = {shape, std::exchange(cells_[s], {})};
    for (std::size_t d = 0; d < digits_[s].size(); ++d) {
      out[name + ".digit_" + std::to_string(d + 1)] = {shape, std::move(digits_[s][d])};
    }
    digits_[s].clear();
  }
  return out;
}

}  // namespace avow::runtime
