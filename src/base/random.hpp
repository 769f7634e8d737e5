// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace avow::base {

/// SplitMix64 (Steele, Lea, Flood 2014): a reproducible stream for benchmarks and synthetic data. Not for secrets.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t operator()() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace avow::base
