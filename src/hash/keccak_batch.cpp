// SPDX-License-Identifier: Apache-2.0

// Keccak-256 of many messages of equal length at once: one message in each 64-bit lane of a vector. Compiled once for
// every instruction set that Highway knows (2 lanes with SSE and NEON, 4 with AVX2, 8 with AVX-512) and chosen when it
// runs. A "state" is 25 vectors; a message word is one vector, "transposed", with word j of message i in its lane i.

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "hash/keccak.hpp"
#include "hash/keccak_constants.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hash/keccak_batch.cpp"
#include <hwy/foreach_target.h>
// highway.h after foreach_target.h.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace avow::hash {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<std::uint64_t>;
using Vec = hn::Vec<Tag>;
constexpr std::size_t kLanes = hn::MaxLanes(Tag());
static_assert(kLanes == 1 || kLanes == 2 || kLanes == 4 || kLanes == 8);

// ---- Keccak-f[1600]

template <int kBits>
HWY_INLINE Vec rotl(Vec v) {
  return hn::RotateRight<64 - kBits>(v);
}

// a ^ (~b & c): one instruction with AVX-512, which compilers do not find by themselves.
HWY_INLINE Vec chi(Vec a, Vec b, Vec c) {
#if HWY_ARCH_X86 && HWY_MAX_BYTES == 64
  return Vec{_mm512_ternarylogic_epi64(a.raw, b.raw, c.raw, 0xd2)};
#else
  return hn::Xor(a, hn::AndNot(b, c));
#endif
}

HWY_INLINE Vec xor5(Vec a, Vec b, Vec c, Vec d, Vec e) { return hn::Xor3(hn::Xor3(a, b, c), d, e); }

// What theta xors to every lane of column 0, 1, .. 4.
struct Theta {
  Vec d0, d1, d2, d3, d4;
};

HWY_INLINE Theta theta(const Vec* HWY_RESTRICT a) {
  const Vec c0 = xor5(a[0], a[5], a[10], a[15], a[20]);
  const Vec c1 = xor5(a[1], a[6], a[11], a[16], a[21]);
  const Vec c2 = xor5(a[2], a[7], a[12], a[17], a[22]);
  const Vec c3 = xor5(a[3], a[8], a[13], a[18], a[23]);
  const Vec c4 = xor5(a[4], a[9], a[14], a[19], a[24]);
  return {hn::Xor(c4, rotl<1>(c1)), hn::Xor(c0, rotl<1>(c2)), hn::Xor(c1, rotl<1>(c3)), hn::Xor(c2, rotl<1>(c4)),
          hn::Xor(c3, rotl<1>(c0))};
}

HWY_INLINE void chi_row(Vec* HWY_RESTRICT e, Vec b0, Vec b1, Vec b2, Vec b3, Vec b4) {
  e[0] = chi(b0, b1, b2);
  e[1] = chi(b1, b2, b3);
  e[2] = chi(b2, b3, b4);
  e[3] = chi(b3, b4, b0);
  e[4] = chi(b4, b0, b1);
}

template <int kBits>
HWY_INLINE Vec rho(Vec a, Vec d) {
  return rotl<kBits>(hn::Xor(a, d));
}

// One round, out of place; lane (x, y) at index x + 5y.
HWY_INLINE void round(const Vec* HWY_RESTRICT a, Vec* HWY_RESTRICT e, std::uint64_t constant) {
  const auto [d0, d1, d2, d3, d4] = theta(a);
  chi_row(e, hn::Xor(a[0], d0), rho<44>(a[6], d1), rho<43>(a[12], d2), rho<21>(a[18], d3), rho<14>(a[24], d4));
  e[0] = hn::Xor(e[0], hn::Set(Tag(), constant));
  chi_row(e + 5, rho<28>(a[3], d3), rho<20>(a[9], d4), rho<3>(a[10], d0), rho<45>(a[16], d1), rho<61>(a[22], d2));
  chi_row(e + 10, rho<1>(a[1], d1), rho<6>(a[7], d2), rho<25>(a[13], d3), rho<8>(a[19], d4), rho<18>(a[20], d0));
  chi_row(e + 15, rho<27>(a[4], d4), rho<36>(a[5], d0), rho<10>(a[11], d1), rho<15>(a[17], d2), rho<56>(a[23], d3));
  chi_row(e + 20, rho<62>(a[2], d2), rho<55>(a[8], d3), rho<39>(a[14], d4), rho<41>(a[15], d0), rho<2>(a[21], d1));
}

