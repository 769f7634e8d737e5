// SPDX-License-Identifier: Apache-2.0
#include "field/kernels.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include "base/check.hpp"
#include "base/threads.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "field/kernels.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "field/simd-inl.hpp"

#ifndef AVOW_FIELD_KERNELS_ONCE
#define AVOW_FIELD_KERNELS_ONCE
namespace avow::field::internal {

/// A field element as lo + 2^32 hi modulo p with signed 32-bit halves: a product with an integer of k bits fits k + 31
/// bits, so that 2^(63 - 31 - k) of them add up in a 64-bit lane without reduction.
struct Halves {
  std::int32_t lo;
  std::int32_t hi;
};
/// An extension element: lo, hi of each coefficient.
using Halves3 = std::array<std::int32_t, 6>;
/// Lazy sums in the same order.
using Sums = std::array<std::int64_t, 6>;

inline Halves split(Fp x) {
  // Centre into [-(p+1)/2, (p-3)/2], where rounding to the nearest multiple of 2^32 leaves both halves in 32 bits.
  const auto centred = static_cast<std::int64_t>(x.value() >= (kP - 1) / 2 ? x.value() - kP : x.value());
  const auto hi = static_cast<std::int64_t>((static_cast<std::uint64_t>(centred) + 0x80000000ull)) >> 32;
  return {static_cast<std::int32_t>(centred - hi * (std::int64_t{1} << 32)), static_cast<std::int32_t>(hi)};
}
inline Halves3 split3(const Fp3& x) {
  Halves3 r;
  for (std::size_t k = 0; k < 3; ++k) {
    const Halves h = split(x.c[k]);
    r[2 * k] = h.lo;
    r[2 * k + 1] = h.hi;
  }
  return r;
}
inline Fp3 join3(const Sums& sums) {
  constexpr Fp kTwo32 = Fp(std::uint64_t{1} << 32);
  Fp3 r;
  for (std::size_t k = 0; k < 3; ++k) r.c[k] = Fp::from_int(sums[2 * k]) + Fp::from_int(sums[2 * k + 1]) * kTwo32;
  return r;
}

// 16-bit cells (an int32 cell is taken as two of 17 bits): rows or columns that one lazy sum may cover.
inline constexpr std::size_t kLazyTerms = std::size_t{1} << 14;

}  // namespace avow::field::internal
#endif  // AVOW_FIELD_KERNELS_ONCE

HWY_BEFORE_NAMESPACE();
namespace avow::field::HWY_NAMESPACE {

using internal::Halves3;
using internal::Sums;

using DI = hn::RebindToSigned<D>;
using VI = hn::Vec<DI>;

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE VI mul_i32(VI a, VI b) {
  return hn::Set(DI(), static_cast<std::int64_t>(static_cast<std::int32_t>(hn::GetLane(a))) *
                           static_cast<std::int32_t>(hn::GetLane(b)));
}
#else
/// Signed product of the low 32 bits of each lane.
HWY_INLINE VI mul_i32(VI a, VI b) {
  const hn::Repartition<std::int32_t, DI> d32;
  return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b));
}
#endif

// Cells, widened: `part` 0 of an int32 is its low 16 bits with sign, part 1 the rest (17 bits); cell = part0 + 2^16
// part1.
template <int kPart, typename T>
HWY_INLINE std::int64_t cell_part(T cell) {
  if constexpr (sizeof(T) < 4) {
    return cell;
  } else if constexpr (kPart == 0) {
    return static_cast<std::int16_t>(cell);
  } else {
    return (static_cast<std::int64_t>(cell) - static_cast<std::int16_t>(cell)) >> 16;
  }
}

// Lanes(DI()) cells as 64-bit lanes.
template <int kPart, typename T>
HWY_INLINE VI load_cells(const T* p) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(DI(), cell_part<kPart>(*p));
#else
  const hn::Rebind<std::int32_t, DI> d32;
  if constexpr (sizeof(T) == 4) {
    const auto v = hn::LoadU(d32, p);
    const auto low = hn::ShiftRight<16>(hn::ShiftLeft<16>(v));
    if constexpr (kPart == 0) return hn::PromoteTo(DI(), low);
    // v - low can leave 32 bits only when v is near 2^31 - 1: widen first.
    return hn::ShiftRight<16>(hn::Sub(hn::PromoteTo(DI(), v), hn::PromoteTo(DI(), low)));
  } else {
    const hn::Rebind<T, DI> d;
    return hn::PromoteTo(DI(), hn::PromoteTo(d32, hn::LoadU(d, p)));
  }
