// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "field/goldilocks.hpp"

namespace avow::field {

/// Bytes of an encoded extension element: three base elements, constant coefficient first.
inline constexpr std::size_t kFp3Bytes = 24;

/// An element c0 + c1 X + c2 X^2 of F_p[X]/(X^3 - 2), the field of all challenges (192 bits). 2 is not a cube modulo p:
/// its order, 192, does not divide (p-1)/3.
struct Fp3 {
  std::array<Fp, 3> c{};

  constexpr Fp3() noexcept = default;
  constexpr Fp3(Fp c0, Fp c1, Fp c2) noexcept : c{c0, c1, c2} {}
  constexpr explicit Fp3(Fp base) noexcept : c{base, Fp(), Fp()} {}

  friend constexpr bool operator==(const Fp3&, const Fp3&) noexcept = default;
  friend constexpr Fp3 operator+(const Fp3& a, const Fp3& b) noexcept {
    return {a.c[0] + b.c[0], a.c[1] + b.c[1], a.c[2] + b.c[2]};
  }
  friend constexpr Fp3 operator-(const Fp3& a, const Fp3& b) noexcept {
    return {a.c[0] - b.c[0], a.c[1] - b.c[1], a.c[2] - b.c[2]};
  }
  constexpr Fp3 operator-() const noexcept { return {-c[0], -c[1], -c[2]}; }
  friend constexpr Fp3 operator*(const Fp3& a, const Fp3& b) noexcept;
  friend constexpr Fp3 operator*(const Fp3& a, Fp b) noexcept { return {a.c[0] * b, a.c[1] * b, a.c[2] * b}; }
  friend constexpr Fp3 operator*(Fp a, const Fp3& b) noexcept { return b * a; }
  constexpr Fp3& operator+=(const Fp3& b) noexcept { return *this = *this + b; }
  constexpr Fp3& operator-=(const Fp3& b) noexcept { return *this = *this - b; }
  constexpr Fp3& operator*=(const Fp3& b) noexcept { return *this = *this * b; }
  constexpr Fp3& operator*=(Fp b) noexcept { return *this = *this * b; }

  [[nodiscard]] constexpr Fp3 pow(std::uint64_t e) const noexcept;
  /// 1/this by the norm; the inverse of 0 is 0.
  [[nodiscard]] constexpr Fp3 inverse() const noexcept;
};

inline constexpr Fp3 kOne3 = Fp3(kOne);

namespace detail {

/// Sum of up to 2^32 products of canonical elements without intermediate reduction: 128 bits and a carry count.
struct WideSum {
  Uint128 low = 0;
  std::uint64_t carries = 0;

  constexpr void add_product(Fp a, Fp b) noexcept {
    const Uint128 product = static_cast<Uint128>(a.value()) * b.value();
    low += product;
    carries += low < product ? 1 : 0;
  }
  constexpr void add(const WideSum& other) noexcept {
    low += other.low;
    carries += other.carries + (low < other.low ? 1 : 0);
  }
  /// 2^128 = -2^32 modulo p.
  [[nodiscard]] constexpr Fp reduce() const noexcept {
    return Fp::from_canonical_unchecked(reduce128(low)) -
           Fp::from_canonical_unchecked(reduce128(static_cast<Uint128>(carries) << 32));
  }
};

}  // namespace detail

constexpr Fp3 operator*(const Fp3& a, const Fp3& b) noexcept {
  // Schoolbook with X^3 = 2: nine 64-bit products, three reductions.
  detail::WideSum s0, s1, s2, h0, h1;
  s0.add_product(a.c[0], b.c[0]);
  h0.add_product(a.c[1], b.c[2]);
  h0.add_product(a.c[2], b.c[1]);
  s1.add_product(a.c[0], b.c[1]);
  s1.add_product(a.c[1], b.c[0]);
  h1.add_product(a.c[2], b.c[2]);
  s2.add_product(a.c[0], b.c[2]);
  s2.add_product(a.c[1], b.c[1]);
  s2.add_product(a.c[2], b.c[0]);
  s0.add(h0);
  s0.add(h0);
  s1.add(h1);
  s1.add(h1);
  return {s0.reduce(), s1.reduce(), s2.reduce()};
}

constexpr Fp3 Fp3::pow(std::uint64_t e) const noexcept {
  Fp3 result = kOne3;
  for (Fp3 base = *this; e != 0; e >>= 1, base *= base) {
    if (e & 1) result *= base;
  }
  return result;
}

constexpr Fp3 Fp3::inverse() const noexcept {
  // Adjugate over norm: N(a) = a0^3 + 2 a1^3 + 4 a2^3 - 6 a0 a1 a2 lies in the base field.
  const Fp two = Fp(2);
  const Fp t0 = c[0] * c[0] - two * c[1] * c[2];
  const Fp t1 = two * c[2] * c[2] - c[0] * c[1];
  const Fp t2 = c[1] * c[1] - c[0] * c[2];
  const Fp norm = c[0] * t0 + two * (c[2] * t1 + c[1] * t2);
  return Fp3{t0, t1, t2} * norm.inverse();
}

/// Replaces every element by its inverse with one inversion in all; zeros stay zero.
void batch_inverse(std::span<Fp3> elements);

/// Encoding: c0, c1, c2, each 8 bytes big-endian.
inline void encode(const Fp3& x, std::uint8_t out[kFp3Bytes]) noexcept {
  for (std::size_t i = 0; i < 3; ++i) encode(x.c[i], out + 8 * i);
}
/// Nothing if any coefficient is p or more.
inline std::optional<Fp3> decode_fp3(const std::uint8_t in[kFp3Bytes]) noexcept {
  Fp3 r;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto c = decode_fp(in + 8 * i);
    if (!c) return std::nullopt;
    r.c[i] = *c;
  }
  return r;
}

}  // namespace avow::field