// Rounds [0, 2 * kPairs), in place. Two for each turn of the loop: so no lane is ever moved and the code stays small.
// Always inlined, with constant indices only, so that the arrays become registers as far as there are any.
template <std::size_t kPairs>
HWY_INLINE void rounds(Vec* HWY_RESTRICT state) {
  Vec other[kStateLanes];
  for (std::size_t i = 0; i < 2 * kPairs; i += 2) {
    round(state, other, kRoundConstants[i]);
    round(other, state, kRoundConstants[i + 1]);
  }
}

HWY_INLINE void permute(Vec* HWY_RESTRICT state) { rounds<kRounds / 2>(state); }

// Lane 0 of the permuted state, which is all that proof of work looks at: the last round is mostly not computed.
HWY_INLINE Vec permute_first_lane(Vec* HWY_RESTRICT state) {
  Vec other[kStateLanes];
  rounds<kRounds / 2 - 1>(state);
  round(state, other, kRoundConstants[kRounds - 2]);
  const Theta d = theta(other);
  const Vec b0 = hn::Xor(other[0], d.d0);
  return hn::Xor(chi(b0, rho<44>(other[6], d.d1), rho<43>(other[12], d.d2)),
                 hn::Set(Tag(), kRoundConstants[kRounds - 1]));
}

// ---- Words in and out

HWY_INLINE Vec byteswap(Vec v) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(Tag(), base::byteswap64(hn::GetLane(v)));
#else
  const hn::Repartition<std::uint8_t, Tag> bytes;
  alignas(16) static constexpr std::uint8_t kReversed[16] = {7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8};
  return hn::BitCast(Tag(), hn::TableLookupBytes(hn::BitCast(bytes, v), hn::LoadDup128(bytes, kReversed)));
#endif
}

// Rows are transposed in tiles of kLanes rows and kTile columns.
constexpr std::size_t kTile = std::min<std::size_t>(kLanes, 4);
using Rows = std::array<const std::uint64_t*, kLanes>;

// out[j] = word column + j of as many rows as the result has lanes.
#if HWY_MAX_BYTES == 16
HWY_INLINE void transpose(const std::uint64_t* const* rows, std::size_t column, Vec* out) {
  const Tag d;
  const auto r0 = hn::LoadU(d, rows[0] + column);
  const auto r1 = hn::LoadU(d, rows[1] + column);
  out[0] = hn::InterleaveLower(d, r0, r1);
  out[1] = hn::InterleaveUpper(d, r0, r1);
}
#elif HWY_MAX_BYTES >= 32
using Tag4 = hn::FixedTag<std::uint64_t, 4>;
HWY_INLINE void transpose(const std::uint64_t* const* rows, std::size_t column, hn::Vec<Tag4>* out) {
  const Tag4 d;
  const auto r0 = hn::LoadU(d, rows[0] + column);
  const auto r1 = hn::LoadU(d, rows[1] + column);
  const auto r2 = hn::LoadU(d, rows[2] + column);
  const auto r3 = hn::LoadU(d, rows[3] + column);
  const auto even01 = hn::InterleaveLower(d, r0, r1);
  const auto odd01 = hn::InterleaveUpper(d, r0, r1);
  const auto even23 = hn::InterleaveLower(d, r2, r3);
  const auto odd23 = hn::InterleaveUpper(d, r2, r3);
  out[0] = hn::ConcatLowerLower(d, even23, even01);
  out[1] = hn::ConcatLowerLower(d, odd23, odd01);
  out[2] = hn::ConcatUpperUpper(d, even23, even01);
  out[3] = hn::ConcatUpperUpper(d, odd23, odd01);
}
#endif

// out[j] = word column + j of every row, byte-swapped.
HWY_INLINE void load_tile(const Rows& rows, std::size_t column, Vec* out) {
#if HWY_TARGET == HWY_SCALAR
  out[0] = hn::Set(Tag(), rows[0][column]);
#elif HWY_MAX_BYTES >= 64
  hn::Vec<Tag4> low[kTile];
  hn::Vec<Tag4> high[kTile];
  transpose(rows.data(), column, low);
  transpose(rows.data() + kTile, column, high);
  for (std::size_t j = 0; j < kTile; ++j) out[j] = hn::Combine(Tag(), high[j], low[j]);
#else
  transpose(rows.data(), column, out);
#endif
  for (std::size_t j = 0; j < kTile; ++j) out[j] = byteswap(out[j]);
}

