// SPDX-License-Identifier: Apache-2.0
//
// For one file of a test's executable, whose operators come before the standard library's.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/bytes.hpp"

namespace avow::chain::testing {

/// For as long as it lives, counts what is freed with these bytes in it: a secret that was not wiped. One at a time.
class FreedMemory {
 public:
  explicit FreedMemory(base::ByteView secret) : secret_(secret) { watching() = this; }
  ~FreedMemory() { watching() = nullptr; }
  FreedMemory(const FreedMemory&) = delete;
  FreedMemory& operator=(const FreedMemory&) = delete;
  [[nodiscard]] std::size_t found() const { return found_; }

  static void release(void* memory) {
    if (memory != nullptr && watching() != nullptr) watching()->look_at(memory);
    std::free(memory);
  }

 private:
  static FreedMemory*& watching() {
    static FreedMemory* the_one = nullptr;
    return the_one;
  }
  void look_at(void* memory) {
    const auto* bytes = static_cast<const std::uint8_t*>(memory);
    const auto* end = bytes + ::malloc_usable_size(memory);
    if (std::search(bytes, end, secret_.begin(), secret_.end()) != end) ++found_;
  }

  base::ByteView secret_;
  std::size_t found_ = 0;
};

}  // namespace avow::chain::testing

// NOLINTBEGIN(misc-definitions-in-headers): as the head says
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept { return std::malloc(size); }
void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { avow::chain::testing::FreedMemory::release(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { ::operator delete(memory); }
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept { ::operator delete(memory); }
// NOLINTEND(misc-definitions-in-headers)
