// SPDX-License-Identifier: Apache-2.0
// Goldilocks arithmetic on SIMD lanes, for files that Highway compiles once per instruction set. Include it after
// hwy/foreach_target.h. Results are bit-identical on every target: each public function says in which range.

// The guard toggles so that the file is read again for each target.
#if defined(AVOW_FIELD_SIMD_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef AVOW_FIELD_SIMD_INL_HPP
#undef AVOW_FIELD_SIMD_INL_HPP
#else
#define AVOW_FIELD_SIMD_INL_HPP
#endif

#include <hwy/highway.h>

#include "field/extension.hpp"

HWY_BEFORE_NAMESPACE();
namespace avow::field::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// 64-bit lanes; kLanes is not constexpr on scalable targets, so loops use hn::Lanes(D()).
using D = hn::ScalableTag<std::uint64_t>;
using V = hn::Vec<D>;
/// Upper bound of Lanes(D()), for buffers.
inline constexpr std::size_t kMaxLanes = HWY_MAX_BYTES / sizeof(std::uint64_t);

HWY_INLINE V load(const std::uint64_t* p) { return hn::LoadU(D(), p); }
HWY_INLINE void store(V v, std::uint64_t* p) { hn::StoreU(v, D(), p); }
HWY_INLINE V set(std::uint64_t x) { return hn::Set(D(), x); }

#if HWY_TARGET != HWY_SCALAR
/// The product of the low 32 bits of each lane.
HWY_INLINE V mul32(V a, V b) {
  const hn::Repartition<std::uint32_t, D> d32;
  return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b));
}
#endif

/// x - p where x >= p: the canonical form of any 64-bit value.
HWY_INLINE V canonical(V x) { return hn::Min(x, hn::Sub(x, set(kP))); }

/// lo + 2^64 hi modulo p, as any 64-bit representative.
HWY_INLINE V reduce_wide(V lo, V hi) {
  const V eps = set(kEpsilon);
  const V hi_hi = hn::ShiftRight<32>(hi);
  const V t = hn::Sub(hn::Sub(lo, hi_hi), hn::IfThenElseZero(hn::Lt(lo, hi_hi), eps));
  const V u = hn::Sub(hn::ShiftLeft<32>(hi), hn::And(hi, eps));  // (hi mod 2^32) * (2^32 - 1)
  const V r = hn::Add(t, u);
  return hn::Add(r, hn::IfThenElseZero(hn::Lt(r, u), eps));
}

/// The 128-bit product of any 64-bit operands.
HWY_INLINE void mul_wide(V a, V b, V& lo, V& hi) {
#if HWY_TARGET == HWY_SCALAR
  const Uint128 product = static_cast<Uint128>(hn::GetLane(a)) * hn::GetLane(b);
  lo = set(static_cast<std::uint64_t>(product));
  hi = set(static_cast<std::uint64_t>(product >> 64));
#else
  const V mask = set(kEpsilon);
  const V ah = hn::ShiftRight<32>(a);
  const V bh = hn::ShiftRight<32>(b);
  const V ll = mul32(a, b);
  const V t = hn::Add(mul32(ah, b), hn::ShiftRight<32>(ll));
  const V u = hn::Add(mul32(a, bh), hn::And(t, mask));
  hi = hn::Add(hn::Add(mul32(ah, bh), hn::ShiftRight<32>(t)), hn::ShiftRight<32>(u));
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
  lo = hn::Mul(a, b);  // one instruction there
#else
  lo = hn::Or(hn::ShiftLeft<32>(u), hn::And(ll, mask));
#endif
#endif
}

/// a * b modulo p, any 64-bit operands, as any 64-bit representative.
HWY_INLINE V mul_loose(V a, V b) {
  V lo, hi;
  mul_wide(a, b, lo, hi);
  return reduce_wide(lo, hi);
}

