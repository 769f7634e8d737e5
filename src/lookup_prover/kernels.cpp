// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/kernels.hpp"

#include "base/check.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lookup_prover/kernels.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "field/simd-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace avow::lookup::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
// NOLINTNEXTLINE(misc-unused-alias-decls): used on every target
namespace simd = field::HWY_NAMESPACE;
using field::QuadraticSum;
using simd::add3;
using simd::D;
using simd::load3;
using simd::mul3;
using simd::set3;
using simd::store3;
using simd::sub3;
using simd::sum3;
using simd::V3;

/// Entries 2i and 2i+1 of 2 Lanes(D()) neighbours.
struct Pair {
  V3 at0, at1;
};
HWY_INLINE Pair load_pairs(const Fp3* p) {
#if HWY_TARGET == HWY_SCALAR
  return {load3(p), load3(p + 1)};
#else
  const V3 a = load3(p);
  const V3 b = load3(p + hn::Lanes(D()));
  return {{hn::ConcatEven(D(), b.c0, a.c0), hn::ConcatEven(D(), b.c1, a.c1), hn::ConcatEven(D(), b.c2, a.c2)},
          {hn::ConcatOdd(D(), b.c0, a.c0), hn::ConcatOdd(D(), b.c1, a.c1), hn::ConcatOdd(D(), b.c2, a.c2)}};
#endif
}
HWY_INLINE V3 slope(const Pair& v) { return sub3(v.at1, v.at0); }

// Each kernel does the multiple of Lanes(D()) and returns it; the rest is the reference's.

std::size_t split(const Fp3* cells, std::size_t count, Fp3* even, Fp3* odd) {
  const std::size_t lanes = hn::Lanes(D());
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Pair v = load_pairs(cells + 2 * i);
    store3(v.at0, even + i);
    store3(v.at1, odd + i);
  }
  return i;
}

std::size_t add_fractions(const Fractions* f, std::size_t count, Fp3* p, Fp3* q) {
  const std::size_t lanes = hn::Lanes(D());
  std::size_t x = 0;
  for (; x + lanes <= count; x += lanes) {
    const V3 q0 = load3(f->q0 + x);
    const V3 q1 = load3(f->q1 + x);
    store3(add3(mul3(load3(f->p0 + x), q1), mul3(load3(f->p1 + x), q0)), p + x);
    store3(mul3(q0, q1), q + x);
  }
  return x;
}

std::size_t add_inverses(const Fractions* f, std::size_t count, Fp3* p, Fp3* q) {
  const std::size_t lanes = hn::Lanes(D());
  std::size_t x = 0;
  for (; x + lanes <= count; x += lanes) {
    const V3 q0 = load3(f->q0 + x);
    const V3 q1 = load3(f->q1 + x);
    store3(add3(q0, q1), p + x);
    store3(mul3(q0, q1), q + x);
  }
  return x;
}

std::size_t fold(const Fp3* in, const Fp3* r, std::size_t count, Fp3* out) {
  const std::size_t lanes = hn::Lanes(D());
  const V3 rv = set3(*r);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Pair v = load_pairs(in + 2 * i);
    store3(add3(v.at0, mul3(rv, slope(v))), out + i);
  }
  return i;
}

std::size_t add_scaled(Fp3* a, const Fp3* c, const Fp3* b, std::size_t count) {
  const std::size_t lanes = hn::Lanes(D());
  const V3 cv = set3(*c);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) store3(add3(load3(a + i), mul3(cv, load3(b + i))), a + i);
  return i;
}

std::size_t sum_round(const Fractions* f, const Fp3* weights, std::size_t pairs, QuadraticSum* sum) {
  const std::size_t lanes = hn::Lanes(D());
  V3 at0 = set3(Fp3());
  V3 leading = at0;
  std::size_t i = 0;
  for (; i + lanes <= pairs; i += lanes) {
    const V3 w = load3(weights + i);
    const Pair p0 = load_pairs(f->p0 + 2 * i);
    const Pair q1 = load_pairs(f->q1 + 2 * i);
    V3 g0 = mul3(p0.at0, q1.at0);
    V3 g2 = mul3(slope(p0), slope(q1));
    const Pair q0 = load_pairs(f->q0 + 2 * i);
    const Pair p1 = load_pairs(f->p1 + 2 * i);
    g0 = add3(g0, mul3(q0.at0, p1.at0));
    g2 = add3(g2, mul3(slope(q0), slope(p1)));
    at0 = add3(at0, mul3(w, g0));
    leading = add3(leading, mul3(w, g2));
  }
  *sum = {sum3(at0), sum3(leading)};
  return i;
}