#endif
}

// sums[c] += sum over rows of cells[row, c] * weights[row], rows <= kLazyTerms / 8 and all columns of a matrix of T.
template <int kPart, typename T>
void column_dots_block(const T* cells, std::size_t cols, std::size_t rows, const Halves3* weights, Sums* sums) {
  const DI d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t c = 0;
  for (; c + lanes <= cols; c += lanes) {
    VI s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0;
    for (std::size_t x = 0; x < rows; ++x) {
      const VI v = load_cells<kPart>(cells + x * cols + c);
      const Halves3& w = weights[x];
      s0 = hn::Add(s0, mul_i32(v, hn::Set(d, w[0])));
      s1 = hn::Add(s1, mul_i32(v, hn::Set(d, w[1])));
      s2 = hn::Add(s2, mul_i32(v, hn::Set(d, w[2])));
      s3 = hn::Add(s3, mul_i32(v, hn::Set(d, w[3])));
      s4 = hn::Add(s4, mul_i32(v, hn::Set(d, w[4])));
      s5 = hn::Add(s5, mul_i32(v, hn::Set(d, w[5])));
    }
    const VI all[6] = {s0, s1, s2, s3, s4, s5};
    HWY_ALIGN std::int64_t out[kMaxLanes];
    for (std::size_t k = 0; k < 6; ++k) {
      hn::StoreU(all[k], d, out);
      for (std::size_t l = 0; l < lanes; ++l) sums[c + l][k] += out[l];
    }
  }
  for (; c < cols; ++c) {
    for (std::size_t x = 0; x < rows; ++x) {
      const std::int64_t v = cell_part<kPart>(cells[x * cols + c]);
      for (std::size_t k = 0; k < 6; ++k) sums[c][k] += v * weights[x][k];
    }
  }
}
#define AVOW_COLUMN_DOTS(NAME, PART, T)                                                                  \
  void NAME(const void* cells, std::size_t cols, std::size_t rows, const Halves3* weights, Sums* sums) { \
    column_dots_block<PART>(static_cast<const T*>(cells), cols, rows, weights, sums);                    \
  }
AVOW_COLUMN_DOTS(column_dots_i8, 0, std::int8_t)
AVOW_COLUMN_DOTS(column_dots_i16, 0, std::int16_t)
AVOW_COLUMN_DOTS(column_dots_i32_low, 0, std::int32_t)
AVOW_COLUMN_DOTS(column_dots_i32_high, 1, std::int32_t)
#undef AVOW_COLUMN_DOTS

// sums[c] += sum over rows of cells[row, c] * weights[row] for field elements; `weights` in Montgomery form, all
// columns.
void column_dots_fp(const Fp* cells, std::size_t cols, std::size_t rows, const Fp3* weights, Fp3* sums) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  const auto* words = reinterpret_cast<const std::uint64_t*>(cells);
  constexpr Fp kInverse = to_montgomery(kOne).inverse();
  std::size_t c = 0;
  for (; c + lanes <= cols; c += lanes) {
    V s0 = set(0), s1 = s0, s2 = s0;  // loose
    for (std::size_t x = 0; x < rows; ++x) {
      const V v = load(words + x * cols + c);
      s0 = add_loose(s0, mul_montgomery(v, set(weights[x].c[0].value())));
      s1 = add_loose(s1, mul_montgomery(v, set(weights[x].c[1].value())));
      s2 = add_loose(s2, mul_montgomery(v, set(weights[x].c[2].value())));
    }
    HWY_ALIGN Fp3 out[kMaxLanes];
    store3({canonical(s0), canonical(s1), canonical(s2)}, out);
    for (std::size_t l = 0; l < lanes; ++l) sums[c + l] += out[l];
  }
  for (; c < cols; ++c) {
    for (std::size_t x = 0; x < rows; ++x) sums[c] += weights[x] * (kInverse * cells[x * cols + c]);
  }
}

