// SPDX-License-Identifier: Apache-2.0
#include "requester/offer.hpp"

#include <gtest/gtest.h>

#include "requester/doctor.hpp"
#include "requester/prices.hpp"
#include "requester/requester_testing.hpp"
#include "requester/take_back.hpp"

namespace avow::requester {
namespace {

using chain::U256;
using market::Status;
using testing::fine;
using testing::verdict;

constexpr std::uint64_t kNow = 1'000'000;

OfferTerms terms_of(std::uint64_t max_price) {
  OfferTerms terms;
  terms.max_price = max_price;
  return terms;
}

TEST(Offer, RisesFromHalfOfThePriceUnlessSaidOtherwise) {
  const auto offer = fine(make_offer(terms_of(100), kNow, 2));
  EXPECT_EQ(offer.min_price, U256(50));
  EXPECT_EQ(offer.max_price, U256(100));
  EXPECT_EQ(offer.bond, U256(100));
  EXPECT_EQ(offer.ramp_start, kNow);
  EXPECT_EQ(offer.deadline, kNow + terms_of(1).lifetime_secs);
  OfferTerms fixed = terms_of(100);
  fixed.min_price = 100;
  EXPECT_EQ(fine(make_offer(fixed, kNow, 2)).ramp_length, 0U);
  fixed.min_price = 0;
  EXPECT_EQ(fine(make_offer(fixed, kNow, 2)).min_price, U256(0));
}

TEST(Offer, RefusesWhatTheMarketWould) {
  const auto verdict_of = [](auto change) {
    OfferTerms terms = terms_of(100);
    change(terms);
    return verdict(make_offer(terms, kNow, 2));
  };
  EXPECT_EQ(verdict_of([](OfferTerms& t) { t.max_price = 0; }), "offer");
  EXPECT_EQ(verdict_of([](OfferTerms& t) { t.max_price = U256::power_of_two(128); }), "offer");
  EXPECT_EQ(verdict_of([](OfferTerms& t) { t.min_price = 101; }), "offer");
  EXPECT_EQ(verdict_of([](OfferTerms& t) { t.bond = 99; }), "offer");
  EXPECT_EQ(verdict_of([](OfferTerms& t) { t.bond = U256::power_of_two(128); }), "offer");
  EXPECT_EQ(verdict_of([](OfferTerms& t) { t.base_permille = 1001; }), "offer");
  EXPECT_EQ(verdict_of([](OfferTerms& t) { t.lock_duration_secs = 30; }), "offer");
  EXPECT_EQ(verdict_of([](OfferTerms& t) { t.lock_duration_secs = 31; }), "ok");
  EXPECT_EQ(verdict_of([](OfferTerms& t) { t.lifetime_secs = 0; }), "offer");
  EXPECT_EQ(verdict_of([](OfferTerms& t) { t.lifetime_secs = kMostLifetimeSecs + 1; }), "offer");
  EXPECT_EQ(verdict_of([](OfferTerms& t) { t.lifetime_secs = t.ramp_secs - 1; }), "offer");
}

TEST(Offer, IsRaisedUpToTheCeilingAndNoFurther) {
  BumpPolicy policy;
  EXPECT_FALSE(bumped(terms_of(100), policy).has_value()) << "without a ceiling never";
  policy.ceiling = 200;
  const auto once = bumped(terms_of(100), policy);
  ASSERT_TRUE(once.has_value());
  EXPECT_EQ(once->min_price, U256(100)) << "starts where nobody wanted it";
  EXPECT_EQ(once->max_price, U256(150));
  const auto twice = bumped(*once, policy);
  ASSERT_TRUE(twice.has_value());
  EXPECT_EQ(twice->max_price, U256(200));
  EXPECT_FALSE(bumped(*twice, policy).has_value());
  EXPECT_EQ(bumped(terms_of(1), policy)->max_price, U256(200)) << "half of one is nothing";
  OfferTerms bonded = terms_of(100);
  bonded.bond = 120;
  EXPECT_EQ(bumped(bonded, policy)->bond, U256(150)) << "never below the price";
}

TEST(Offer, ReadsTokensAsPeopleWriteThem) {
  EXPECT_EQ(to_tokens(fine(parse_tokens("2.5"))), "2.5 AVOW");
  EXPECT_EQ(fine(parse_tokens("0.000000000000000001")), U256(1));
  for (const char* text : {"", "-1", "1e3", "1.0000000000000000001", "0x10", "1,5"}) {
    EXPECT_EQ(verdict(parse_tokens(text)), "offer") << text;
  }
  EXPECT_EQ(verdict(parse_tokens("400000000000000000000")), "offer") << "2^128 and more";
}

TEST(TakingBack, KnowsWhatIsPossible) {
  const market::Offer offer = fine(make_offer(terms_of(100), kNow, 2));
  const Surroundings early{50, kNow + 10, 2, false};
  const auto way = [&](Status status, const Surroundings& around) {
    return what_is_possible({status, chain::Address{{1}}, kNow, 50}, offer, around).way;
  };
  EXPECT_EQ(way(Status::kUnknown, early), Way::kNothing);
  EXPECT_EQ(way(Status::kFulfilled, early), Way::kNothing);
  EXPECT_EQ(way(Status::kRefunded, early), Way::kNothing);
  EXPECT_EQ(way(Status::kOpen, early), Way::kCancel);
  EXPECT_EQ(way(Status::kLocked, early), Way::kWait);
  // A cancellation of block 50 is effective from block 52 on: the next one after 51.
  EXPECT_EQ(way(Status::kCancelling, early), Way::kWait);
  EXPECT_EQ(way(Status::kCancelling, {51, kNow + 10, 2, false}), Way::kRefund);
  const Surroundings late{60, offer.deadline + 1, 2, false};
  for (const Status status : {Status::kOpen, Status::kLocked, Status::kCancelling}) {
    EXPECT_EQ(way(status, late), Way::kExpire);
  }
  EXPECT_EQ(way(Status::kLocked, {60, offer.deadline, 2, false}), Way::kWait) << "the deadline itself still counts";
  EXPECT_EQ(way(Status::kLocked, {50, kNow, 2, true}), Way::kRefund) << "frozen";
  EXPECT_EQ(way(Status::kFulfilled, {50, kNow, 2, true}), Way::kNothing);
}

TEST(Prices, AreThoseOfWholeAnswers) {
  // price (500 * 64 + 500 * 32) / 64000 = price * 3 / 4.
  EXPECT_EQ(price_of_payment(75, 500, 32, 64), U256(100));
  EXPECT_EQ(price_of_payment(100, 0, 64, 64), U256(100));
  EXPECT_EQ(price_of_payment(1, 1000, 1, 64), U256(1));
  EXPECT_EQ(price_of_payment(5, 2000, 2, 1), U256(5)) << "no market takes such a base, and a node may tell of it";
  for (const std::uint64_t price : {1'000'003U, 77'777U}) {
    for (const std::uint32_t produced : {1U, 13U, 64U}) {
      const auto payment = market::payment_of(price, 300, produced, 64);
      EXPECT_EQ(market::payment_of(price_of_payment(payment, 300, produced, 64), 300, produced, 64), payment);
    }
  }
}

TEST(Prices, AreSuggestedFromWhatOthersPaid) {
  EXPECT_FALSE(suggested_price({}, 64).has_value());
  std::vector<RecentPayment> payments;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    RecentPayment one;
    one.max_new_tokens = 10;
    one.price = 100 * i;
    payments.push_back(one);
  }
  EXPECT_EQ(percentile_per_token(payments, 0), U256(10));
  EXPECT_EQ(percentile_per_token(payments, 50), U256(30));
  EXPECT_EQ(percentile_per_token(payments, 100), U256(40));
  EXPECT_EQ(suggested_price(payments, 2), U256(100));
}

TEST(Prices, AreRoundedUpToThreeDigits) {
  EXPECT_EQ(rounded_up(0), U256(0));
  EXPECT_EQ(rounded_up(999), U256(999));
  EXPECT_EQ(rounded_up(1'000), U256(1'000));
  EXPECT_EQ(rounded_up(1'001), U256(1'010));
  EXPECT_EQ(rounded_up(99'901), U256(100'000));
  EXPECT_EQ(rounded_up(33'333'333), U256(33'400'000));
  EXPECT_LE(U256::max(), rounded_up(U256::max())) << "or as it is";
}

TEST(Doctor, JudgesClocks) {
  using State = Finding::State;
  EXPECT_EQ(judge_clock(kNow, kNow + 5, false).state, State::kGood);
  EXPECT_EQ(judge_clock(kNow + 10, kNow, false).state, State::kGood);
  EXPECT_EQ(judge_clock(kNow + 100, kNow, false).state, State::kBad);
  EXPECT_EQ(judge_clock(kNow + 100, kNow, true).state, State::kNotice) << "tests move its clock";
  EXPECT_EQ(judge_clock(kNow, kNow + 5'000, false).state, State::kNotice);
  EXPECT_FALSE(judge_clock(kNow, kNow + 5'000, false).advice.empty());
}

}  // namespace
}  // namespace avow::requester
