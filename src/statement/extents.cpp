// SPDX-License-Identifier: Apache-2.0
#include "statement/extents.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/check.hpp"
#include "field/factor.hpp"

namespace avow::statement {

using field::Fp;
using field::Fp3;
using field::kOne3;

Moments moments_below(std::span<const Fp3> point, std::uint64_t n) noexcept {
  // Over the low bits that were looked at: the sums below n's low bits, and of everything (whose count is 1).
  Moments below;
  Fp3 all;
  for (std::size_t b = 0; b < point.size(); ++b) {
    const Fp3& r = point[b];
    const Fp bit = Fp(std::uint64_t{1} << b);
    const Moments high = {r * below.count, r * (below.sum + below.count * bit)};  // this bit of x is 1
    const Fp3 low = kOne3 - r;
    if (((n >> b) & 1) != 0) {
      below = {low + high.count, low * all + high.sum};
    } else {
      below = {low * below.count, low * below.sum};
    }
    all += r * bit;
  }
  if (point.size() < 64 && (n >> point.size()) != 0) return {kOne3, all};
  return below;
}

Fp3 eq_at(std::span<const Fp3> point, std::uint64_t x) noexcept {
  Fp3 product = kOne3;
  for (std::size_t b = 0; b < point.size(); ++b) product *= ((x >> b) & 1) != 0 ? point[b] : kOne3 - point[b];
  return product;
}

Fp3 affine_extension(std::span<const AffineVariable> variables, std::int64_t constant, AffineCondition condition) {
  AVOW_CHECK(variables.size() <= 4);
  // A reader of all indices at once, lowest bits first. Its state after b bits: the sum of a_j (low b bits of x_j) +
  // constant, divided by 2^b and rounded down (for kZero it must divide), and for each variable whether its low b bits
  // are above those of length - 1. The weight of a state is the sum of eq over all low bits that lead to it. From one
  // start there are at most sum of |a_j| + 1 different sums.
  using State = std::pair<std::int64_t, unsigned>;
  std::map<State, Fp3> states = {{{constant, 0}, kOne3}};
  std::size_t bits = 0;
  for (const AffineVariable& v : variables) bits = std::max(bits, v.point.size());
  for (std::size_t b = 0; b < bits; ++b) {
    std::array<std::array<Fp3, 2>, 4> factors;
    unsigned fixed = 0;  // variables that have no bit b
    unsigned last = 0;   // bit b of each length - 1
    for (std::size_t j = 0; j < variables.size(); ++j) {
      const AffineVariable& v = variables[j];
      if (b >= v.point.size()) {
        fixed |= 1u << j;
        factors[j] = {kOne3, Fp3()};
      } else {
        factors[j] = {kOne3 - v.point[b], v.point[b]};
        last |= static_cast<unsigned>(((v.length - 1) >> b) & 1) << j;
      }
    }
    std::map<State, Fp3> next;
    for (unsigned choice = 0; choice < 1u << variables.size(); ++choice) {
      if ((choice & fixed) != 0) continue;
      Fp3 weight = kOne3;
      std::int64_t step = 0;
      for (std::size_t j = 0; j < variables.size(); ++j) {
        const unsigned bit = (choice >> j) & 1;
        weight *= factors[j][bit];
        if (bit != 0) step += variables[j].coefficient;
      }
      const unsigned differs = choice ^ last;
      for (const auto& [state, value] : states) {
        const std::int64_t sum = state.first + step;
        if (condition == AffineCondition::kZero && (sum & 1) != 0) continue;
        const unsigned above = (differs & choice) | (~differs & state.second);
        next[{sum >> 1, above & ((1u << variables.size()) - 1)}] += value * weight;
      }
    }
    states = std::move(next);
  }
  Fp3 result;
  for (const auto& [state, value] : states) {
    const bool holds = condition == AffineCondition::kZero ? state.first == 0 : state.first < 0;
    if (holds && state.second == 0) result += value;
  }
  return result;
}

}  // namespace avow::statement
