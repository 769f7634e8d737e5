// SPDX-License-Identifier: Apache-2.0
#include "provider/estimates.hpp"

#include <algorithm>
#include <iterator>

#include "base/check.hpp"

namespace avow::provider {
namespace {

// Receipts of November 2026 (spec/chain.md, section 4): a proof of 113,300 bytes takes 9.0M gas; each token beyond
// takes 1,500 and more; bytes grow by a tenth when places double. Rounded up, as they only have to do until a proof of
// the size was settled.
constexpr std::uint64_t kGasOfByte = 84;
constexpr std::uint64_t kGasOfPlace = 3'300;
constexpr std::uint64_t kGasOfPayment = 200'000;
constexpr std::uint64_t kGasOfAnswer = 120'000;
constexpr std::uint64_t kBytesPercentOfDoubling = 12;
// What a transaction has besides its part of the proof: the delivery, of which each place has at most so many bytes,
// and in steps the state, which each is given again.
constexpr std::uint64_t kBytesOfWhole = 2'000;
constexpr std::uint64_t kBytesOfStep = 12'000;
constexpr std::uint64_t kBytesOfPlace = 12;

std::uint64_t divided_up(std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

// value * to / from, rounded up; 0 < from < to, below 2^18 (answer::kMostPlaces), value far below 2^46.
std::uint64_t in_proportion(std::uint64_t value, std::uint64_t from, std::uint64_t to) {
  return divided_up(value * to, from);
}

Measure scaled_to(const Measure& known, std::uint64_t places) {
  Measure scaled = known;
  scaled.places = places;
  scaled.run_millis = in_proportion(known.run_millis, known.places, places);
  scaled.prove_millis = in_proportion(known.prove_millis, known.places, places);
  for (std::uint64_t reached = known.places; reached < places; reached *= 2) {
    scaled.bytes += divided_up(scaled.bytes * kBytesPercentOfDoubling, 100);
  }
  if (known.gas != 0) scaled.gas += (places - known.places) * kGasOfPlace;
  return scaled;
}

}  // namespace

std::uint64_t places_of(const compile::Lengths& lengths) {
  const compile::Lengths padded = compile::instance_lengths(lengths);
  return padded.requests * padded.tokens;
}

std::uint64_t places_of(std::uint64_t requests, std::uint64_t tokens) {
  return places_of(compile::Lengths{std::max<std::uint64_t>(requests, 1), std::max<std::uint64_t>(tokens, 1), 1});
}

void Estimates::add(const Measure& measure) {
  if (measure.places == 0) return;
  Measure& stored = measures_[measure.places];
  const std::uint64_t gas = measure.gas != 0 ? measure.gas : stored.gas;
  stored = measure;
  stored.gas = gas;
}

Estimate Estimates::of(std::uint64_t places, std::uint64_t requests, const TransactionLimits& limits) const {
  AVOW_CHECK(!measures_.empty() && limits.bytes > kBytesOfStep && limits.gas > 0);
  const auto larger = measures_.lower_bound(places);
  const Measure measure = larger != measures_.end() ? larger->second : scaled_to(measures_.rbegin()->second, places);
  Estimate estimate{measure.run_millis, measure.prove_millis, measure.gas, 1};
  if (estimate.gas == 0) estimate.gas = measure.bytes * kGasOfByte + kGasOfPayment + requests * kGasOfAnswer;
  const bool is_whole =
      measure.bytes + kBytesOfWhole + places * kBytesOfPlace <= limits.bytes && estimate.gas <= limits.gas;
  if (is_whole) return estimate;
  const std::uint64_t by_bytes = divided_up(measure.bytes, limits.bytes - kBytesOfStep);
  estimate.transactions = std::max({std::uint64_t{2}, by_bytes, divided_up(estimate.gas, limits.gas)});
  return estimate;
}

std::uint64_t with_margin(std::uint64_t value, std::uint32_t percent) {
  return value + divided_up(value * percent, 100);
}

}  // namespace avow::provider