std::size_t sum_round_of_inverses(const Fractions* f, const Fp3* shift, const Fp3* weights, std::size_t pairs,
                                  QuadraticSum* sum) {
  const std::size_t lanes = hn::Lanes(D());
  const V3 s = set3(*shift);
  V3 at0 = set3(Fp3());
  V3 leading = at0;
  std::size_t i = 0;
  for (; i + lanes <= pairs; i += lanes) {
    const V3 w = load3(weights + i);
    const Pair q0 = load_pairs(f->q0 + 2 * i);
    const Pair q1 = load_pairs(f->q1 + 2 * i);
    at0 = add3(at0, mul3(w, mul3(add3(q0.at0, s), add3(q1.at0, s))));
    leading = add3(leading, mul3(w, mul3(slope(q0), slope(q1))));
  }
  *sum = {sum3(at0), sum3(leading)};
  return i;
}

}  // namespace avow::lookup::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace avow::lookup {
namespace {

using field::QuadraticSum;

HWY_EXPORT(split);
HWY_EXPORT(add_fractions);
HWY_EXPORT(add_inverses);
HWY_EXPORT(fold);
HWY_EXPORT(add_scaled);
HWY_EXPORT(sum_round);
HWY_EXPORT(sum_round_of_inverses);

// What is left after `done` entries.
Fractions rest(const Fractions& f, std::size_t done) {
  const auto at = [&](const Fp3* table) { return table == nullptr ? nullptr : table + done; };
  return {at(f.p0), at(f.p1), at(f.q0), at(f.q1)};
}
void add(QuadraticSum& sum, const QuadraticSum& other) {
  sum.at0 += other.at0;
  sum.leading += other.leading;
}

}  // namespace

void split(std::span<const Fp3> cells, std::span<Fp3> even, std::span<Fp3> odd) {
  AVOW_DCHECK(cells.size() == 2 * even.size() && odd.size() == even.size());
  const std::size_t done = HWY_DYNAMIC_DISPATCH(split)(cells.data(), even.size(), even.data(), odd.data());
  split_ref(cells.subspan(2 * done), even.subspan(done), odd.subspan(done));
}

void add_fractions(const Fractions& children, std::span<Fp3> p, std::span<Fp3> q) {
  const std::size_t done = HWY_DYNAMIC_DISPATCH(add_fractions)(&children, p.size(), p.data(), q.data());
  add_fractions_ref(rest(children, done), p.subspan(done), q.subspan(done));
}

void add_inverses(const Fractions& children, std::span<Fp3> p, std::span<Fp3> q) {
  const std::size_t done = HWY_DYNAMIC_DISPATCH(add_inverses)(&children, p.size(), p.data(), q.data());
  add_inverses_ref(rest(children, done), p.subspan(done), q.subspan(done));
}

void fold(std::span<const Fp3> in, const Fp3& r, std::span<Fp3> out) {
  AVOW_DCHECK(in.size() == 2 * out.size());
  const std::size_t done = HWY_DYNAMIC_DISPATCH(fold)(in.data(), &r, out.size(), out.data());
  fold_ref(in.subspan(2 * done), r, out.subspan(done));
}

void add_scaled(std::span<Fp3> a, const Fp3& c, std::span<const Fp3> b) {
  AVOW_DCHECK(a.size() == b.size());
  const std::size_t done = HWY_DYNAMIC_DISPATCH(add_scaled)(a.data(), &c, b.data(), a.size());
  add_scaled_ref(a.subspan(done), c, b.subspan(done));
}

QuadraticSum sum_round(const Fractions& f, std::span<const Fp3> weights) {
  QuadraticSum sum;
  const std::size_t done = HWY_DYNAMIC_DISPATCH(sum_round)(&f, weights.data(), weights.size(), &sum);
  if (done < weights.size()) add(sum, sum_round_ref(rest(f, 2 * done), weights.subspan(done)));
  return sum;
}

QuadraticSum sum_round_of_inverses(const Fractions& f, const Fp3& shift, std::span<const Fp3> weights) {
  QuadraticSum sum;
  const std::size_t done =
      HWY_DYNAMIC_DISPATCH(sum_round_of_inverses)(&f, &shift, weights.data(), weights.size(), &sum);
  if (done < weights.size()) {
    add(sum, sum_round_of_inverses_ref(rest(f, 2 * done), shift, weights.subspan(done)));
  }
  return sum;
}

}  // namespace avow::lookup
#endif  // HWY_ONCE