/// a * w modulo p, canonical, for any 64-bit a and wm = to_montgomery(w), canonical. Montgomery's reduction costs less
/// than reduce_wide and its result needs no last subtraction: with m = lo / p mod 2^64, the quotient's high half is
/// hi - m p / 2^64, and hi < p because wm < p.
HWY_INLINE V mul_montgomery(V a, V wm) {
  V lo, hi;
  mul_wide(a, wm, lo, hi);
  const V shifted = hn::ShiftLeft<32>(lo);
  const V m = hn::Add(lo, shifted);  // 1/p = 2^32 + 1 modulo 2^64
  const V carry = hn::IfThenElseZero(hn::Lt(m, shifted), set(1));
  const V b = hn::Sub(hn::Sub(m, hn::ShiftRight<32>(m)), carry);
  const V r = hn::Sub(hi, b);
  return hn::Sub(r, hn::IfThenElseZero(hn::Lt(hi, b), set(kEpsilon)));
}

/// 2^48 a modulo p (2^48 is a square root of -1), any 64-bit a, canonical.
HWY_INLINE V mul_sqrt_minus_one(V a) { return canonical(reduce_wide(hn::ShiftLeft<48>(a), hn::ShiftRight<16>(a))); }

/// a * b modulo p, canonical.
HWY_INLINE V mul(V a, V b) { return canonical(mul_loose(a, b)); }

/// a + b, a any 64-bit value, b canonical; the result is any 64-bit representative.
HWY_INLINE V add_loose(V a, V b) {
  const V s = hn::Add(a, b);
  return hn::Add(s, hn::IfThenElseZero(hn::Lt(s, b), set(kEpsilon)));
}

/// a - b, a any 64-bit value, b canonical; the result is any 64-bit representative.
HWY_INLINE V sub_loose(V a, V b) {
  const V d = hn::Sub(a, b);
  return hn::Sub(d, hn::IfThenElseZero(hn::Lt(a, b), set(kEpsilon)));
}

/// Canonical sums and differences of canonical operands.
HWY_INLINE V add(V a, V b) { return canonical(add_loose(a, b)); }
HWY_INLINE V sub(V a, V b) { return canonical(sub_loose(a, b)); }

/// One extension element a lane, coefficients canonical.
struct V3 {
  V c0, c1, c2;
};
/// Reads / writes Lanes(D()) extension elements that lie one after the other.
HWY_INLINE V3 load3(const Fp3* p) {
  V3 r;
  hn::LoadInterleaved3(D(), reinterpret_cast<const std::uint64_t*>(p), r.c0, r.c1, r.c2);
  return r;
}
HWY_INLINE void store3(const V3& v, Fp3* p) {
  hn::StoreInterleaved3(v.c0, v.c1, v.c2, D(), reinterpret_cast<std::uint64_t*>(p));
}
HWY_INLINE V3 set3(const Fp3& x) { return {set(x.c[0].value()), set(x.c[1].value()), set(x.c[2].value())}; }
HWY_INLINE V3 add3(const V3& a, const V3& b) { return {add(a.c0, b.c0), add(a.c1, b.c1), add(a.c2, b.c2)}; }
HWY_INLINE V3 sub3(const V3& a, const V3& b) { return {sub(a.c0, b.c0), sub(a.c1, b.c1), sub(a.c2, b.c2)}; }

/// Karatsuba: six products, X^3 = 2.
HWY_INLINE V3 mul3(const V3& a, const V3& b) {
  const V v0 = mul(a.c0, b.c0);
  const V v1 = mul(a.c1, b.c1);
  const V v2 = mul(a.c2, b.c2);
  const V m12 = mul(add(a.c1, a.c2), add(b.c1, b.c2));  // v1 + v2 + (a1 b2 + a2 b1)
  const V m01 = mul(add(a.c0, a.c1), add(b.c0, b.c1));
  const V m02 = mul(add(a.c0, a.c2), add(b.c0, b.c2));
  const V x3 = sub(sub(m12, v1), v2);
  return {add(v0, add(x3, x3)), add(sub(sub(m01, v0), v1), add(v2, v2)), add(sub(sub(m02, v0), v2), v1)};
}
HWY_INLINE V3 mul3_base(const V3& a, V b) { return {mul(a.c0, b), mul(a.c1, b), mul(a.c2, b)}; }

/// The sum of all lanes.
HWY_INLINE Fp3 sum3(const V3& v) {
  HWY_ALIGN Fp3 lanes[kMaxLanes];
  store3(v, lanes);
  Fp3 sum;
  for (std::size_t i = 0; i < hn::Lanes(D()); ++i) sum += lanes[i];
  return sum;
}

}  // namespace avow::field::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
