// SPDX-License-Identifier: Apache-2.0
#include "provider/estimates.hpp"

#include <gtest/gtest.h>

namespace avow::provider {
namespace {

constexpr TransactionLimits kEthereum{131'000, 16'000'000};

Estimates bundled() {
  Estimates estimates;
  estimates.add({64, 40, 800, 113'800, 0});
  return estimates;
}

TEST(Estimates, PadsWhatIsProven) {
  EXPECT_EQ(places_of(1, 64), 64U);
  EXPECT_EQ(places_of(1, 65), 96U);
  EXPECT_EQ(places_of(3, 60), 3U * 64);
  EXPECT_EQ(places_of(5, 60), 6U * 64);
  EXPECT_EQ(places_of(0, 0), 1U);
}

TEST(Estimates, FitTheReceiptsOfTheBundledModel) {
  const Estimate one = bundled().of(64, 1, kEthereum);
  EXPECT_EQ(one.transactions, 1U);
  EXPECT_GT(one.gas, 9'438'000U);
  EXPECT_LT(one.gas, 11'000'000U);
  const Estimate sixteen = bundled().of(16 * 64, 16, kEthereum);
  EXPECT_EQ(sixteen.transactions, 2U);
  EXPECT_GT(sixteen.gas, 14'570'000U);
  EXPECT_EQ(sixteen.prove_millis, 16U * 800);
}

TEST(Estimates, TakeASmallerProofForNoFasterThanTheNextMeasured) {
  const Estimate small = bundled().of(16, 1, kEthereum);
  EXPECT_EQ(small.prove_millis, 800U);
  EXPECT_EQ(small.run_millis, 40U);
}

TEST(Estimates, PreferWhatWasMeasured) {
  Estimates estimates = bundled();
  estimates.add({1024, 600, 4'000, 180'000, 22'000'000});
  EXPECT_EQ(estimates.of(1024, 16, kEthereum).prove_millis, 4'000U);
  EXPECT_EQ(estimates.of(1024, 16, kEthereum).gas, 22'000'000U);
  EXPECT_EQ(estimates.of(128, 2, kEthereum).prove_millis, 4'000U) << "not below what the smaller one shows";
  estimates.add({1024, 600, 5'000, 180'000, 0});
  EXPECT_EQ(estimates.of(1024, 16, kEthereum).prove_millis, 5'000U);
  EXPECT_EQ(estimates.of(1024, 16, kEthereum).gas, 22'000'000U) << "a proof that was not settled yet takes none away";
}

TEST(Estimates, AddMarginsRoundedUp) {
  EXPECT_EQ(with_margin(100, 50), 150U);
  EXPECT_EQ(with_margin(1, 1), 2U);
  EXPECT_EQ(with_margin(0, 50), 0U);
}

}  // namespace
}  // namespace avow::provider