// sums[x] = sum over columns of cells[x, c] * weights[c], at most kLazyTerms columns. `wide` holds the weights once
// more, one 64-bit lane each: wide[k][c].
template <int kPart, typename T>
void row_dots_block(const T* cells, std::size_t cols, std::size_t rows, const std::int64_t* wide, Sums* sums) {
  const DI d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t x = 0; x < rows; ++x) {
    const T* row = cells + x * cols;
    VI s[6] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    std::size_t c = 0;
    for (; c + lanes <= cols; c += lanes) {
      const VI v = load_cells<kPart>(row + c);
      for (std::size_t k = 0; k < 6; ++k) s[k] = hn::Add(s[k], mul_i32(v, hn::LoadU(d, wide + k * cols + c)));
    }
    for (std::size_t k = 0; k < 6; ++k) {
      HWY_ALIGN std::int64_t out[kMaxLanes];
      hn::StoreU(s[k], d, out);
      std::int64_t sum = 0;
      for (std::size_t l = 0; l < lanes; ++l) sum += out[l];
      for (std::size_t r = c; r < cols; ++r) sum += cell_part<kPart>(row[r]) * wide[k * cols + r];
      sums[x][k] = sum;
    }
  }
}
#define AVOW_ROW_DOTS(NAME, PART, T)                                                                       \
  void NAME(const void* cells, std::size_t cols, std::size_t rows, const std::int64_t* wide, Sums* sums) { \
    row_dots_block<PART>(static_cast<const T*>(cells), cols, rows, wide, sums);                            \
  }
AVOW_ROW_DOTS(row_dots_i8, 0, std::int8_t)
AVOW_ROW_DOTS(row_dots_i16, 0, std::int16_t)
AVOW_ROW_DOTS(row_dots_i32_low, 0, std::int32_t)
AVOW_ROW_DOTS(row_dots_i32_high, 1, std::int32_t)
#undef AVOW_ROW_DOTS

// out[x] += high * low[x].
void add_scaled(Fp3* out, const Fp3* low, std::size_t count, const Fp3* high) {
  const std::size_t lanes = hn::Lanes(D());
  const V3 h = set3(*high);
  std::size_t x = 0;
  for (; x + lanes <= count; x += lanes) store3(add3(load3(out + x), mul3(h, load3(low + x))), out + x);
  for (; x < count; ++x) out[x] += *high * low[x];
}

// out[x] += sum over j of scale[j] * low[j * count + x].
void add_scaled_base(Fp3* out, const Fp* low, std::size_t count, const Fp3* scale, std::size_t terms) {
  const std::size_t lanes = hn::Lanes(D());
  std::size_t x = 0;
  for (; x + lanes <= count; x += lanes) {
    V3 sum = load3(out + x);  // loose between the terms
    for (std::size_t j = 0; j < terms; ++j) {
      const V v = load(reinterpret_cast<const std::uint64_t*>(low + j * count + x));
      const V3 p = mul3_base(set3(scale[j]), v);
      sum = {add_loose(sum.c0, p.c0), add_loose(sum.c1, p.c1), add_loose(sum.c2, p.c2)};
    }
    store3({canonical(sum.c0), canonical(sum.c1), canonical(sum.c2)}, out + x);
  }
  for (; x < count; ++x) {
    for (std::size_t j = 0; j < terms; ++j) out[x] += scale[j] * low[j * count + x];
  }
}

#if HWY_TARGET != HWY_SCALAR
// Elements 2i and 2i+1 of 2 Lanes(D()) neighbours.
HWY_INLINE void load_pairs(const Fp3* p, V3& even, V3& odd) {
  const V3 a = load3(p);
  const V3 b = load3(p + hn::Lanes(D()));
  even = {hn::ConcatEven(D(), b.c0, a.c0), hn::ConcatEven(D(), b.c1, a.c1), hn::ConcatEven(D(), b.c2, a.c2)};
  odd = {hn::ConcatOdd(D(), b.c0, a.c0), hn::ConcatOdd(D(), b.c1, a.c1), hn::ConcatOdd(D(), b.c2, a.c2)};
}
#else
HWY_INLINE void load_pairs(const Fp3* p, V3& even, V3& odd) {
  even = load3(p);
  odd = load3(p + 1);
}
#endif

void fold_pairs(const Fp3* values, std::size_t pairs, const Fp3* r, Fp3* out) {
  const std::size_t lanes = hn::Lanes(D());
  const V3 rv = set3(*r);
  std::size_t i = 0;
  for (; i + lanes <= pairs; i += lanes) {
    V3 even, odd;
    load_pairs(values + 2 * i, even, odd);
    store3(add3(even, mul3(rv, sub3(odd, even))), out + i);
  }
  for (; i < pairs; ++i) out[i] = values[2 * i] + *r * (values[2 * i + 1] - values[2 * i]);
}

