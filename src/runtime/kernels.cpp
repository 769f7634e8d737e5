// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "base/threads.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

// How a sum of products of 16-bit integers stays exact. One step multiplies a vector of each row and adds neighbours,
// the instruction that every machine has for it. The sum v of two products is in [-2^31 + 2^16, 2^31], where the upper
// end (four times -2^15) does not fit 32 bits with sign: it comes out as -2^31. So v - 1, which is the same modulo 2^32
// and always fits, is what is summed, and the 1s are added at the end. Widening every v to 64 bits would take longer
// than the multiplication. Instead two sums per lane are kept in 32 bits: `all` of the v modulo 2^32, and `high` of
// floor(v / 2^16), which is in [-2^15, 2^15) and cannot overflow in 2^16 steps. The sum of the v is 2^16 high plus
// that of v mod 2^16, which is less than 2^32 in 2^16 steps, hence (all - 2^16 high) mod 2^32.

HWY_BEFORE_NAMESPACE();
namespace avow::runtime::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR
void dots(const Rows* a, const Rows* b, std::size_t length, std::int64_t* out, std::size_t out_stride) {
  dots_ref(*a, *b, length, out, out_stride);
}
#else
namespace hn = hwy::HWY_NAMESPACE;
using D16 = hn::ScalableTag<std::int16_t>;
using D32 = hn::RepartitionToWide<D16>;
using DU64 = hn::Repartition<std::uint64_t, D32>;
using V16 = hn::Vec<D16>;
using V32 = hn::Vec<D32>;

/// Sums of products of one row with one row.
struct Sums {
  V32 all, high;
};

HWY_INLINE void add_step(Sums& sums, V16 a, V16 b) {
  // Where the machine keeps even and odd products apart, they are still 32 bits wide together.
  V32 odd = hn::Zero(D32());
  const V32 even = hn::ReorderWidenMulAccumulate(D32(), a, b, hn::Set(D32(), -1), odd);
  const V32 v = hn::Add(even, odd);
  sums.all = hn::Add(sums.all, v);
  sums.high = hn::Add(sums.high, hn::ShiftRight<16>(v));
}

/// The sum of a vector's 32-bit lanes without sign.
HWY_INLINE hn::Vec<DU64> widen(V32 v) {
  const auto pairs = hn::BitCast(DU64(), v);
  return hn::Add(hn::And(pairs, hn::Set(DU64(), 0xffffffffull)), hn::ShiftRight<32>(pairs));
}

HWY_INLINE std::int64_t total(const Sums& sums, std::size_t steps) {
  const V32 low = hn::Sub(sums.all, hn::ShiftLeft<16>(sums.high));
  // From [-2^31, 2^31) to [0, 2^32), so that no lane has a sign.
  const V32 high = hn::Xor(sums.high, hn::Set(D32(), std::int32_t{-0x7fffffff - 1}));
  const auto both = hn::Add(widen(low), hn::ShiftLeft<16>(widen(high)));
  const std::uint64_t lanes = hn::Lanes(D32());
  const std::uint64_t sum = hn::GetLane(hn::SumOfLanes(DU64(), both));
  return static_cast<std::int64_t>(sum - (lanes << 47) + lanes * steps);
}

/// The sum of less products than a vector has lanes.
std::int64_t short_dot(const std::int16_t* a, const std::int16_t* b, std::size_t count) {
  const D16 d;
  HWY_ALIGN std::int16_t lanes_a[hn::MaxLanes(d)] = {};
  HWY_ALIGN std::int16_t lanes_b[hn::MaxLanes(d)] = {};
  std::memcpy(lanes_a, a, count * sizeof *a);
  std::memcpy(lanes_b, b, count * sizeof *b);
  Sums sums{hn::Zero(D32()), hn::Zero(D32())};
  add_step(sums, hn::Load(d, lanes_a), hn::Load(d, lanes_b));
  return total(sums, 1);
}

