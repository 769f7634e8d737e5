// SPDX-License-Identifier: Apache-2.0
#include "quantise/fixed.hpp"

#include <cmath>

#include "base/check.hpp"

namespace avow::quantise::fixed {
namespace {

Number one() { return Number(1) << kPrecision; }

// x 2^bits, rounded down.
Number shifted(const Number& x, int bits) {
  return bits >= 0 ? Number(x << static_cast<unsigned>(bits)) : Number(x >> static_cast<unsigned>(-bits));
}

// arctan(1 / n) by its series.
Number arctan_of_inverse(unsigned long n) {
  Number power = one() / n, sum = power;
  for (unsigned long k = 1; power != 0; ++k) {
    power /= n * n;
    const Number term = power / (2 * k + 1);
    sum += k % 2 == 0 ? term : Number(-term);
  }
  return sum;
}

// ln 2 = 2 artanh(1/3).
const Number& ln2() {
  static const Number kLn2 = [] {
    Number power = one() / 3, sum = power;
    for (unsigned long k = 1; power != 0; ++k) {
      power /= 9;
      sum += power / (2 * k + 1);
    }
    return Number(sum * 2);
  }();
  return kLn2;
}

// exp(x) for 0 <= x < 1: x is divided by 2^8, and the result squared as often.
Number exp_of_fraction(const Number& x) {
  constexpr unsigned kHalvings = 8;
  const Number small = x >> kHalvings;
  Number term = one(), sum = term;
  for (unsigned long k = 1; term != 0; ++k) {
    term = multiply(term, small) / k;
    sum += term;
  }
  for (unsigned i = 0; i < kHalvings; ++i) sum = multiply(sum, sum);
  return sum;
}

}  // namespace

Number of_scaled(std::int64_t value, int fraction_bits) {
  static_assert(sizeof(long) == sizeof(std::int64_t));
  return shifted(Number(static_cast<long>(value)), static_cast<int>(kPrecision) - fraction_bits);
}

Number of_double(double value) {
  AVOW_CHECK(std::isfinite(value) && std::abs(value) < 0x1p63);
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);  // exact, as is the next step
  return of_scaled(static_cast<std::int64_t>(std::ldexp(mantissa, 53)), 53 - exponent);
}

Number multiply(const Number& a, const Number& b) { return Number(a * b) >> kPrecision; }

Number divide(const Number& a, const Number& b) { return Number(a << kPrecision) / b; }

Number root(const Number& a) { return ::sqrt(Number(a << kPrecision)); }

const Number& pi() {
  // Machin's formula.
  static const Number kPi = 16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239);
  return kPi;
}

Number exp(const Number& x) {
  AVOW_CHECK(x <= 256 * one());
  if (x < -256 * one()) return 0;
  Number quotient, rest;
  mpz_fdiv_qr(quotient.get_mpz_t(), rest.get_mpz_t(), x.get_mpz_t(), ln2().get_mpz_t());
  return shifted(exp_of_fraction(rest), static_cast<int>(quotient.get_si()));
}

// x = m 2^k with 1 <= m < 2, and ln m = 2 artanh((m - 1) / (m + 1)).
Number log(const Number& x) {
  AVOW_CHECK(x > 0);
  const int exponent = static_cast<int>(mpz_sizeinbase(x.get_mpz_t(), 2)) - 1 - static_cast<int>(kPrecision);
  const Number mantissa = shifted(x, -exponent);
  const Number ratio = divide(mantissa - one(), mantissa + one()), square = multiply(ratio, ratio);
  Number power = ratio, sum = ratio;
  for (unsigned long k = 1; power != 0; ++k) {
    power = multiply(power, square);
    sum += power / (2 * k + 1);
  }
  return 2 * sum + ln2() * exponent;
}

Number tanh(const Number& x) {
  if (x < 0) return -tanh(-x);
  const Number power = exp(-2 * x);
  return divide(one() - power, one() + power);
}

Number erf(const Number& x) {
  if (x < 0) return -erf(-x);
  // 1 - erf(15) is below 2^-kPrecision.
  if (x > 15 * one()) return one();
  // 2 / sqrt(pi) exp(-x^2) times the sum of 2^n x^(2n+1) / (1 3 5 .. (2n+1)), all of whose terms are positive.
  const Number square = multiply(x, x);
  Number term = x, sum = x;
  for (unsigned long n = 1; term != 0; ++n) {
    term = multiply(term, square) * 2 / (2 * n + 1);
    sum += term;
  }
  // exp(-x^2) itself would have too few digits.
  return divide(2 * sum, multiply(exp(square), root(pi())));
}

Turn turn(const Number& angle) {
  const Number quarter = pi() / 2;
  Number quarters, rest;
  mpz_fdiv_qr(quarters.get_mpz_t(), rest.get_mpz_t(), angle.get_mpz_t(), quarter.get_mpz_t());
  const Number square = multiply(rest, rest);
  Number cosine = one(), sine = rest, term = one();
  for (unsigned long k = 2; term != 0; k += 2) {
    term = -(multiply(term, square) / (k * (k - 1)));
    cosine += term;
  }
  term = rest;
  for (unsigned long k = 3; term != 0; k += 2) {
    term = -(multiply(term, square) / (k * (k - 1)));
    sine += term;
  }
  switch (mpz_fdiv_ui(quarters.get_mpz_t(), 4)) {
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

std::int64_t round(const Number& x, int fraction_bits) {
  // ceil(x 2^bits - 1/2) = -floor(1/2 - x 2^bits)
  const int down = static_cast<int>(kPrecision) - fraction_bits;
  AVOW_CHECK(down >= 1);
  const Number half = Number(1) << static_cast<unsigned>(down - 1);
  const Number nearest = -shifted(half - x, -down);
  AVOW_CHECK(nearest.fits_slong_p());
  return nearest.get_si();
}

}  // namespace avow::quantise::fixed
