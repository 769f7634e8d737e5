// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include "base/bytes.hpp"

namespace avow::answer {

/// Reads bytes forward. What is not there reads as zeros, and is_short() says so from then on.
class ByteReader {
 public:
  explicit ByteReader(base::ByteView bytes) : rest_(bytes) {}

  /// Empty if there are not so many.
  base::ByteView bytes(std::size_t count) {
    if (count > rest_.size()) {
      is_short_ = true;
      rest_ = {};
      return {};
    }
    const base::ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> result{};
    const base::ByteView taken = bytes(N);
    std::copy(taken.begin(), taken.end(), result.begin());
    return result;
  }
  std::uint32_t number() { return base::load_be32(array<4>().data()); }
  std::uint8_t byte() { return array<1>()[0]; }

  [[nodiscard]] bool is_short() const noexcept { return is_short_; }
  [[nodiscard]] base::ByteView rest() const noexcept { return rest_; }

 private:
  base::ByteView rest_;
  bool is_short_ = false;
};

}  // namespace avow::answer
