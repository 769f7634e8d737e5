// SPDX-License-Identifier: Apache-2.0
#include "provider/pricing.hpp"

#include <algorithm>
#include <limits>

#include "base/check.hpp"

namespace avow::provider {
namespace {

constexpr std::uint64_t kMillisOfHour = 3'600'000;
constexpr std::uint64_t kMicro = 1'000'000;
constexpr std::uint64_t kBasisPoints = 10'000;
constexpr std::uint64_t kPermille = 1'000;
constexpr unsigned kAmountBits = 128;

using chain::U256;

// ceil(a * b / divisor), or all there is.
U256 scaled_up(const U256& a, std::uint64_t b, std::uint64_t divisor) {
  const auto product = multiply(a, b);
  if (!product) return U256::max();
  std::uint64_t rest = 0;
  const U256 quotient = divide(*product, divisor, &rest);
  return rest == 0 ? quotient : add(quotient, 1).value_or(U256::max());
}

}  // namespace

U256 cost_of(const Work& work, const Prices& prices) {
  const U256 compute = scaled_up(prices.compute_hour, work.millis, kMillisOfHour);
  const auto wei = multiply(prices.most_gas_price, work.gas);
  const U256 gas = scaled_up(wei.value_or(U256::max()), prices.microtokens_a_coin, kMicro);
  const auto sum = add(compute, gas);
  return scaled_up(sum.value_or(U256::max()), std::uint64_t{100} + prices.margin_percent, 100);
}

std::optional<std::string> problem_of(const market::Offer& offer) {
  const U256 limit = U256::power_of_two(kAmountBits);
  if (offer.max_price == U256() || offer.max_price >= limit || offer.bond >= limit) {
    return "an amount that no market takes";
  }
  if (offer.min_price > offer.max_price) return "a price that falls";
  if (offer.bond < offer.max_price) return "a bond below the price";
  if (offer.base_permille > kPermille) return "a base that is more than the whole";
  return std::nullopt;
}

U256 income_of(const market::Request& request, const U256& price, std::uint32_t produced,
               std::uint64_t fee_basis_points) {
  AVOW_CHECK(fee_basis_points <= kBasisPoints && produced <= request.max_new_tokens);
  const U256 payment = market::payment_of(price, request.offer.base_permille, produced, request.max_new_tokens);
  const auto fee = multiply(payment, fee_basis_points);
  AVOW_CHECK(fee.has_value());
  return *subtract(payment, divide(*fee, kBasisPoints));
}

// Prices never fall, so there is one moment, which is found by halving.
std::optional<std::uint64_t> worth_from(const market::Request& request, const U256& income, std::uint32_t produced,
                                        std::uint64_t fee_basis_points, std::uint64_t now) {
  const auto pays = [&](std::uint64_t time) {
    return income_of(request, market::price_at(request.offer, time), produced, fee_basis_points) >= income;
  };
  std::uint64_t late = request.offer.deadline;
  if (now > late || !pays(late)) return std::nullopt;
  std::uint64_t early = now;
  while (early < late) {
    const std::uint64_t middle = early + (late - early) / 2;
    if (pays(middle)) {
      late = middle;
    } else {
      early = middle + 1;
    }
  }
  return late;
}

}  // namespace avow::provider
