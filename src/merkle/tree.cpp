// SPDX-License-Identifier: Apache-2.0
#include "merkle/tree.hpp"

#include <bit>

#include "base/check.hpp"
#include "base/threads.hpp"
#include "hash/keccak.hpp"

namespace avow::merkle {
namespace {

// Pairs a task hashes at a time.
constexpr std::size_t kGrain = 4096;

}  // namespace

void build_subtree(std::span<base::Digest> heap, std::size_t top) {
  AVOW_CHECK(std::has_single_bit(heap.size()) && top >= 1 && top < heap.size());
  const std::size_t leaves = heap.size() / 2;
  std::size_t width = std::bit_floor(leaves / std::bit_floor(top));  // leaves below `top`
  std::size_t first = top * width;
  for (; width > 1; width /= 2, first /= 2) {
    base::parallel_for(width / 2, kGrain, [&](std::size_t begin, std::size_t end) {
      hash::keccak256_pairs(&heap[first + 2 * begin], end - begin, &heap[first / 2 + begin]);
    });
  }
}

void build(std::span<base::Digest> heap) { build_subtree(heap, 1); }

}  // namespace avow::merkle
