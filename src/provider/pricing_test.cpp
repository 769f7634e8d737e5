// SPDX-License-Identifier: Apache-2.0
#include "provider/pricing.hpp"

#include <gtest/gtest.h>

#include "provider/job_testing.hpp"

namespace avow::provider {
namespace {

using chain::U256;
using testing::tokens;

TEST(Pricing, AddsComputeGasAndMargin) {
  Prices prices;
  prices.compute_hour = tokens(36);
  prices.microtokens_a_coin = 2'000'000;
  prices.most_gas_price = 1'000'000'000;
  prices.margin_percent = 0;
  EXPECT_EQ(cost_of({1'000, 0}, prices), *multiply(U256(10'000'000'000'000'000), 1)) << "a second of 36 an hour";
  EXPECT_EQ(cost_of({0, 1'000'000}, prices), U256(2'000'000'000'000'000)) << "a thousandth of a coin, at two tokens";
  prices.margin_percent = 50;
  EXPECT_EQ(cost_of({0, 1'000'000}, prices), U256(3'000'000'000'000'000));
  EXPECT_EQ(cost_of({0, 0}, prices), U256());
}

TEST(Pricing, RoundsUp) {
  Prices prices;
  prices.compute_hour = 1;
  prices.margin_percent = 0;
  EXPECT_EQ(cost_of({1, 0}, prices), U256(1));
  prices.margin_percent = 1;
  EXPECT_EQ(cost_of({1, 0}, prices), U256(2));
}

TEST(Pricing, IsAllThereIsWhereNumbersEnd) {
  Prices prices;
  prices.compute_hour = U256::max();
  EXPECT_EQ(cost_of({2, 0}, prices), U256::max());
  prices.compute_hour = 1;
  prices.most_gas_price = U256::max();
  prices.microtokens_a_coin = ~std::uint64_t{0};
  EXPECT_EQ(cost_of({0, 2}, prices), U256::max());
}

TEST(Pricing, TellsOffersThatNoMarketTakes) {
  const market::Offer good = testing::offer(tokens(1), tokens(2));
  EXPECT_FALSE(problem_of(good));
  const auto refuses = [&](auto change) {
    market::Offer offer = good;
    change(offer);
    return problem_of(offer).has_value();
  };
  EXPECT_TRUE(refuses([](market::Offer& offer) { offer.max_price = 0; }));
  EXPECT_TRUE(refuses([](market::Offer& offer) { offer.bond = U256::max(); }));
  EXPECT_TRUE(refuses([](market::Offer& offer) { offer.max_price = offer.bond = U256::power_of_two(128); }));
  EXPECT_TRUE(refuses([](market::Offer& offer) { offer.min_price = tokens(3); }));
  EXPECT_TRUE(refuses([](market::Offer& offer) { offer.bond = tokens(1); }));
  EXPECT_TRUE(refuses([](market::Offer& offer) { offer.base_permille = 1'001; }));
}

TEST(Pricing, TakesTheFeeOffAndPaysByTheToken) {
  market::Request request;
  request.max_new_tokens = 10;
  request.offer = testing::offer(tokens(1), tokens(1));
  request.offer.base_permille = 500;
  EXPECT_EQ(income_of(request, 1'000, 10, 100), U256(990));
  EXPECT_EQ(income_of(request, 1'000, 5, 100), U256(750 - 7)) << "half of it by the token, the fee rounded down";
  EXPECT_EQ(income_of(request, 1'000, 5, 10'000), U256());
}

TEST(Pricing, FindsTheFirstMomentThatPays) {
  market::Request request;
  request.max_new_tokens = 1;
  request.offer = testing::offer(100, 200);
  request.offer.ramp_start = 1'000;
  request.offer.ramp_length = 100;
  request.offer.deadline = 2'000;
  EXPECT_EQ(worth_from(request, 100, 1, 0, 500), 500U);
  EXPECT_EQ(worth_from(request, 150, 1, 0, 500), 1'050U);
  EXPECT_EQ(worth_from(request, 200, 1, 0, 500), 1'100U);
  EXPECT_EQ(worth_from(request, 200, 1, 0, 1'500), 1'500U);
  EXPECT_EQ(worth_from(request, 201, 1, 0, 500), std::nullopt);
  EXPECT_EQ(worth_from(request, 100, 1, 0, 2'001), std::nullopt) << "the deadline has passed";
}

TEST(Pricing, ReckonsWithTheLastMomentsThereAre) {
  market::Request request;
  request.max_new_tokens = 1;
  request.offer = testing::offer(100, 200);
  request.offer.ramp_start = ~std::uint64_t{0} - 1;
  request.offer.ramp_length = ~std::uint32_t{0};
  request.offer.deadline = ~std::uint64_t{0};
  EXPECT_EQ(worth_from(request, 100, 1, 0, 0), 0U);
  EXPECT_EQ(worth_from(request, 200, 1, 0, 0), std::nullopt);
}

}  // namespace
}  // namespace avow::provider
