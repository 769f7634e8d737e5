// SPDX-License-Identifier: Apache-2.0
#include "prover/kernels.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "prover/kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace avow::prover::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
std::uint64_t dot(const std::int32_t* a, const std::int32_t* b, std::size_t n) { return dot_ref(a, b, n); }
#else
std::uint64_t dot(const std::int32_t* a, const std::int32_t* b, std::size_t n) {
  const hn::ScalableTag<std::int32_t> d;
  const hn::RepartitionToWide<decltype(d)> wide;
  const std::size_t lanes = hn::Lanes(d);
  auto even = hn::Zero(wide);
  auto odd = hn::Zero(wide);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto x = hn::LoadU(d, a + i);
    const auto y = hn::LoadU(d, b + i);
    even = hn::Add(even, hn::MulEven(x, y));
    // The odd lanes, moved to the even places.
    const auto x1 = hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, x)));
    const auto y1 = hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, y)));
    odd = hn::Add(odd, hn::MulEven(x1, y1));
  }
  const auto sum = hn::GetLane(hn::SumOfLanes(wide, hn::Add(even, odd)));
  return static_cast<std::uint64_t>(sum) + dot_ref(a + i, b + i, n - i);
}
#endif

}  // namespace avow::prover::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace avow::prover {

HWY_EXPORT(dot);

std::uint64_t dot(const std::int32_t* a, const std::int32_t* b, std::size_t n) {
  return HWY_DYNAMIC_DISPATCH(dot)(a, b, n);
}

std::uint64_t dot_ref(const std::int32_t* a, const std::int32_t* b, std::size_t n) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<std::uint64_t>(std::int64_t{a[i]} * b[i]);
  return sum;
}

}  // namespace avow::prover
#endif
