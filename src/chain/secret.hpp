// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/bytes.hpp"

namespace avow::chain {

/// Overwrites the bytes; the compiler does not take that away.
void wipe(void* bytes, std::size_t size) noexcept;

/// Bytes that nobody shall find in memory after their use: overwritten at the end, not copied. Of a fixed size, as
/// growth would leave a copy behind.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size) : bytes_(size) {}
  explicit Secret(base::ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
  explicit Secret(std::string_view text) : bytes_(text.begin(), text.end()) {}
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    bytes_.swap(other.bytes_);
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(bytes_.data(), bytes_.size()); }

  [[nodiscard]] std::uint8_t* data() noexcept { return bytes_.data(); }
  [[nodiscard]] base::ByteView view() const noexcept { return bytes_; }
  [[nodiscard]] std::string_view text() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

 private:
  base::Bytes bytes_;
};

}  // namespace avow::chain