void inner_product(const Fp3* a, const Fp3* b, std::size_t count, Fp3* sum) {
  const std::size_t lanes = hn::Lanes(D());
  V3 total = set3(Fp3());
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) total = add3(total, mul3(load3(a + i), load3(b + i)));
  *sum = sum3(total);
  for (; i < count; ++i) *sum += a[i] * b[i];
}

void combine(Fp3* a, const Fp3* ca, const Fp3* b, const Fp3* cb, std::size_t count) {
  const std::size_t lanes = hn::Lanes(D());
  const V3 cav = set3(*ca);
  const V3 cbv = set3(*cb);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) store3(add3(mul3(cav, load3(a + i)), mul3(cbv, load3(b + i))), a + i);
  for (; i < count; ++i) a[i] = *ca * a[i] + *cb * b[i];
}

void sum_products(const Fp3* f, const Fp3* w, std::size_t pairs, QuadraticSum* sum) {
  const std::size_t lanes = hn::Lanes(D());
  V3 at0 = set3(Fp3());
  V3 leading = at0;
  std::size_t i = 0;
  for (; i + lanes <= pairs; i += lanes) {
    V3 f0, f1, w0, w1;
    load_pairs(f + 2 * i, f0, f1);
    load_pairs(w + 2 * i, w0, w1);
    at0 = add3(at0, mul3(f0, w0));
    leading = add3(leading, mul3(sub3(f1, f0), sub3(w1, w0)));
  }
  sum->at0 = sum3(at0);
  sum->leading = sum3(leading);
  for (; i < pairs; ++i) {
    sum->at0 += f[2 * i] * w[2 * i];
    sum->leading += (f[2 * i + 1] - f[2 * i]) * (w[2 * i + 1] - w[2 * i]);
  }
}

}  // namespace avow::field::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace avow::field {
namespace {

using internal::Halves3;
using internal::kLazyTerms;
using internal::Sums;

HWY_EXPORT(column_dots_i8);
HWY_EXPORT(column_dots_i16);
HWY_EXPORT(column_dots_i32_low);
HWY_EXPORT(column_dots_i32_high);
HWY_EXPORT(column_dots_fp);
HWY_EXPORT(row_dots_i8);
HWY_EXPORT(row_dots_i16);
HWY_EXPORT(row_dots_i32_low);
HWY_EXPORT(row_dots_i32_high);
HWY_EXPORT(add_scaled);
HWY_EXPORT(add_scaled_base);
HWY_EXPORT(fold_pairs);
HWY_EXPORT(inner_product);
HWY_EXPORT(combine);
HWY_EXPORT(sum_products);

const void* cell_address(const MatrixView& cells, std::size_t row) {
  return static_cast<const std::uint8_t*>(cells.data) + row * cells.cols * cell_bytes(cells.type);
}

/// Work items of a parallel loop over `count` things: big enough to pay for a task, small enough to share evenly.
std::size_t grain_for(std::size_t count, std::size_t smallest) {
  return std::max(smallest, (count + 8 * base::thread_count() - 1) / (8 * base::thread_count()));
}

// A span of rows of a matrix of field elements.
void column_dots_fp_span(const MatrixView& cells, std::size_t row, std::span<const Fp3> weights, std::span<Fp3> out) {
  constexpr std::size_t kBlock = 64;
  std::array<Fp3, kBlock> montgomery;
  for (std::size_t x = 0; x < weights.size(); x += kBlock) {
    const std::size_t rows = std::min(kBlock, weights.size() - x);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t k = 0; k < 3; ++k) montgomery[i].c[k] = to_montgomery(weights[x + i].c[k]);
    }
    const auto* at = static_cast<const Fp*>(cell_address(cells, row + x));
    HWY_DYNAMIC_DISPATCH(column_dots_fp)(at, cells.cols, rows, montgomery.data(), out.data());
  }
}

