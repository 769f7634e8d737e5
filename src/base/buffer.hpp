// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace avow::base {

/// Most bytes that are given back and kept.
inline constexpr std::size_t kKeptMemory = std::size_t{1} << 30;

/// Memory for large arrays, in huge pages where the system offers them; throws std::bad_alloc if there is none. nullptr
/// for 0 bytes. What is given back is kept, up to a limit, and handed out again to whoever asks for the same size:
/// paging in fresh gigabytes for every proof would cost as much as some of its transforms. Contents are unspecified.
[[nodiscard]] void* take_memory(std::size_t bytes);
void give_memory_back(void* memory, std::size_t bytes) noexcept;

/// A large array with unspecified contents.
template <typename T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : data_(static_cast<T*>(take_memory(size * sizeof(T)))), size_(size) {}
  ~Buffer() { give_memory_back(data_, size_ * sizeof(T)); }
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] T* data() noexcept { return data_; }
  [[nodiscard]] const T* data() const noexcept { return data_; }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  operator std::span<T>() noexcept { return {data_, size_}; }              // NOLINT(google-explicit-constructor)
  operator std::span<const T>() const noexcept { return {data_, size_}; }  // NOLINT(google-explicit-constructor)

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace avow::base
