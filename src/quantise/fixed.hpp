// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmpxx.h>

#include <cstdint>

/// Functions of real numbers in integer arithmetic of many digits, for cells that must be equal on every machine: no
/// mathematical library decides a bit of them.
namespace avow::quantise::fixed {

/// A real number v as floor(v 2^kPrecision), or close to it. Results below 2^32 in size are exact to 2^-200 or
/// better.
using Number = mpz_class;
inline constexpr unsigned kPrecision = 320;

/// value * 2^-fraction_bits. fraction_bits may be negative.
[[nodiscard]] Number of_scaled(std::int64_t value, int fraction_bits);
/// The finite double itself: below 2^63 in size, bits beyond kPrecision cut off.
[[nodiscard]] Number of_double(double value);

[[nodiscard]] Number multiply(const Number& a, const Number& b);
/// b is not 0.
[[nodiscard]] Number divide(const Number& a, const Number& b);
/// a >= 0.
[[nodiscard]] Number root(const Number& a);

[[nodiscard]] const Number& pi();
/// 0 where it is below 2^-kPrecision; x is at most 256.
[[nodiscard]] Number exp(const Number& x);
/// x > 0.
[[nodiscard]] Number log(const Number& x);
[[nodiscard]] Number tanh(const Number& x);
[[nodiscard]] Number erf(const Number& x);

struct Turn {
  Number cosine, sine;
};
[[nodiscard]] Turn turn(const Number& angle);

/// The integer nearest to x 2^fraction_bits (fraction_bits from -300 to 200); of two the lower one. The result must
/// fit.
[[nodiscard]] std::int64_t round(const Number& x, int fraction_bits);

}  // namespace avow::quantise::fixed