// One span of rows, at most kLazyTerms long, of an integer matrix.
void column_dots_span(const MatrixView& cells, std::size_t row, std::span<const Halves3> weights, std::span<Fp3> out) {
  const void* data = cell_address(cells, row);
  // Rows of a block stay in the first-level cache while the columns go by, a vector at a time.
  const std::size_t block = std::clamp<std::size_t>(16384 / (cells.cols * cell_bytes(cells.type)), 16, 256);
  std::vector<Sums> low(cells.cols, Sums{});
  std::vector<Sums> high(cells.type == CellType::kInt32 ? cells.cols : 0, Sums{});
  for (std::size_t x = 0; x < weights.size(); x += block) {
    const std::size_t rows = std::min(block, weights.size() - x);
    const auto* at = static_cast<const std::uint8_t*>(data) + x * cells.cols * cell_bytes(cells.type);
    switch (cells.type) {
      case CellType::kInt8:
        HWY_DYNAMIC_DISPATCH(column_dots_i8)(at, cells.cols, rows, &weights[x], low.data());
        break;
      case CellType::kInt16:
        HWY_DYNAMIC_DISPATCH(column_dots_i16)(at, cells.cols, rows, &weights[x], low.data());
        break;
      case CellType::kInt32:
        HWY_DYNAMIC_DISPATCH(column_dots_i32_low)(at, cells.cols, rows, &weights[x], low.data());
        HWY_DYNAMIC_DISPATCH(column_dots_i32_high)(at, cells.cols, rows, &weights[x], high.data());
        break;
      case CellType::kFp:
        AVOW_CHECK(false);
    }
  }
  for (std::size_t c = 0; c < cells.cols; ++c) {
    out[c] += internal::join3(low[c]);
    if (!high.empty()) out[c] += internal::join3(high[c]) * Fp(1 << 16);
  }
}

void row_dots_span(const MatrixView& cells, std::size_t row, std::span<const std::int64_t> wide, std::span<Fp3> out) {
  const void* data = cell_address(cells, row);
  std::vector<Sums> low(out.size());
  std::vector<Sums> high;
  switch (cells.type) {
    case CellType::kInt8:
      HWY_DYNAMIC_DISPATCH(row_dots_i8)(data, cells.cols, out.size(), wide.data(), low.data());
      break;
    case CellType::kInt16:
      HWY_DYNAMIC_DISPATCH(row_dots_i16)(data, cells.cols, out.size(), wide.data(), low.data());
      break;
    case CellType::kInt32:
      high.resize(out.size());
      HWY_DYNAMIC_DISPATCH(row_dots_i32_low)(data, cells.cols, out.size(), wide.data(), low.data());
      HWY_DYNAMIC_DISPATCH(row_dots_i32_high)(data, cells.cols, out.size(), wide.data(), high.data());
      break;
    case CellType::kFp:
      AVOW_CHECK(false);
  }
  for (std::size_t x = 0; x < out.size(); ++x) {
    out[x] += internal::join3(low[x]);
    if (!high.empty()) out[x] += internal::join3(high[x]) * Fp(1 << 16);
  }
}

}  // namespace

void add_column_dots(const MatrixView& cells, std::size_t first_row, std::span<const Fp3> weights,
                     std::span<Fp3> sums) {
  AVOW_CHECK(first_row + weights.size() <= cells.rows && sums.size() == cells.cols);
  if (cells.type == CellType::kFp) return column_dots_fp_span(cells, first_row, weights, sums);
  std::vector<Halves3> halves(std::min(weights.size(), kLazyTerms));
  for (std::size_t x = 0; x < weights.size(); x += halves.size()) {
    const std::size_t count = std::min(halves.size(), weights.size() - x);
    for (std::size_t i = 0; i < count; ++i) halves[i] = internal::split3(weights[x + i]);
    column_dots_span(cells, first_row + x, std::span(halves).first(count), sums);
  }
}

std::vector<Fp3> column_dots(const MatrixView& cells, std::size_t first_row, std::span<const Fp3> weights) {
  std::vector<Fp3> total(cells.cols);
  std::mutex mutex;
  // Sums in the field do not depend on the order of the spans.
  const std::size_t grain = std::min(kLazyTerms, grain_for(weights.size(), 1024));
  base::parallel_for(weights.size(), grain, [&](std::size_t begin, std::size_t end) {
    std::vector<Fp3> part(cells.cols);
    add_column_dots(cells, first_row + begin, weights.subspan(begin, end - begin), part);
    const std::lock_guard lock(mutex);
    for (std::size_t c = 0; c < cells.cols; ++c) total[c] += part[c];
  });
  return total;
}

void add_row_dots(const MatrixView& cells, std::span<const Fp3> weights, std::span<Fp3> out) {
  AVOW_CHECK(weights.size() == cells.cols && out.size() == cells.rows);
  if (cells.type == CellType::kFp || cells.cols > kLazyTerms) return add_row_dots_ref(cells, weights, out);
  std::vector<std::int64_t> wide(6 * cells.cols);
  for (std::size_t c = 0; c < cells.cols; ++c) {
    const Halves3 halves = internal::split3(weights[c]);
    for (std::size_t k = 0; k < 6; ++k) wide[k * cells.cols + c] = halves[k];
  }
  base::parallel_for(out.size(), 1024, [&](std::size_t begin, std::size_t end) {
    row_dots_span(cells, begin, wide, out.subspan(begin, end - begin));
  });
}

