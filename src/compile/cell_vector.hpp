// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace avow::compile {

/// Cells of a tensor: its own, or such as lie in memory that it only keeps alive, a mapped file's. Reads like a vector;
/// what may change a cell makes all of them its own first. Like a vector, safe for any number of readers.
template <typename T>
class CellVector {
 public:
  CellVector() = default;
  CellVector(std::vector<T> cells) noexcept : own_(std::move(cells)) {}  // NOLINT(google-explicit-constructor)
  /// Cells that last as long as `keeper`, which is not null.
  CellVector(std::span<const T> cells, std::shared_ptr<const void> keeper) noexcept
      : kept_(cells), keeper_(std::move(keeper)) {}

  [[nodiscard]] bool is_own() const noexcept { return keeper_ == nullptr; }
  [[nodiscard]] std::span<const T> cells() const noexcept { return is_own() ? std::span<const T>(own_) : kept_; }
  [[nodiscard]] std::size_t size() const noexcept { return cells().size(); }
  [[nodiscard]] bool empty() const noexcept { return cells().empty(); }
  [[nodiscard]] const T* data() const noexcept { return cells().data(); }
  [[nodiscard]] const T* begin() const noexcept { return data(); }
  [[nodiscard]] const T* end() const noexcept { return data() + size(); }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return cells()[i]; }

  /// The cells as a vector of its own, to change.
  [[nodiscard]] std::vector<T>& own() {
    if (!is_own()) {
      own_.assign(kept_.begin(), kept_.end());
      kept_ = {};
      keeper_.reset();
    }
    return own_;
  }

  friend bool operator==(const CellVector& a, const CellVector& b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::vector<T> own_;
  std::span<const T> kept_;
  std::shared_ptr<const void> keeper_;
};

}  // namespace avow::compile
