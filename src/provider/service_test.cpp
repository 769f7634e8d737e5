// SPDX-License-Identifier: Apache-2.0
//
// A provider on a local chain: requests become payments, whatever happens in between.

#include "provider/service.hpp"

#include <gtest/gtest.h>

#include <array>

#include "chain/chain_testing.hpp"
#include "provider/service_testing.hpp"

namespace avow::provider {
namespace {

using chain::testing::good;
using market::Status;
using market::testing::LocalMarket;
using testing::Provider;
using testing::quick_options;

constexpr const char* kPrompt = "Once upon a time";
constexpr std::uint32_t kTokens = 12;

class OnMarket : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (chain::testing::Anvil::is_installed()) local() = std::make_unique<LocalMarket>();
  }
  static void TearDownTestSuite() { local().reset(); }
  void SetUp() override {
    if (local() == nullptr) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
    ASSERT_TRUE(local()->is_good());
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("avow-provider-" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  static std::unique_ptr<LocalMarket>& local() {
    static std::unique_ptr<LocalMarket> the_one;
    return the_one;
  }
  [[nodiscard]] ServiceOptions options() const {
    ServiceOptions made = quick_options(folder_ / "journal");
    // Tests share a chain: what others have asked is none of this one's.
    made.lookback = 0;
    return made;
  }
  static market::RequestState state_of(const base::Digest& id) { return good(local()->market().state_of(id)); }
  static chain::U256 tokens() { return good(local()->market().balance_of(local()->account(1))); }
  std::filesystem::path folder_;
};

TEST_F(OnMarket, AnswersARequestAndIsPaid) {
  Provider provider(*local(), options());
  ASSERT_FALSE(provider.error) << provider.error->text;
  const chain::U256 before = tokens();
  const base::Digest id = local()->post(local()->draft(kPrompt, kTokens));
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().paid == 1; }))
      << provider.lines.back();
  EXPECT_EQ(state_of(id).status, Status::kFulfilled);
  EXPECT_EQ(state_of(id).account, local()->account(1));
  const Metrics& metrics = provider.service->metrics();
  EXPECT_EQ(subtract(tokens(), before), metrics.earnings);
  EXPECT_GT(metrics.earnings, chain::U256());
  EXPECT_EQ(metrics.proofs, 1U);
  EXPECT_EQ(metrics.locks_won, 0U);
  EXPECT_EQ(metrics.transactions_sent, 1U);
  EXPECT_GT(metrics.gas_used, 1'000'000U);
  EXPECT_TRUE(provider.has_said("job.paid"));
}

TEST_F(OnMarket, LocksWhereItIsTold) {
  ServiceOptions always = options();
  always.policy.lock = LockPolicy::kAlways;
  Provider provider(*local(), always);
  ASSERT_FALSE(provider.error) << provider.error->text;
  const chain::U256 before = tokens();
  const base::Digest id = local()->post(local()->draft(kPrompt, kTokens));
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().locks_won == 1; }));
  EXPECT_EQ(provider.service->metrics().bond_at_risk, chain::U256());
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().paid == 1; }));
  EXPECT_EQ(state_of(id).status, Status::kFulfilled);
  EXPECT_EQ(subtract(tokens(), before), provider.service->metrics().earnings) << "the bond is back";
  EXPECT_EQ(provider.service->metrics().bonds_slashed, 0U);
  EXPECT_GT(provider.service->metrics().last_margin_secs.value_or(0), 500);
}

TEST_F(OnMarket, ProvesWhatWaitsTogether) {
  Provider provider(*local(), options());
  ASSERT_FALSE(provider.error) << provider.error->text;
  std::vector<base::Digest> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(local()->post(local()->draft(kPrompt, kTokens)));
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().paid == 3; }, Provider::Mine::kYes));
  for (const base::Digest& id : ids) EXPECT_EQ(state_of(id).status, Status::kFulfilled);
  EXPECT_EQ(provider.service->metrics().proofs, 1U);
  EXPECT_EQ(provider.service->metrics().answers_proven, 3U);
}

}  // namespace
}  // namespace avow::provider
