// SPDX-License-Identifier: Apache-2.0
#include "hash/keccak.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "base/check.hpp"
#include "hash/keccak_constants.hpp"

namespace avow::hash {
namespace {

static_assert(std::endian::native == std::endian::little, "lanes are copied to and from bytes as they lie in memory");

using State = std::array<std::uint64_t, kStateLanes>;

// chi on one row of five lanes, written to e[5y..5y+5).
inline void chi_row(State& e, std::size_t y, std::uint64_t b0, std::uint64_t b1, std::uint64_t b2, std::uint64_t b3,
                    std::uint64_t b4) noexcept {
  e[5 * y] = b0 ^ (~b1 & b2);
  e[5 * y + 1] = b1 ^ (~b2 & b3);
  e[5 * y + 2] = b2 ^ (~b3 & b4);
  e[5 * y + 3] = b3 ^ (~b4 & b0);
  e[5 * y + 4] = b4 ^ (~b0 & b1);
}

// One round of Keccak-f[1600], lane (x, y) at index x + 5y: theta by the column parities d, rho and pi by the choice of
// lane and rotation in each argument, chi by rows, iota at the end.
inline void round(const State& a, State& e, std::uint64_t constant) noexcept {
  using std::rotl;
  const std::uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
  const std::uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
  const std::uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
  const std::uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
  const std::uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
  const std::uint64_t d0 = c4 ^ rotl(c1, 1);
  const std::uint64_t d1 = c0 ^ rotl(c2, 1);
  const std::uint64_t d2 = c1 ^ rotl(c3, 1);
  const std::uint64_t d3 = c2 ^ rotl(c4, 1);
  const std::uint64_t d4 = c3 ^ rotl(c0, 1);
  chi_row(e, 0, a[0] ^ d0, rotl(a[6] ^ d1, 44), rotl(a[12] ^ d2, 43), rotl(a[18] ^ d3, 21), rotl(a[24] ^ d4, 14));
  chi_row(e, 1, rotl(a[3] ^ d3, 28), rotl(a[9] ^ d4, 20), rotl(a[10] ^ d0, 3), rotl(a[16] ^ d1, 45),
          rotl(a[22] ^ d2, 61));
  chi_row(e, 2, rotl(a[1] ^ d1, 1), rotl(a[7] ^ d2, 6), rotl(a[13] ^ d3, 25), rotl(a[19] ^ d4, 8),
          rotl(a[20] ^ d0, 18));
  chi_row(e, 3, rotl(a[4] ^ d4, 27), rotl(a[5] ^ d0, 36), rotl(a[11] ^ d1, 10), rotl(a[17] ^ d2, 15),
          rotl(a[23] ^ d3, 56));
  chi_row(e, 4, rotl(a[2] ^ d2, 62), rotl(a[8] ^ d3, 55), rotl(a[14] ^ d4, 39), rotl(a[15] ^ d0, 41),
          rotl(a[21] ^ d1, 2));
  e[0] ^= constant;
}

void permute(State& state) noexcept {
  State a = state;
  State e;
  for (std::size_t i = 0; i < kRounds; i += 2) {
    round(a, e, kRoundConstants[i]);
    round(e, a, kRoundConstants[i + 1]);
  }
  state = a;
}

void absorb_block(State& state, const std::uint8_t* block) noexcept {
  for (std::size_t i = 0; i < kRateLanes; ++i) {
    std::uint64_t lane;
    std::memcpy(&lane, block + 8 * i, sizeof lane);
    state[i] ^= lane;
  }
  permute(state);
}

}  // namespace

base::Digest keccak256(base::ByteView message) noexcept {
  State state{};
  while (message.size() >= kRateBytes) {
    absorb_block(state, message.data());
    message = message.subspan(kRateBytes);
  }
  std::array<std::uint8_t, kRateBytes> last{};
  if (!message.empty()) std::memcpy(last.data(), message.data(), message.size());
  last[message.size()] = static_cast<std::uint8_t>(kPadFirst);
  last[kRateBytes - 1] |= static_cast<std::uint8_t>(kPadLast >> 56);
  absorb_block(state, last.data());
  base::Digest digest;
  std::memcpy(digest.data(), state.data(), digest.size());
  return digest;
}

bool has_leading_zeros(const base::Digest& digest, unsigned bits) noexcept {
  AVOW_CHECK(bits <= 64);
  return static_cast<unsigned>(std::countl_zero(base::load_be64(digest.data()))) >= bits;
}

}  // namespace avow::hash
