// SPDX-License-Identifier: Apache-2.0
#include "pcs_prover/grind.hpp"

#include <atomic>

#include "base/threads.hpp"
#include "hash/keccak.hpp"

namespace avow::pcs {

std::uint64_t grind(base::ByteView prefix, unsigned bits) {
  if (bits == 0) return 0;
  constexpr std::uint64_t kNone = ~std::uint64_t{0};
  constexpr std::uint64_t kSpan = 1 << 14;
  const std::size_t spans = 16 * base::thread_count();
  for (std::uint64_t begin = 0;; begin += spans * kSpan) {
    std::atomic<std::uint64_t> best{kNone};
    base::parallel_for(spans, 1, [&](std::size_t span, std::size_t) {
      const std::uint64_t first = begin + span * kSpan;
      if (first > best.load(std::memory_order_relaxed)) return;  // cannot hold the smallest any more
      const auto nonce = hash::find_nonce(prefix, bits, first, kSpan);
      if (!nonce) return;
      std::uint64_t seen = best.load();
      while (*nonce < seen && !best.compare_exchange_weak(seen, *nonce)) {
      }
    });
    if (best.load() != kNone) return best.load();
  }
}

}  // namespace avow::pcs
