// SPDX-License-Identifier: Apache-2.0
#include "runtime/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.hpp"

namespace avow::runtime {
namespace {

using compile::kDistanceSteps;
using Histogram = std::array<std::int64_t, kDistanceSteps>;

/// The least u at which unit * (sum up to u) reaches the goal.
struct Threshold {
  std::uint32_t last = 0;
  std::int64_t up_to = 0, before = 0;
};
template <typename Term>
Threshold find_threshold(std::int64_t goal, std::int64_t unit, Term&& term) {
  Threshold t;
  for (std::uint32_t u = 0;; ++u) {
    AVOW_CHECK(u < kDistanceSteps);
    t.last = u;
    t.before = t.up_to;
    t.up_to += term(u);
    if (unit * t.up_to >= goal) return t;
  }
}

}  // namespace

MaybeError check_sampling(const Sampling& sampling, std::uint64_t vocabulary) {
  const struct {
    const char* name;
    std::uint64_t value, least, largest;
  } numbers[] = {{"tau", sampling.tau, 0, compile::kLargestTau},
                 {"k", sampling.top_k, 1, vocabulary},
                 {"P", sampling.portion, 1, std::uint64_t{1} << compile::kPortionShift}};
  for (const auto& [name, value, least, largest] : numbers) {
    if (value >= least && value <= largest) continue;
    return Error{Cause::kRequest, fmt::format("{} is {}, not {} to {}", name, value, least, largest)};
  }
  return std::nullopt;
}

std::int64_t scaled_distance(std::int32_t max, std::int32_t logit, const Sampling& sampling) noexcept {
  // Below 2^25 times 2^14.
  const std::int64_t product = (std::int64_t{max} - logit) * sampling.tau;
  return (product + (1 << (compile::kTauShift - 1))) >> compile::kTauShift;
}

// No sum overflows: weights are at most 2^16, words at most 2^18, so that masses are at most 2^34 and their products
// with P, 2^16, u or 2^28 at most 2^62.
base::Result<Selection, Error> select(std::span<const std::int32_t> logits, std::span<const std::int32_t> weights,
                                      const Sampling& sampling, std::uint32_t random, unsigned overflow_bits) {
  AVOW_CHECK(!logits.empty() && weights.size() == kDistanceSteps);
  Selection s;
  s.random = random;
  const auto top = std::max_element(logits.begin(), logits.end());
  s.max = *top;
  s.first = static_cast<std::uint32_t>(top - logits.begin());

  constexpr std::int64_t kLast = kDistanceSteps - 1;
  Histogram histogram{};
  std::int64_t excess = 0;
  for (const std::int32_t z : logits) {
    const std::int64_t exact = scaled_distance(s.max, z, sampling);
    excess = std::max(excess, exact - kLast);
    ++histogram[static_cast<std::size_t>(std::min(exact, kLast))];
  }
  if (excess >= std::int64_t{1} << overflow_bits) {
    return base::Err{Error{Cause::kRange, fmt::format("excess: a distance of {} steps", excess + kLast)}};
  }

  for (std::size_t u = 0; u < kDistanceSteps; ++u) s.mass += histogram[u] * weights[u];
  const Threshold k = find_threshold(sampling.top_k, 1, [&](std::uint32_t u) { return histogram[u]; });
  const Threshold p = find_threshold(sampling.portion * s.mass, 1 << compile::kPortionShift,
                                     [&](std::uint32_t u) { return histogram[u] * weights[u]; });
  s.last_k = k.last;
  s.words = k.up_to;
  s.words_before = k.before;
  s.last_p = p.last;
  s.mass_up_to = p.up_to;
  s.mass_before = p.before;

  const std::uint32_t above = s.above();
  for (std::uint32_t u = 0; u < above; ++u) s.total += histogram[u] * weights[u];
  const std::int64_t drawn = random * s.total;
  // The total is what the own weights add up to, and u < 2^28: a word is found.
  for (s.chosen = 0;; ++s.chosen, s.before += s.own) {
    AVOW_CHECK(s.chosen < logits.size());
    const std::int64_t u = std::min(scaled_distance(s.max, logits[s.chosen], sampling), kLast);
    s.own = u < above ? weights[static_cast<std::size_t>(u)] : 0;
    if (drawn < (s.before + s.own) << compile::kRandomBits) break;
  }
  return s;
}

}  // namespace avow::runtime
