// SPDX-License-Identifier: Apache-2.0
#include "ntt/kernels.hpp"

#include "base/check.hpp"
#include "ntt/encoder.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ntt/kernels.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "field/simd-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace avow::ntt::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace fs = field::HWY_NAMESPACE;
using fs::V;

template <bool kLast>
HWY_INLINE void store_out(V v, std::uint64_t* p) {
  fs::store(kLast ? fs::canonical(v) : v, p);
}

/// A factor in Montgomery form as it stands, for the tails of runs that are no multiple of the vector.
HWY_INLINE field::Fp plain(std::uint64_t wm) {
  constexpr field::Fp kInverse = field::to_montgomery(field::kOne).inverse();
  return field::Fp::from_canonical_unchecked(wm) * kInverse;
}

/// Two rows of `run` words at distance `run`: one layer.
template <bool kLast>
void radix2(std::uint64_t* data, std::size_t run, std::uint64_t w) {
  const std::size_t lanes = hn::Lanes(fs::D());
  const V wv = fs::set(w);
  std::size_t i = 0;
  for (; i + lanes <= run; i += lanes) {
    const V a = fs::load(data + i);
    const V b = fs::mul_montgomery(fs::load(data + run + i), wv);
    store_out<kLast>(fs::add_loose(a, b), data + i);
    store_out<kLast>(fs::sub_loose(a, b), data + run + i);
  }
  for (; i < run; ++i) {
    const field::Fp a(data[i]);
    const field::Fp b = field::Fp(data[run + i]) * plain(w);
    data[i] = (a + b).value();
    data[run + i] = (a - b).value();
  }
}

/// Two layers on four rows a, b, c, d of `run` words. The upper splits by w, the lower by w0 and w1 = i w0, i = 2^48 a
/// square root of -1: with t1 = w0 b, t2 = w c, t3 = w w0 d the results are
/// a + t2 + (t1 + t3), a + t2 - (t1 + t3), a - t2 + i (t1 - t3), a - t2 - i (t1 - t3).
template <bool kLast>
void radix4(std::uint64_t* data, std::size_t run, const std::uint64_t* w) {
  const std::size_t lanes = hn::Lanes(fs::D());
  const V wv = fs::set(w[0]);
  const V w0v = fs::set(w[1]);
  const V w2v = fs::set(w[2]);
  std::uint64_t* p0 = data;
  std::uint64_t* p1 = data + run;
  std::uint64_t* p2 = data + 2 * run;
  std::uint64_t* p3 = data + 3 * run;
  std::size_t i = 0;
  for (; i + lanes <= run; i += lanes) {
    const V a = fs::load(p0 + i);
    const V t1 = fs::mul_montgomery(fs::load(p1 + i), w0v);
    const V t2 = fs::mul_montgomery(fs::load(p2 + i), wv);
    const V t3 = fs::mul_montgomery(fs::load(p3 + i), w2v);
    const V upper = fs::add_loose(a, t2);
    const V lower = fs::sub_loose(a, t2);
    const V sum = fs::add(t1, t3);
    const V turned = fs::mul_sqrt_minus_one(fs::sub_loose(t1, t3));
    store_out<kLast>(fs::add_loose(upper, sum), p0 + i);
    store_out<kLast>(fs::sub_loose(upper, sum), p1 + i);
    store_out<kLast>(fs::add_loose(lower, turned), p2 + i);
    store_out<kLast>(fs::sub_loose(lower, turned), p3 + i);
  }
  if (i == run) return;
  const field::Fp ws[3] = {plain(w[0]), plain(w[1]), plain(w[2])};
  for (; i < run; ++i) {
    const field::Fp a(p0[i]);
    const field::Fp t1 = field::Fp(p1[i]) * ws[1];
    const field::Fp t2 = field::Fp(p2[i]) * ws[0];
    const field::Fp t3 = field::Fp(p3[i]) * ws[2];
    const field::Fp turned = (t1 - t3) * field::root_of_unity(2);
    p0[i] = (a + t2 + t1 + t3).value();
    p1[i] = (a + t2 - t1 - t3).value();
    p2[i] = (a - t2 + turned).value();
    p3[i] = (a - t2 - turned).value();
  }
}

void canonicalise(std::uint64_t* data, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) data[i] = field::Fp(data[i]).value();
}

void transform(std::uint64_t* data, unsigned log_size, std::size_t run, const std::uint64_t* tw) {
  std::size_t size = std::size_t{1} << log_size;
  std::size_t blocks = 1;
  if (size == 1) return canonicalise(data, run);
  if (log_size % 2 != 0) {
    if (log_size == 1) return radix2<true>(data, run, *tw);
    radix2<false>(data, run * size / 2, *tw++);
    size /= 2;
    blocks = 2;
  }
  for (; size > 1; size /= 4, blocks *= 4) {
    const std::size_t quarter = run * (size / 4);
    for (std::size_t k = 0; k < blocks; ++k, tw += 3) {
      std::uint64_t* p = data + 4 * k * quarter;
      if (size == 4) {
        radix4<true>(p, quarter, tw);
      } else {
        radix4<false>(p, quarter, tw);
      }
    }
  }
}

