// SPDX-License-Identifier: Apache-2.0
//
// Large arrays of the C++ library in huge pages. A proof allocates and frees gigabytes of them; in pages of 4 KiB the
// system can spend more time on a million faults, one by one, than the prover on its sums. base::Buffer does the same
// for its own memory, and keeps it. Replacing these functions is a program's right ([replacement.functions]), not a
// library's: hence here, and not under sanitizers, which have their own.
#ifndef AVOW_SANITIZED

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;
// Smaller ones the C library takes from memory that it has, and they are not paged in each time.
constexpr std::size_t kLarge = std::size_t{1} << 23;

void* allocate(std::size_t bytes) noexcept {
  if (bytes < kLarge) return std::malloc(bytes == 0 ? 1 : bytes);
  const std::size_t whole = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  if (whole < bytes) return nullptr;
  void* memory = std::aligned_alloc(kHugePage, whole);
  // A wish, not a need. Not for the part of the last page that nobody asked for.
  if (memory != nullptr) ::madvise(memory, bytes, MADV_HUGEPAGE);
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) {
  void* memory = allocate(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

#endif
