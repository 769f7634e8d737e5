// SPDX-License-Identifier: Apache-2.0
#include "prover/array.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <vector>

#include "base/check.hpp"
#include "base/threads.hpp"

namespace avow::prover {
namespace {

using field::CellType;
using field::Fp;

constexpr std::size_t kArrayGrain = std::size_t{1} << 16;

std::uint64_t magnitude(std::int64_t x) {
  return x < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(x) : static_cast<std::uint64_t>(x);
}

std::uint64_t largest_of(std::span<const std::int64_t> cells) {
  std::atomic<std::uint64_t> largest{0};
  base::parallel_for(cells.size(), kArrayGrain, [&](std::size_t begin, std::size_t end) {
    std::uint64_t local = 0;
    for (std::size_t i = begin; i < end; ++i) local = std::max(local, magnitude(cells[i]));
    std::uint64_t seen = largest.load();
    while (seen < local && !largest.compare_exchange_weak(seen, local)) {
    }
  });
  return largest.load();
}

CellType type_for(std::uint64_t largest) {
  if (largest <= std::numeric_limits<std::int8_t>::max()) return CellType::kInt8;
  if (largest <= std::numeric_limits<std::int16_t>::max()) return CellType::kInt16;
  if (largest <= std::numeric_limits<std::int32_t>::max()) return CellType::kInt32;
  return CellType::kFp;
}

template <typename T>
std::int64_t to_int(T x) {
  return x;
}
template <>
std::int64_t to_int<Fp>(Fp x) {
  return centred(x);
}
template <typename T>
T from_int(std::int64_t x) {
  return static_cast<T>(x);
}
template <>
Fp from_int<Fp>(std::int64_t x) {
  return Fp::from_int(x);
}

template <typename F>
void with_type(CellType type, const F& f) {
  switch (type) {
    case CellType::kInt8:
      return f(std::int8_t{});
    case CellType::kInt16:
      return f(std::int16_t{});
    case CellType::kInt32:
      return f(std::int32_t{});
    case CellType::kFp:
      return f(Fp{});
  }
}

}  // namespace

std::int64_t centred(Fp x) noexcept {
  const std::uint64_t v = x.value();
  return v <= (field::kP - 1) / 2 ? static_cast<std::int64_t>(v) : -static_cast<std::int64_t>(field::kP - v);
}

void convert(CellType from, const void* source, CellType to, void* target, std::size_t n) {
  if (from == to) {
    std::copy_n(static_cast<const std::uint8_t*>(source), n * field::cell_bytes(from),
                static_cast<std::uint8_t*>(target));
    return;
  }
  with_type(from, [&](auto s) {
    with_type(to, [&](auto t) {
      const auto* in = static_cast<const decltype(s)*>(source);
      auto* out = static_cast<decltype(t)*>(target);
      for (std::size_t i = 0; i < n; ++i) out[i] = from_int<decltype(t)>(to_int(in[i]));
    });
  });
}

Array Array::make(CellType type, std::size_t size) {
  Array array;
  array.type_ = type;
  array.size_ = size;
  array.memory_ = base::Buffer<std::uint8_t>(size * field::cell_bytes(type));
  array.data_ = array.memory_.data();
  array.largest_ = field::kP / 2;
  if (type != CellType::kFp) array.largest_ = std::uint64_t{1} << (8 * field::cell_bytes(type) - 1);
  return array;
}

Array Array::of(std::span<const std::int64_t> cells) {
  const std::uint64_t largest = largest_of(cells);
  Array array = make(type_for(largest), cells.size());
  array.largest_ = largest;
  with_type(array.type_, [&](auto t) {
    auto* out = static_cast<decltype(t)*>(array.data());
    base::parallel_for(cells.size(), kArrayGrain, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) out[i] = from_int<decltype(t)>(cells[i]);
    });
  });
  return array;
}

Array Array::of(std::span<const Fp> cells) {
  base::Buffer<std::int64_t> centred_cells(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) centred_cells[i] = centred(cells[i]);
  return of(std::span<const std::int64_t>(centred_cells.data(), centred_cells.size()));
}

Array Array::borrow(const field::MatrixView& cells) {
  Array array;
  array.type_ = cells.type;
  array.size_ = cells.rows * cells.cols;
  array.data_ = cells.data;
  array.largest_ = field::kP / 2;
  if (cells.type != CellType::kFp) array.largest_ = std::uint64_t{1} << (8 * field::cell_bytes(cells.type) - 1);
  return array;
}

Array Array::borrow(const Array& cells) {
  Array array = borrow(cells.view(1));
  array.largest_ = cells.largest_;
  return array;
}

std::int64_t Array::at(std::size_t i) const noexcept {
  std::int64_t result = 0;
  with_type(type_, [&](auto t) { result = to_int(static_cast<const decltype(t)*>(data_)[i]); });
  return result;
}

void copy_box(const Array& source, const Box& box, CellType to, void* target, std::size_t first) {
  const std::size_t rank = box.shape.size();
  // Trailing axes that are taken whole form one contiguous run together with the axis before them.
  std::size_t run = 1;
  std::size_t outer = rank;
  while (outer > 0) {
    --outer;
    run *= box.sizes[outer];
    if (box.sizes[outer] != box.shape[outer]) break;
  }
  std::size_t runs = 1;
  for (std::size_t i = 0; i < outer; ++i) runs *= box.sizes[i];
  std::vector<std::uint64_t> strides(rank, 1);
  for (std::size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * box.shape[i];
  const std::size_t grain = std::max<std::size_t>(1, kArrayGrain / std::max<std::size_t>(1, run));
  const auto* in = static_cast<const std::uint8_t*>(source.data());
  auto* out = static_cast<std::uint8_t*>(target);
  base::parallel_for(runs, grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      std::uint64_t at = 0;
      for (std::size_t i = outer; i < rank; ++i) at += box.offsets[i] * strides[i];
      std::size_t rest = r;
      for (std::size_t i = outer; i-- > 0;) {
        at += (box.offsets[i] + rest % box.sizes[i]) * strides[i];
        rest /= box.sizes[i];
      }
      convert(source.type(), in + at * field::cell_bytes(source.type()), to,
              out + (first + r * run) * field::cell_bytes(to), run);
    }
  });
}

}  // namespace avow::prover
