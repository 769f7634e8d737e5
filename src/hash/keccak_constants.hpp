// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace avow::hash {

inline constexpr std::size_t kStateLanes = 25;
/// Keccak-256 absorbs 17 of the 25 lanes (136 bytes); the other 8 are the capacity.
inline constexpr std::size_t kRateLanes = 17;
inline constexpr std::size_t kRateBytes = 8 * kRateLanes;
/// Multi-rate padding: the first byte after the message, and the last bit of the block.
inline constexpr std::uint64_t kPadFirst = 0x01;
inline constexpr std::uint64_t kPadLast = std::uint64_t{1} << 63;

/// Longest prefix of a proof of work that leaves the message in one block.
inline constexpr std::size_t kMaxNoncePrefix = 120;

inline constexpr std::size_t kRounds = 24;
/// iota's constants; the test recomputes them from the specification's LFSR.
inline constexpr std::array<std::uint64_t, kRounds> kRoundConstants = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

}  // namespace avow::hash
