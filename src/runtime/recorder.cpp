// SPDX-License-Identifier: Apache-2.0
#include "runtime/recorder.hpp"

#include <utility>

namespace avow::runtime {

WitnessCells Recorder::make_cells(const SlotSpec& spec) {
  switch (spec.cells) {
    case CellType::kNone:
      break;
    case CellType::kU8:
      return std::vector<std::uint8_t>(spec.size());
    case CellType::kS16:
      return std::vector<std::int16_t>(spec.size());
    case CellType::kU16:
      return std::vector<std::uint16_t>(spec.size());
    case CellType::kS32:
      return std::vector<std::int32_t>(spec.size());
    case CellType::kU32:
      return std::vector<std::uint32_t>(spec.size());
  }
  return {};
}

std::map<std::string, WitnessTensor> Recorder::take() {
  std::map<std::string, WitnessTensor> out;
  for (std::size_t s = 0; s < kSlots; ++s) {
    const std::string name = name_of(static_cast<Slot>(s));
    if (specs_[s].cells != CellType::kNone) out[name] = {specs_[s].shape, std::exchange(cells_[s], {})};
    for (std::size_t d = 0; d < digits_[s].size(); ++d) {
      out[name + ".digit_" + std::to_string(d + 1)] = {specs_[s].shape, std::move(digits_[s][d])};
    }
    digits_[s].clear();
  }
  return out;
}

}  // namespace avow::runtime
