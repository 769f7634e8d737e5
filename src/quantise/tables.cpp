// SPDX-License-Identifier: Apache-2.0
#include "quantise/tables.hpp"

#include "base/check.hpp"
#include "compile/plan.hpp"

namespace avow::quantise {
namespace {

using fixed::Number;

constexpr std::size_t kRows = std::size_t{1} << 16;
constexpr int kExpBits = 14;                   // of exp_values
constexpr int kLargestWeight = (1 << 16) - 1;  // of weight_values

std::int16_t narrow(std::int64_t value) {
  AVOW_CHECK(value >= -32768 && value <= 32767);
  return static_cast<std::int16_t>(value);
}

// The integer nearest to (2^20 - 2^10) / sqrt(n), without rounding on the way: the largest r with
// (2 r - 1)^2 n <= (2 (2^20 - 2^10))^2. Equality, a value half-way, cannot be: the right side over n would be odd^2,
// but it is 2^22 1023^2 and n < 2^17.
std::int32_t inverse_root(std::uint64_t n) {
  constexpr std::uint64_t kTwice = 2 * ((std::uint64_t{1} << 20) - (std::uint64_t{1} << 10));
  std::uint64_t low = 0, high = std::uint64_t{1} << 20;
  while (high - low > 1) {
    const std::uint64_t middle = (low + high) / 2, odd = 2 * middle - 1;
    (odd * odd <= kTwice * kTwice / n ? low : high) = middle;
  }
  return static_cast<std::int32_t>(low);
}

// exp(-row 2^-bits) for rows below 2^16, each by one product.
class Decay {
 public:
  explicit Decay(int bits) {
    for (std::int64_t i = 0; i < 256; ++i) {
      fine_.push_back(fixed::exp(fixed::of_scaled(-i, bits)));
      coarse_.push_back(fixed::exp(fixed::of_scaled(-256 * i, bits)));
    }
  }
  [[nodiscard]] Number operator()(std::size_t row) const {
    return fixed::multiply(coarse_[row / 256], fine_[row % 256]);
  }

 private:
  std::vector<Number> fine_, coarse_;
};

// x / (1 + exp(-x)), for x < 0 as x exp(x) / (1 + exp(x)).
std::vector<std::int16_t> silu_values(int bits) {
  const Decay decay(bits);
  const Number one = fixed::of_scaled(1, 0);
  std::vector<std::int16_t> values(kRows);
  for (std::size_t row = 0; row < kRows; ++row) {
    const std::int64_t at = static_cast<std::int64_t>(row) - 32768;
    const Number x = fixed::of_scaled(at, bits), power = decay(static_cast<std::size_t>(at < 0 ? -at : at));
    const Number above = at < 0 ? fixed::multiply(x, power) : x;
    values[row] = narrow(fixed::round(fixed::divide(above, one + power), bits));
  }
  return values;
}

Number gelu_tanh(const Number& x, const Number& one) {
  static const Number kFactor = fixed::root(fixed::divide(2 * fixed::of_scaled(1, 0), fixed::pi()));
  const Number cube = fixed::multiply(fixed::multiply(x, x), x);
  const Number inner = fixed::multiply(kFactor, x + cube * 44715 / 1000000);
  return fixed::multiply(x, one + fixed::tanh(inner)) / 2;
}

Number gelu_erf(const Number& x, const Number& one) {
  static const Number kRootOfHalf = fixed::root(fixed::of_scaled(1, 1));
  return fixed::multiply(x, one + fixed::erf(fixed::multiply(x, kRootOfHalf))) / 2;
}

std::vector<std::int16_t> gelu_values(Number (*gelu)(const Number&, const Number&), int bits) {
  const Number one = fixed::of_scaled(1, 0);
  std::vector<std::int16_t> values(kRows);
  for (std::size_t row = 0; row < kRows; ++row) {
    const Number x = fixed::of_scaled(static_cast<std::int64_t>(row) - 32768, bits);
    values[row] = narrow(fixed::round(gelu(x, one), bits));
  }
  return values;
}

}  // namespace

RootTables root_tables() {
  RootTables tables{std::vector<std::int32_t>(kRows), std::vector<std::int32_t>(kRows)};
  for (std::size_t row = 256; row < kRows; ++row) tables.values[row] = inverse_root(row);
  for (std::size_t row = 256; row < kRows; ++row) {
    const std::int32_t next = row + 1 < kRows ? tables.values[row + 1] : inverse_root(kRows);
    tables.slopes[row] = tables.values[row] - next;
  }
  return tables;
}

std::vector<std::int16_t> exp_values(int score_bits) {
  AVOW_CHECK(score_bits >= -40 && score_bits <= 100);
  std::vector<std::int16_t> values(kRows);
  const Decay decay(score_bits);
  for (std::size_t row = 0; row < kRows; ++row) {
    values[row] = narrow(fixed::round(decay(row), kExpBits));
    if (values[row] == 0) break;  // and so is every later one
  }
  return values;
}

std::vector<std::int16_t> act_values(model::Activation activation, int bits) {
  AVOW_CHECK(bits >= -40 && bits <= 60);
  switch (activation) {
    case model::Activation::kSilu:
      return silu_values(bits);
    case model::Activation::kGeluTanh:
      return gelu_values(gelu_tanh, bits);
    case model::Activation::kGeluErf:
      return gelu_values(gelu_erf, bits);
  }
  AVOW_CHECK(false);
}

std::vector<std::int32_t> weight_values() {
  std::vector<std::int32_t> values(compile::kDistanceSteps);
  const Decay decay(8);
  for (std::size_t row = 0; row + 1 < values.size(); ++row) {
    values[row] = static_cast<std::int32_t>(fixed::round(decay(row) * kLargestWeight, 0));
  }
  return values;
}

std::vector<std::int16_t> rotation(std::span<const Number> frequencies, const Number& amplitude,
                                   std::uint64_t context) {
  AVOW_CHECK(amplitude > 0 && amplitude < fixed::of_scaled(2, 0));
  std::vector<std::int16_t> cells;
  cells.reserve(context * frequencies.size() * 4);
  for (std::uint64_t position = 0; position < context; ++position) {
    for (const Number& frequency : frequencies) {
      const auto [cosine, sine] = fixed::turn(frequency * position);
      const std::int64_t c = fixed::round(fixed::multiply(amplitude, cosine), compile::kRotationShift);
      const std::int64_t s = fixed::round(fixed::multiply(amplitude, sine), compile::kRotationShift);
      cells.insert(cells.end(), {narrow(c), narrow(-s), narrow(s), narrow(c)});
    }
  }
  return cells;
}

std::vector<std::int16_t> found_values() {
  std::vector<std::int16_t> cells(512, 1);
  cells[0] = 0;
  return cells;
}

}  // namespace avow::quantise