template <typename T>
void load_ints(const T* in, std::size_t count, std::uint64_t* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto v = static_cast<std::int64_t>(in[i]);
    out[i] = static_cast<std::uint64_t>(v) + (v < 0 ? field::kP : 0);
  }
}
void load_i8(const std::int8_t* in, std::size_t count, std::uint64_t* out) { load_ints(in, count, out); }
void load_i16(const std::int16_t* in, std::size_t count, std::uint64_t* out) { load_ints(in, count, out); }
void load_i32(const std::int32_t* in, std::size_t count, std::uint64_t* out) { load_ints(in, count, out); }

}  // namespace avow::ntt::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cstring>

namespace avow::ntt {

field::Fp twiddle(std::uint64_t block) noexcept {
  field::Fp w = field::kOne;
  for (unsigned bit = 0; block >> bit != 0; ++bit) {
    if ((block >> bit) & 1) w *= field::root_of_unity(bit + 2);
  }
  return w;
}

namespace internal {

HWY_EXPORT(transform);
HWY_EXPORT(load_i8);
HWY_EXPORT(load_i16);
HWY_EXPORT(load_i32);

namespace {

using field::Fp;

static_assert(field::root_of_unity(2) == Fp(std::uint64_t{1} << 48), "what mul_sqrt_minus_one multiplies by");

/// twiddle((block << layer) + k) for k < count: the factor of the block's bits times the product over k's bits, which
/// doubles the list bit by bit.
void layer_twiddles(std::uint64_t block, unsigned layer, std::size_t count, std::vector<Fp>& out) {
  out.assign(1, twiddle(block << layer));
  for (unsigned bit = 0; out.size() < count; ++bit) {
    const std::size_t half = out.size();
    for (std::size_t k = 0; k < half; ++k) out.push_back(out[k] * field::root_of_unity(bit + 2));
  }
}

}  // namespace

std::vector<std::uint64_t> make_twiddles(std::uint64_t block, unsigned log_size) {
  std::vector<std::uint64_t> out;
  out.reserve(std::size_t{1} << log_size);
  const auto push = [&](Fp w) { out.push_back(field::to_montgomery(w).value()); };
  unsigned layer = 0;
  if (log_size % 2 != 0) {
    push(twiddle(block));
    layer = 1;
  }
  std::vector<Fp> upper;
  std::vector<Fp> lower;
  for (; layer < log_size; layer += 2) {
    const std::size_t blocks = std::size_t{1} << layer;
    layer_twiddles(block, layer, blocks, upper);
    layer_twiddles(block, layer + 1, 2 * blocks, lower);
    for (std::size_t k = 0; k < blocks; ++k) {
      push(upper[k]);
      push(lower[2 * k]);
      push(upper[k] * lower[2 * k]);
    }
  }
  return out;
}

void transform(std::uint64_t* data, unsigned log_size, std::size_t run, std::span<const std::uint64_t> twiddles) {
  HWY_DYNAMIC_DISPATCH(transform)(data, log_size, run, twiddles.data());
}

void transform_ref(std::uint64_t* data, unsigned log_size, std::size_t run, std::uint64_t block) {
  for (unsigned layer = 0; layer < log_size; ++layer) {
    const std::size_t half = run << (log_size - layer - 1);
    for (std::size_t k = 0; k < std::size_t{1} << layer; ++k) {
      const Fp w = twiddle((block << layer) + k);
      for (std::size_t i = 2 * k * half; i < (2 * k + 1) * half; ++i) {
        const Fp a(data[i]);
        const Fp b = Fp(data[i + half]) * w;
        data[i] = (a + b).value();
        data[i + half] = (a - b).value();
      }
    }
  }
  for (std::size_t i = 0; i < run << log_size; ++i) data[i] = Fp(data[i]).value();
}

void load_cells(const field::MatrixView& matrix, std::size_t first, std::size_t count, std::uint64_t* out) {
  switch (matrix.type) {
    case field::CellType::kInt8:
      return HWY_DYNAMIC_DISPATCH(load_i8)(static_cast<const std::int8_t*>(matrix.data) + first, count, out);
    case field::CellType::kInt16:
      return HWY_DYNAMIC_DISPATCH(load_i16)(static_cast<const std::int16_t*>(matrix.data) + first, count, out);
    case field::CellType::kInt32:
      return HWY_DYNAMIC_DISPATCH(load_i32)(static_cast<const std::int32_t*>(matrix.data) + first, count, out);
    case field::CellType::kFp:
      std::memcpy(out, static_cast<const std::uint64_t*>(matrix.data) + first, count * sizeof(std::uint64_t));
  }
}

}  // namespace internal
}  // namespace avow::ntt
#endif  // HWY_ONCE
