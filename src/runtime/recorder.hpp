// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/check.hpp"
#include "compile/instance.hpp"
#include "runtime/slots.hpp"

namespace avow::runtime {

/// Cells of the narrowest type that holds them.
using WitnessCells = std::variant<std::vector<std::uint8_t>, std::vector<std::int16_t>, std::vector<std::uint16_t>,
                                  std::vector<std::int32_t>, std::vector<std::uint32_t>>;

/// A committed tensor: the lengths of its axes, and its cells row-major.
struct WitnessTensor {
  std::vector<std::uint64_t> shape;
  WitnessCells cells;

  [[nodiscard]] std::size_t size() const {
    return std::visit([](const auto& c) { return c.size(); }, cells);
  }
  [[nodiscard]] std::int64_t operator[](std::size_t i) const {
    return std::visit([i](const auto& c) { return std::int64_t{c[i]}; }, cells);
  }
};

/// Where in a slot numbers are: they fill the features from `feature` on.
struct Place {
  std::size_t layer = 0, head = 0, place = 0, feature = 0;
};

/// Takes numbers down as runs compute them, one request's after another's. Numbers that are not committed are passed
/// over, cells that nothing is put into are 0. Threads may put into different places at once.
class Recorder {
 public:
  Recorder(const compile::Plan& plan, const compile::Lengths& lengths)
      : requests_(lengths.requests),
        digit_bits_(plan.digit_bits),
        specs_(make_slots(plan, lengths.tokens, lengths.steps)) {
    for (std::size_t s = 0; s < kSlots; ++s) {
      cells_[s] = make_cells(specs_[s].cells, requests_ * specs_[s].size());
      for (unsigned from = digit_bits_; from < specs_[s].digit_bits; from += digit_bits_) {
        const CellType type = std::min(digit_bits_, specs_[s].digit_bits - from) > 16 ? CellType::kU32 : CellType::kU16;
        digits_[s].push_back(make_cells(type, requests_ * specs_[s].size()));
      }
    }
  }

  /// What is put from here on is the request's; the first is 0.
  void begin_request(std::size_t request) noexcept { request_ = request; }
  /// Everything that was put for a request is another's, too.
  void copy_request(std::size_t from, std::size_t to);

  /// The numbers themselves.
  template <typename T>
  void put(Slot slot, const Place& at, std::span<const T> numbers) {
    const auto s = static_cast<std::size_t>(slot);
    if (specs_[s].cells == CellType::kNone) return;
    const std::size_t begin = offset(specs_[s], at, numbers.size());
    std::visit(
        [&]<typename C>(std::vector<C>& cells) {
          for (std::size_t i = 0; i < numbers.size(); ++i) cells[begin + i] = static_cast<C>(numbers[i]);
        },
        cells_[s]);
  }
  void put(Slot slot, const Place& at, std::int64_t number) {
    put(slot, at, std::span<const std::int64_t>(&number, 1));
  }

  /// The digits of numbers, which are not negative, but the lowest.
  void put_digits(Slot slot, const Place& at, std::span<const std::int64_t> numbers) {
    const auto s = static_cast<std::size_t>(slot);
    if (digits_[s].empty()) return;
    const std::size_t begin = offset(specs_[s], at, numbers.size());
    const std::int64_t mask = (std::int64_t{1} << digit_bits_) - 1;
    for (std::size_t d = 0; d < digits_[s].size(); ++d) {
      const std::size_t shift = digit_bits_ * (d + 1);
      std::visit(
          [&]<typename C>(std::vector<C>& cells) {
            for (std::size_t i = 0; i < numbers.size(); ++i) {
              cells[begin + i] = static_cast<C>((numbers[i] >> shift) & mask);
            }
          },
          digits_[s][d]);
    }
  }
  void put_digits(Slot slot, const Place& at, std::int64_t number) {
    put_digits(slot, at, std::span<const std::int64_t>(&number, 1));
  }
  /// Whether put_digits does anything.
  [[nodiscard]] bool has_digits(Slot slot) const noexcept { return !digits_[static_cast<std::size_t>(slot)].empty(); }

  /// What was recorded, by name; requests are the first axis. The recorder is empty then.
  [[nodiscard]] std::map<std::string, WitnessTensor> take();

 private:
  static WitnessCells make_cells(CellType type, std::size_t size);
  [[nodiscard]] std::size_t offset(const SlotSpec& spec, const Place& at, std::size_t count) const {
    AVOW_DCHECK(at.layer < spec.layers && at.head < spec.heads && at.place < spec.places &&
                at.feature + count <= spec.features);
    (void)count;
    return (((request_ * spec.layers + at.layer) * spec.heads + at.head) * spec.places + at.place) * spec.features +
           at.feature;
  }

  std::size_t requests_, request_ = 0;
  unsigned digit_bits_;
  std::array<SlotSpec, kSlots> specs_;
  std::array<WitnessCells, kSlots> cells_;
  std::array<std::vector<WitnessCells>, kSlots> digits_;  ///< digits 1, 2, ..
};

}  // namespace avow::runtime
