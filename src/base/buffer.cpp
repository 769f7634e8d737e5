// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <new>

namespace avow::base {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;

struct Block {
  void* memory;
  std::size_t bytes;
};

// Blocks that were given back, oldest first.
struct Pool {
  std::mutex mutex;
  std::deque<Block> blocks;
  std::size_t bytes = 0;
};
Pool& pool() {
  static Pool instance;
  return instance;
}

void* map(std::size_t bytes) noexcept {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  // A wish, not a need: without it the system uses small pages.
  if (bytes >= 2 * kHugePage) ::madvise(memory, bytes, MADV_HUGEPAGE);
  return memory;
}

// Gives the oldest blocks back to the system until at most `limit` bytes are kept. The pool's mutex is held.
void shrink(Pool& p, std::size_t limit) noexcept {
  while (p.bytes > limit) {
    ::munmap(p.blocks.front().memory, p.blocks.front().bytes);
    p.bytes -= p.blocks.front().bytes;
    p.blocks.pop_front();
  }
}

}  // namespace

void* take_memory(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  const auto it = std::find_if(p.blocks.begin(), p.blocks.end(), [&](const Block& b) { return b.bytes == bytes; });
  if (it != p.blocks.end()) {
    void* memory = it->memory;
    p.bytes -= bytes;
    p.blocks.erase(it);
    return memory;
  }
  void* memory = map(bytes);
  if (memory == nullptr) {
    shrink(p, 0);
    memory = map(bytes);
  }
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void give_memory_back(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  if (bytes > kKeptMemory) {
    ::munmap(memory, bytes);
    return;
  }
  shrink(p, kKeptMemory - bytes);
  p.blocks.push_back({memory, bytes});
  p.bytes += bytes;
}

}  // namespace avow::base
