// SPDX-License-Identifier: Apache-2.0
#include "reduction/digits.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "field/factor.hpp"
#include "statement/extents.hpp"

namespace avow::reduction {
namespace {

using field::Fp;
using field::Fp3;
using field::kOne3;
using statement::StructuredKind;

constexpr unsigned kDigitBits = 4;
constexpr unsigned kMostDigits = 3;

// eq of a digit's coordinates and each value of the digit, and the sums of those of all smaller ones. The highest digit
// has one value more: that of the number behind all that the coordinates reach, which no index is.
struct DigitTable {
  std::vector<Fp3> eq;
  std::vector<Fp3> below;
};

DigitTable digit_table(std::span<const Fp3> point) {
  DigitTable table{field::eq_table(point), {Fp3()}};
  for (const Fp3& x : table.eq) table.below.push_back(table.below.back() + x);
  table.eq.emplace_back();
  return table;
}

}  // namespace

bool is_read(const statement::Tensor& tensor) {
  if (tensor.kind != statement::TensorKind::kStructured) return false;
  const StructuredKind kind = tensor.structured.kind;
  return kind == StructuredKind::kOneHot || kind == StructuredKind::kBelow || kind == StructuredKind::kValue;
}

unsigned digits_of(const statement::Statement& statement, const statement::Tensor& tensor) {
  if (tensor.structured.kind == StructuredKind::kValue) return 0;
  const auto& axis = statement.axes[statement.root(tensor.axes.back())];
  const unsigned bits = statement::log_extent(axis.length);
  return std::clamp((bits + kDigitBits - 1) / kDigitBits, 1u, kMostDigits);
}

DigitSum digit_sum(const statement::Binding& binding, const statement::Tensor& tensor, std::span<const Fp3> last) {
  AVOW_CHECK(is_read(tensor));
  const auto values = binding.values(tensor.structured.values);
  DigitSum sum;
  const auto add_factor = [&](auto&& function) {
    sum.factors.emplace_back(values.size());
    std::transform(values.begin(), values.end(), sum.factors.back().begin(), function);
  };
  if (tensor.structured.kind == StructuredKind::kValue) {
    add_factor([](std::int64_t value) { return Fp3(Fp::from_int(value)); });
    sum.terms.push_back({0});
    return sum;
  }
  const bool is_below = tensor.structured.kind == StructuredKind::kBelow;
  const std::uint64_t length = binding.length(tensor.axes.back());
  const std::uint64_t beyond = is_below ? length : std::uint64_t{1} << last.size();
  const unsigned digits = digits_of(binding.statement(), tensor);
  const std::size_t width = (last.size() + digits - 1) / digits;
  std::vector<std::size_t> equal;  // factors of higher digits
  for (unsigned digit = digits; digit-- > 0;) {
    const std::size_t low = std::min(digit * width, last.size());
    const bool is_highest = digit + 1 == digits;
    const std::size_t high = is_highest ? last.size() : std::min(low + width, last.size());
    const DigitTable table = digit_table(last.subspan(low, high - low));
    const auto digit_at = [&](std::int64_t value) {
      const auto x = static_cast<std::uint64_t>(value);
      const std::uint64_t rest = (x < length ? x : beyond) >> low;
      return static_cast<std::size_t>(is_highest ? rest : rest & ((std::uint64_t{1} << (high - low)) - 1));
    };
    if (is_below) {
      sum.terms.push_back(equal);
      sum.terms.back().push_back(sum.factors.size());
      add_factor([&](std::int64_t value) { return table.below[digit_at(value)]; });
      if (digit == 0) break;
    }
    equal.push_back(sum.factors.size());
    add_factor([&](std::int64_t value) { return table.eq[digit_at(value)]; });
  }
  if (!is_below) sum.terms.push_back(equal);
  return sum;
}

Fp3 evaluate(const DigitSum& sum, std::span<const Fp3> weights) {
  std::vector<Fp3> at(sum.factors.size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    for (std::size_t x = 0; x < weights.size(); ++x) at[i] += weights[x] * sum.factors[i][x];
  }
  Fp3 total;
  for (const auto& term : sum.terms) {
    Fp3 product = kOne3;
    for (const std::size_t factor : term) product *= at[factor];
    total += product;
  }
  return total;
}

}  // namespace avow::reduction