void add_tensor(std::span<Fp3> out, std::span<const Factor> factors, const Fp3& coefficient) {
  AVOW_CHECK(out.size() == std::size_t{1} << factors.size());
  const std::size_t low_vars = std::min<std::size_t>(factors.size(), 10);
  const std::vector<Fp3> low = tensor_table(factors.first(low_vars), kOne3);
  const std::vector<Fp3> high = tensor_table(factors.subspan(low_vars), coefficient);
  base::parallel_for(high.size(), grain_for(high.size(), 8), [&](std::size_t begin, std::size_t end) {
    for (std::size_t h = begin; h < end; ++h) {
      HWY_DYNAMIC_DISPATCH(add_scaled)(&out[h * low.size()], low.data(), low.size(), &high[h]);
    }
  });
}

void add_powers(std::span<Fp3> out, std::span<const Fp> points, std::span<const Fp3> coefficients) {
  AVOW_CHECK(points.size() == coefficients.size());
  const std::size_t count = points.size();
  const std::size_t run = std::min<std::size_t>(out.size(), 256);
  std::vector<Fp> low(count * run);  // points[j]^x, x < run
  std::vector<Fp> stride(count);     // points[j]^run
  for (std::size_t j = 0; j < count; ++j) {
    Fp power = kOne;
    for (std::size_t x = 0; x < run; ++x, power *= points[j]) low[j * run + x] = power;
    stride[j] = power;
  }
  const std::size_t blocks = out.size() / run;
  base::parallel_for(blocks, grain_for(blocks, 4), [&](std::size_t begin, std::size_t end) {
    std::vector<Fp3> scale(count);
    for (std::size_t j = 0; j < count; ++j) scale[j] = coefficients[j] * stride[j].pow(begin);
    for (std::size_t b = begin; b < end; ++b) {
      HWY_DYNAMIC_DISPATCH(add_scaled_base)(&out[b * run], low.data(), run, scale.data(), count);
      for (std::size_t j = 0; j < count; ++j) scale[j] *= stride[j];
    }
  });
}

std::vector<Fp3> fold_pairs(std::span<const Fp3> values, const Fp3& r) {
  AVOW_CHECK(values.size() % 2 == 0);
  std::vector<Fp3> result(values.size() / 2);
  base::parallel_for(result.size(), grain_for(result.size(), 2048), [&](std::size_t begin, std::size_t end) {
    HWY_DYNAMIC_DISPATCH(fold_pairs)(values.data() + 2 * begin, end - begin, &r, result.data() + begin);
  });
  return result;
}

Fp3 inner_product(std::span<const Fp3> a, std::span<const Fp3> b) {
  AVOW_CHECK(a.size() == b.size());
  Fp3 total;
  std::mutex mutex;
  base::parallel_for(a.size(), grain_for(a.size(), 2048), [&](std::size_t begin, std::size_t end) {
    Fp3 part;
    HWY_DYNAMIC_DISPATCH(inner_product)(a.data() + begin, b.data() + begin, end - begin, &part);
    const std::lock_guard lock(mutex);
    total += part;
  });
  return total;
}

void combine(std::span<Fp3> a, const Fp3& ca, std::span<const Fp3> b, const Fp3& cb) {
  AVOW_CHECK(a.size() == b.size());
  base::parallel_for(a.size(), grain_for(a.size(), 2048), [&](std::size_t begin, std::size_t end) {
    HWY_DYNAMIC_DISPATCH(combine)(a.data() + begin, &ca, b.data() + begin, &cb, end - begin);
  });
}

QuadraticSum sum_products(std::span<const Fp3> f, std::span<const Fp3> w) {
  AVOW_CHECK(f.size() == w.size() && f.size() % 2 == 0);
  const std::size_t pairs = f.size() / 2;
  QuadraticSum total;
  std::mutex mutex;
  base::parallel_for(pairs, grain_for(pairs, 2048), [&](std::size_t begin, std::size_t end) {
    QuadraticSum part;
    HWY_DYNAMIC_DISPATCH(sum_products)(f.data() + 2 * begin, w.data() + 2 * begin, end - begin, &part);
    const std::lock_guard lock(mutex);
    total.at0 += part.at0;
    total.leading += part.leading;
  });
  return total;
}

}  // namespace avow::field
#endif  // HWY_ONCE