/// kA rows of a with kB rows of b.
template <std::size_t kA, std::size_t kB>
HWY_INLINE void tile(const Rows& a, std::size_t i, const Rows& b, std::size_t j, std::size_t length, std::int64_t* out,
                     std::size_t out_stride) {
  const D16 d;
  const std::size_t lanes = hn::Lanes(d), steps = length / lanes, rest = length % lanes;
  const std::int16_t* const pa = a.cells + i * a.stride;
  const std::int16_t* const pb = b.cells + j * b.stride;
  Sums sums[kA][kB];
  for (auto& row : sums) {
    for (Sums& s : row) s = {hn::Zero(D32()), hn::Zero(D32())};
  }
  for (std::size_t l = 0; l < steps * lanes; l += lanes) {
    V16 va[kA];
    for (std::size_t x = 0; x < kA; ++x) va[x] = hn::LoadU(d, pa + x * a.stride + l);
    for (std::size_t y = 0; y < kB; ++y) {
      const V16 vb = hn::LoadU(d, pb + y * b.stride + l);
      for (std::size_t x = 0; x < kA; ++x) add_step(sums[x][y], va[x], vb);
    }
  }
  for (std::size_t x = 0; x < kA; ++x) {
    for (std::size_t y = 0; y < kB; ++y) out[(j + y) * out_stride + i + x] = total(sums[x][y], steps);
  }
  if (rest == 0) return;
  for (std::size_t x = 0; x < kA; ++x) {
    for (std::size_t y = 0; y < kB; ++y) {
      out[(j + y) * out_stride + i + x] +=
          short_dot(pa + x * a.stride + steps * lanes, pb + y * b.stride + steps * lanes, rest);
    }
  }
}

// A tile keeps two registers for each of its products: 16 of 32, or 8 of 16.
constexpr std::size_t kWide = HWY_TARGET <= HWY_AVX3 ? 4 : 2;

/// A row of `a` after the other. With few rows of `b`, as in decoding, memory limits: one stream from it is faster than
/// several side by side.
void dots_of_few(const Rows& a, const Rows& b, std::size_t length, std::int64_t* out, std::size_t out_stride) {
  for (std::size_t i = 0; i < a.count; ++i) {
    std::size_t j = 0;
    for (; j + 2 <= b.count; j += 2) tile<1, 2>(a, i, b, j, length, out, out_stride);
    for (; j < b.count; ++j) tile<1, 1>(a, i, b, j, length, out, out_stride);
  }
}

void dots(const Rows* a, const Rows* b, std::size_t length, std::int64_t* out, std::size_t out_stride) {
  if (b->count <= 2) return dots_of_few(*a, *b, length, out, out_stride);
  std::size_t i = 0;
  for (; i + 2 <= a->count; i += 2) {
    std::size_t j = 0;
    for (; j + kWide <= b->count; j += kWide) tile<2, kWide>(*a, i, *b, j, length, out, out_stride);
    for (; j < b->count; ++j) tile<2, 1>(*a, i, *b, j, length, out, out_stride);
  }
  if (i < a->count) {
    dots_of_few({a->cells + i * a->stride, a->stride, a->count - i}, *b, length, out + i, out_stride);
  }
}
#endif

}  // namespace avow::runtime::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace avow::runtime {

HWY_EXPORT(dots);

void dots(const Rows& a, const Rows& b, std::size_t length, std::int64_t* out, std::size_t out_stride) {
  AVOW_CHECK(length <= kLongestDot);
  HWY_DYNAMIC_DISPATCH(dots)(&a, &b, length, out, out_stride);
}

void multiply(const Rows& a, const Rows& b, std::size_t length, std::int64_t* out) {
  // A chunk's rows are some ten thousand cells at least, so that handing it out costs little.
  const std::size_t grain = std::max<std::size_t>(16, (16384 / std::max<std::size_t>(length, 1) + 15) / 16 * 16);
  base::parallel_for(a.count, grain, [&](std::size_t begin, std::size_t end) {
    dots({a.cells + begin * a.stride, a.stride, end - begin}, b, length, out + begin, a.count);
  });
}

}  // namespace avow::runtime
#endif  // HWY_ONCE
