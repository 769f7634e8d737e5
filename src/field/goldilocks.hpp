// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.hpp"

namespace avow::field {

/// p = 2^64 - 2^32 + 1. 2^32 divides p - 1; 2^64 = 2^32 - 1 and 2^96 = -1 modulo p.
inline constexpr std::uint64_t kP = 0xffffffff00000001ull;
/// 2^64 mod p.
inline constexpr std::uint64_t kEpsilon = 0xffffffffull;
/// Largest k with 2^k | p - 1: evaluation domains have at most 2^32 points.
inline constexpr unsigned kTwoAdicity = 32;

__extension__ using Uint128 = unsigned __int128;

/// Canonical representative of any 128-bit integer modulo p.
constexpr std::uint64_t reduce128(Uint128 x) noexcept {
  const auto lo = static_cast<std::uint64_t>(x);
  const auto hi = static_cast<std::uint64_t>(x >> 64);
  const std::uint64_t hi_hi = hi >> 32;
  const std::uint64_t hi_lo = hi & kEpsilon;
  std::uint64_t t = lo - hi_hi;  // x = lo + 2^64 hi_lo + 2^96 hi_hi
  if (lo < hi_hi) t -= kEpsilon;
  const std::uint64_t u = hi_lo * kEpsilon;
  std::uint64_t r = t + u;
  if (r < u) r += kEpsilon;
  return r >= kP ? r - kP : r;
}

/// An element of the Goldilocks field, always canonical: 0 <= value() < p.
class Fp {
 public:
  constexpr Fp() noexcept = default;
  /// Any 64-bit integer, reduced.
  constexpr explicit Fp(std::uint64_t v) noexcept : v_(v >= kP ? v - kP : v) {}
  /// A signed integer, reduced: from_int(-1) is p - 1.
  static constexpr Fp from_int(std::int64_t v) noexcept {
    return from_canonical_unchecked(v >= 0 ? Fp(static_cast<std::uint64_t>(v)).v_
                                           : kP - (~static_cast<std::uint64_t>(v) + 1));
  }
  /// Requires v < p.
  static constexpr Fp from_canonical_unchecked(std::uint64_t v) noexcept {
    Fp r;
    r.v_ = v;
    return r;
  }
  /// The element with representative v, or nothing if v >= p: the door for untrusted bytes.
  static constexpr std::optional<Fp> from_canonical(std::uint64_t v) noexcept {
    if (v >= kP) return std::nullopt;
    return from_canonical_unchecked(v);
  }
  [[nodiscard]] constexpr std::uint64_t value() const noexcept { return v_; }

  friend constexpr bool operator==(Fp, Fp) noexcept = default;
  friend constexpr Fp operator+(Fp a, Fp b) noexcept {
    const std::uint64_t s = a.v_ + b.v_;
    return from_canonical_unchecked(s < a.v_ || s >= kP ? s - kP : s);
  }
  friend constexpr Fp operator-(Fp a, Fp b) noexcept {
    return from_canonical_unchecked(a.v_ >= b.v_ ? a.v_ - b.v_ : a.v_ - b.v_ + kP);
  }
  friend constexpr Fp operator*(Fp a, Fp b) noexcept {
    return from_canonical_unchecked(reduce128(static_cast<Uint128>(a.v_) * b.v_));
  }
  constexpr Fp operator-() const noexcept { return from_canonical_unchecked(v_ == 0 ? 0 : kP - v_); }
  constexpr Fp& operator+=(Fp b) noexcept { return *this = *this + b; }
  constexpr Fp& operator-=(Fp b) noexcept { return *this = *this - b; }
  constexpr Fp& operator*=(Fp b) noexcept { return *this = *this * b; }

  /// this^e by square and multiply; 0^0 = 1.
  [[nodiscard]] constexpr Fp pow(std::uint64_t e) const noexcept {
    Fp result = from_canonical_unchecked(1);
    for (Fp base = *this; e != 0; e >>= 1, base *= base) {
      if (e & 1) result *= base;
    }
    return result;
  }
  /// 1/this; the inverse of 0 is 0 (callers that divide check first).
  [[nodiscard]] constexpr Fp inverse() const noexcept { return pow(kP - 2); }

 private:
  std::uint64_t v_ = 0;
};

inline constexpr Fp kOne = Fp::from_canonical_unchecked(1);

/// 7 generates the multiplicative group of F_p.
inline constexpr Fp kGenerator = Fp::from_canonical_unchecked(7);

namespace detail {
inline constexpr std::array<Fp, kTwoAdicity + 1> kRootsOfUnity = [] {
  std::array<Fp, kTwoAdicity + 1> roots;
  roots[kTwoAdicity] = kGenerator.pow((kP - 1) >> kTwoAdicity);
  for (unsigned k = kTwoAdicity; k > 0; --k) roots[k - 1] = roots[k] * roots[k];
  return roots;
}();
}  // namespace detail

/// Primitive 2^k-th root of unity, k <= 32: kGenerator^((p-1)/2^k), so root_of_unity(k)^2 = root_of_unity(k-1).
[[nodiscard]] constexpr Fp root_of_unity(unsigned k) noexcept { return detail::kRootsOfUnity[k]; }

/// x 2^64: the form in which constant factors are given to field::mul_montgomery (simd-inl.hpp).
[[nodiscard]] constexpr Fp to_montgomery(Fp x) noexcept { return x * Fp(kEpsilon); }

/// The point of the evaluation domain of size 2^log_size that position `index` of a codeword holds. Codewords are
/// stored in bit-reversed order: the exponent of root_of_unity(log_size) is `index` with its log_size bits reversed.
[[nodiscard]] Fp domain_point(unsigned log_size, std::uint64_t index) noexcept;

/// Replaces every element by its inverse with one inversion in all (Montgomery's trick); zeros stay zero.
void batch_inverse(std::span<Fp> elements);

/// Encoding: 8 bytes, big-endian, canonical.
inline void encode(Fp x, std::uint8_t out[8]) noexcept { base::store_be64(out, x.value()); }
/// Nothing for an encoding of p or more.
inline std::optional<Fp> decode_fp(const std::uint8_t in[8]) noexcept {
  return Fp::from_canonical(base::load_be64(in));
}

}  // namespace avow::field