// block[j] = word column + j of every row for j < words, as the big-endian bytes that are hashed.
HWY_INLINE void load_words(const Rows& rows, std::size_t column, std::size_t words, Vec* block) {
  std::size_t j = 0;
  for (; j + kTile <= words; j += kTile) load_tile(rows, column + j, block + j);
  if (j < words && words >= kTile) {  // the last tile overlaps the one before
    load_tile(rows, column + words - kTile, block + words - kTile);
    return;
  }
  for (; j < words; ++j) {
    HWY_ALIGN std::uint64_t lanes[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = rows[i][column + j];
    block[j] = byteswap(hn::Load(Tag(), lanes));
  }
}

// Completes a block with the padding that follows its `words` < 17 message words.
HWY_INLINE void pad(Vec* block, std::size_t words) {
  block[words] = hn::Set(Tag(), kPadFirst);
  for (std::size_t j = words + 1; j < kRateLanes; ++j) block[j] = hn::Zero(Tag());
  block[kRateLanes - 1] = hn::Xor(block[kRateLanes - 1], hn::Set(Tag(), kPadLast));
}

// Loops over lanes that must unroll for the state to stay in registers.
template <std::size_t... kIndex>
HWY_INLINE void clear_state(Vec* state, std::index_sequence<kIndex...>) {
  ((state[kIndex] = hn::Zero(Tag())), ...);
}
template <std::size_t... kIndex>
HWY_INLINE void copy_state(const Vec* from, Vec* to, std::index_sequence<kIndex...>) {
  ((to[kIndex] = from[kIndex]), ...);
}
template <std::size_t... kIndex>
HWY_INLINE void absorb(Vec* state, const Vec* block, std::index_sequence<kIndex...>) {
  ((state[kIndex] = hn::Xor(state[kIndex], block[kIndex])), ...);
}

HWY_INLINE void store_digests(const Vec* state, base::Digest* digests) {
  HWY_ALIGN std::uint64_t words[4 * kLanes];
  hn::StoreInterleaved4(state[0], state[1], state[2], state[3], Tag(), words);
  std::memcpy(digests, words, sizeof words);
}

// ---- Hashing

// kLanes rows.
HWY_INLINE void hash_batch_of_rows(const Rows& rows, std::size_t row_len, base::Digest* digests) {
  Vec state[kStateLanes];
  clear_state(state, std::make_index_sequence<kStateLanes>());
  bool last = false;
  for (std::size_t column = 0; !last; column += kRateLanes) {
    Vec block[kRateLanes];
    last = row_len - column < kRateLanes;
    const std::size_t words = last ? row_len - column : kRateLanes;
    load_words(rows, column, words, block);
    if (last) pad(block, words);
    absorb(state, block, std::make_index_sequence<kRateLanes>());
    permute(state);
  }
  store_digests(state, digests);
}

void rows_of_target(const std::uint64_t* rows, std::size_t row_len, std::size_t stride, std::size_t count,
                    base::Digest* digests) {
  for (std::size_t done = 0; done < count; done += kLanes) {
    // Lanes left over in the last batch repeat the last row.
    Rows batch;
    for (std::size_t i = 0; i < kLanes; ++i) batch[i] = rows + std::min(done + i, count - 1) * stride;
    if (count - done >= kLanes) {
      hash_batch_of_rows(batch, row_len, digests + done);
    } else {
      std::array<base::Digest, kLanes> last;
      hash_batch_of_rows(batch, row_len, last.data());
      std::copy_n(last.begin(), count - done, digests + done);
    }
  }
}

// kLanes pairs.
HWY_INLINE void hash_batch_of_pairs(const base::Digest* children, base::Digest* digests) {
  HWY_ALIGN std::uint64_t words[8 * kLanes];
  std::memcpy(words, children, sizeof words);
  Vec first[4];
  Vec second[4];
  hn::LoadInterleaved4(Tag(), words, first[0], first[1], first[2], first[3]);
  hn::LoadInterleaved4(Tag(), words + 4 * kLanes, second[0], second[1], second[2], second[3]);
  Vec state[kStateLanes];
  clear_state(state, std::make_index_sequence<kStateLanes>());
  for (std::size_t j = 0; j < 4; ++j) {
#if HWY_TARGET == HWY_SCALAR
    state[j] = first[j];
    state[j + 4] = second[j];
#else
    state[j] = hn::ConcatEven(Tag(), second[j], first[j]);     // left children
    state[j + 4] = hn::ConcatOdd(Tag(), second[j], first[j]);  // right children
#endif
  }
  state[8] = hn::Set(Tag(), kPadFirst);
  state[kRateLanes - 1] = hn::Set(Tag(), kPadLast);
  permute(state);
  store_digests(state, digests);
}

void pairs_of_target(const base::Digest* children, std::size_t pairs, base::Digest* digests) {
  std::size_t done = 0;
  for (; pairs - done >= kLanes; done += kLanes) hash_batch_of_pairs(children + 2 * done, digests + done);
  if (done == pairs) return;
  std::array<base::Digest, 2 * kLanes> padded{};
  std::array<base::Digest, kLanes> last;
  std::copy_n(children + 2 * done, 2 * (pairs - done), padded.begin());
  hash_batch_of_pairs(padded.data(), last.data());
  std::copy_n(last.begin(), pairs - done, digests + done);
}

// `block` is the padded block to hash, zeros where the nonce goes, which starts at byte `offset`.
std::optional<std::uint64_t> nonce_of_target(const std::uint64_t* block, std::size_t offset, unsigned bits,
                                             std::uint64_t begin, std::uint64_t count) {
  const Tag d;
  Vec first[kStateLanes];
  for (std::size_t j = 0; j < kStateLanes; ++j) first[j] = hn::Set(d, block[j]);
  // The nonce lies in lane `low` and, unless aligned, in the next.
  const std::size_t low = offset / 8;
  const int shift = static_cast<int>(8 * (offset % 8));
  const Vec fixed_low = first[low];
  const Vec fixed_high = first[low + 1];
  // The digest's first 8 bytes are lane 0 as it lies in memory: its leading bits are those of the byte-swapped lane.
  const Vec leading = hn::Set(d, base::byteswap64(bits == 0 ? 0 : ~std::uint64_t{0} << (64 - bits)));
  for (std::uint64_t done = 0; done < count;) {
    const Vec nonces = byteswap(hn::Iota(d, begin + done));
    first[low] = hn::Xor(fixed_low, hn::ShiftLeftSame(nonces, shift));
    if (shift != 0) first[low + 1] = hn::Xor(fixed_high, hn::ShiftRightSame(nonces, 64 - shift));
    Vec state[kStateLanes];
    copy_state(first, state, std::make_index_sequence<kStateLanes>());
    const Vec head = hn::And(permute_first_lane(state), leading);
    const std::intptr_t hit = hn::FindFirstTrue(d, hn::Eq(head, hn::Zero(d)));
    const std::uint64_t left = count - done;
    if (hit >= 0) {
      const auto index = static_cast<std::uint64_t>(hit);
      return index < left ? std::optional(begin + done + index) : std::nullopt;
    }
    done += std::min<std::uint64_t>(kLanes, left);
  }
  return std::nullopt;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace avow::hash
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace avow::hash {
namespace {

HWY_EXPORT(rows_of_target);
HWY_EXPORT(pairs_of_target);
HWY_EXPORT(nonce_of_target);

}  // namespace

void keccak256_rows(const std::uint64_t* rows, std::size_t row_len, std::size_t stride, std::size_t count,
                    base::Digest* digests) noexcept {
  HWY_DYNAMIC_DISPATCH(rows_of_target)(rows, row_len, stride, count, digests);
}

void keccak256_pairs(const base::Digest* children, std::size_t pairs, base::Digest* digests) noexcept {
  HWY_DYNAMIC_DISPATCH(pairs_of_target)(children, pairs, digests);
}

std::optional<std::uint64_t> find_nonce(base::ByteView prefix, unsigned bits, std::uint64_t begin,
                                        std::uint64_t count) noexcept {
  AVOW_CHECK(prefix.size() <= kMaxNoncePrefix && bits <= 64);
  std::array<std::uint64_t, kStateLanes> block{};
  auto* bytes = reinterpret_cast<std::uint8_t*>(block.data());
  if (!prefix.empty()) std::memcpy(bytes, prefix.data(), prefix.size());
  bytes[prefix.size() + sizeof(std::uint64_t)] = static_cast<std::uint8_t>(kPadFirst);
  block[kRateLanes - 1] ^= kPadLast;
  return HWY_DYNAMIC_DISPATCH(nonce_of_target)(block.data(), prefix.size(), bits, begin, count);
}

}  // namespace avow::hash
#endif  // HWY_ONCE
