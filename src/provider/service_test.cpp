// SPDX-License-Identifier: Apache-2.0
//
// A provider on a local chain: requests become payments, whatever happens in between.

#include "provider/service.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "base/folder_testing.hpp"
#include "chain/chain_testing.hpp"
#include "provider/job_testing.hpp"
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

class OnMarket : public market::testing::OnLocalMarket {
 protected:
  [[nodiscard]] ServiceOptions options() const {
    ServiceOptions made = quick_options(folder_ / "journal");
    // Tests share a chain: what others have asked is none of this one's.
    made.lookback = 0;
    return made;
  }
  static market::RequestState state_of(const base::Digest& id) { return good(local()->market().state_of(id)); }
  static chain::U256 tokens() { return good(local()->market().balance_of(local()->account(1))); }
  base::testing::ScratchFolder folder_;
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
  ASSERT_TRUE(provider.work_until(*local(), [&] { return metrics.gas_used > 1'000'000U; }));
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
  EXPECT_EQ(provider.service->metrics().bond_at_risk, testing::tokens(2));
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
  ASSERT_TRUE(provider.work_until(
      *local(), [&] { return provider.service->metrics().paid == 3; }, Provider::Mine::kYes));
  for (const base::Digest& id : ids) EXPECT_EQ(state_of(id).status, Status::kFulfilled);
  EXPECT_EQ(provider.service->metrics().proofs, 1U);
  EXPECT_EQ(provider.service->metrics().answers_proven, 3U);
}

TEST_F(OnMarket, MeasuresAModelThatItDoesNotKnow) {
  ServiceOptions fresh = options();
  fresh.journal = ":memory:";
  Provider provider(*local(), fresh);
  ASSERT_FALSE(provider.error) << provider.error->text;
  EXPECT_TRUE(provider.has_said("model.calibrated"));
}

TEST_F(OnMarket, ReadsWhatHappenedBeforeItStarted) {
  const base::Digest id = local()->post(local()->draft(kPrompt, kTokens));
  local()->mine(100);
  ServiceOptions late = options();
  late.lookback = 150;
  Provider provider(*local(), late);
  ASSERT_FALSE(provider.error) << provider.error->text;
  // Others of this chain may be among those that it finds.
  auto state = state_of(id);
  const auto is_paid = [&] { return (state = state_of(id)).status == Status::kFulfilled; };
  ASSERT_TRUE(provider.work_until(*local(), is_paid, Provider::Mine::kYes));
  EXPECT_EQ(state.account, local()->account(1));
}

TEST_F(OnMarket, StopsWhatAnotherHasAnswered) {
  Provider provider(*local(), options());
  ASSERT_FALSE(provider.error) << provider.error->text;
  const market::Request request = local()->draft(kPrompt, kTokens);
  const base::Digest id = local()->post(request);
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.has_said("proof.started"); }));
  const auto [answers, proof] = local()->answer({request}, local()->account(0));
  const auto calls = good(market::plan_settlement(local()->market(), market::testing::bundled_model().proving->key(),
                                                  answers, proof, chain::profile_of(31337), {local()->account(0)}));
  chain::Sender other = local()->sender(0);
  for (const auto& call : calls) EXPECT_TRUE(good(other.transact(call)).succeeded);
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().lost == 1; }));
  EXPECT_EQ(state_of(id).account, local()->account(0));
  ASSERT_TRUE(provider.work_until(*local(), [&] { return !provider.service->metrics().is_working; }));
  EXPECT_TRUE(provider.has_said("proof.abandoned") || provider.has_said("proof.made")) << "it may have been done";
  EXPECT_EQ(provider.service->metrics().transactions_sent, 0U) << "nothing is paid for in vain";
}

// Thrown where a process would die: the journal has the step, and nothing after it is done.
struct Died {};

enum class Death : std::uint8_t { kNone, kBeforeItKnows, kWhenItKnows };

// The other one's payment is in a block, ours in none: it would be refused there, at the price of all its bytes.
class TooLate : public OnMarket, public ::testing::WithParamInterface<Death> {
 protected:
  // Works until the payment was sent, which the node forgets.
  static void send_payment(Provider& provider) {
    local()->anvil().tell("evm_setAutomine", {false});
    ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().transactions_sent == 1; }));
    const auto calls = provider.service->journal().calls();
    const auto payment = good(chain::parse_transaction(calls.value().at(0).candidates.at(0)));
    (void)local()->anvil().tell("anvil_dropTransaction", {chain::to_data(payment.hash)});
    local()->anvil().tell("evm_setAutomine", {true});
  }
  static void pay_another(const market::DeliveredAnswers& answers, const base::Bytes& proof) {
    const auto calls = good(market::plan_settlement(local()->market(), market::testing::bundled_model().proving->key(),
                                                    answers, proof, chain::profile_of(31337), {local()->account(0)}));
    chain::Sender other = local()->sender(0);
    for (const auto& call : calls) EXPECT_TRUE(good(other.transact(call)).succeeded);
  }
};

TEST_P(TooLate, WithdrawsThePayment) {
  ServiceOptions mortal = options();
  if (GetParam() == Death::kWhenItKnows) {
    mortal.on_step = [](Step step) {
      if (step == Step::kLost) throw Died();
    };
  }
  auto provider = std::make_unique<Provider>(*local(), mortal);
  ASSERT_FALSE(provider->error) << provider->error->text;
  const market::Request request = local()->draft(kPrompt, kTokens);
  const base::Digest id = local()->post(request);
  const auto [answers, proof] = local()->answer({request}, local()->account(0));
  send_payment(*provider);
  if (GetParam() == Death::kBeforeItKnows) provider.reset();
  pay_another(answers, proof);
  if (GetParam() == Death::kWhenItKnows) {
    EXPECT_THROW((void)provider->work_until(*local(), [] { return false; }), Died);
  }
  if (GetParam() != Death::kNone) {
    provider.reset();
    provider = std::make_unique<Provider>(*local(), options());
    ASSERT_FALSE(provider->error) << provider->error->text;
  }
  const auto is_included = [&] { return provider->service->metrics().gas_used > 0; };
  ASSERT_TRUE(provider->work_until(*local(), is_included, Provider::Mine::kYes));
  EXPECT_TRUE(provider->has_said("transaction.withdrawn"));
  EXPECT_LT(provider->service->metrics().gas_used, 22'000U);
  EXPECT_EQ(state_of(id).account, local()->account(0));
  EXPECT_EQ(provider->service->journal().job(id).value()->stage, Stage::kLost);
}

std::string name_of_death(const ::testing::TestParamInfo<Death>& death) {
  constexpr std::array kNames = {"None", "BeforeItKnows", "WhenItKnows"};
  return kNames.at(static_cast<std::size_t>(death.param));
}
INSTANTIATE_TEST_SUITE_P(Deaths, TooLate, ::testing::Values(Death::kNone, Death::kBeforeItKnows, Death::kWhenItKnows),
                         name_of_death);

TEST_F(OnMarket, FinishesAProofThatIsUnderWay) {
  Provider provider(*local(), options());
  ASSERT_FALSE(provider.error) << provider.error->text;
  market::Request request = local()->draft(kPrompt, kTokens);
  request.offer.deadline = local()->now() + 600;
  const base::Digest id = local()->post(request);
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.has_said("proof.started"); }));
  // A proof that started now would come too late.
  (void)local()->anvil().tell("evm_increaseTime", {request.offer.deadline - local()->now() - 2});
  local()->mine(1);
  ASSERT_TRUE(provider.work_until(
      *local(), [&] { return provider.has_said("proof.made") || provider.has_said("proof.abandoned"); }));
  EXPECT_TRUE(provider.has_said("proof.made")) << "half of it was done";
  EXPECT_FALSE(provider.has_said("job.refused"));
  EXPECT_EQ(provider.service->journal().job(id).value()->stage, Stage::kProven);
}

TEST_F(OnMarket, RescuesWhatAnotherHasLockedAndNotAnswered) {
  Provider provider(*local(), options());
  ASSERT_FALSE(provider.error) << provider.error->text;
  market::Request request = local()->draft(kPrompt, kTokens);
  request.offer.lock_duration = 60;
  const base::Digest id = local()->post(request);
  chain::Sender other = local()->sender(0);
  EXPECT_TRUE(good(other.transact(local()->market().lock(request, ~std::uint64_t{0}))).succeeded);
  local()->mine(3);
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.has_said("job.locked_by_another"); }));
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(provider.service->round());
  EXPECT_FALSE(provider.has_said("proof.started")) << "as long as only the locker is paid";
  const chain::U256 before = tokens();
  (void)local()->anvil().tell("evm_increaseTime", {100});
  local()->mine(1);
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().paid == 1; }));
  EXPECT_EQ(state_of(id).account, local()->account(1));
  const auto gained = subtract(tokens(), before);
  ASSERT_TRUE(gained);
  EXPECT_EQ(subtract(*gained, provider.service->metrics().earnings), testing::tokens(1)) << "half of the bond";
}

TEST_F(OnMarket, GoesOnAfterNodesWereAway) {
  Provider provider(*local(), options());
  ASSERT_FALSE(provider.error) << provider.error->text;
  ASSERT_FALSE(provider.service->round());
  provider.is_off = true;
  const base::Digest id = local()->post(local()->draft(kPrompt, kTokens));
  for (int i = 0; i < 50; ++i) {
    ASSERT_FALSE(provider.service->round());
    chain::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_GT(provider.service->metrics().rpc_errors, 1U);
  EXPECT_EQ(std::count_if(provider.lines.begin(), provider.lines.end(),
                          [](const std::string& line) { return line.starts_with("code=chain.trouble "); }),
            1)
      << "said once";
  provider.is_off = false;
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.has_said("proof.made"); }));
  EXPECT_TRUE(provider.has_said("chain.back"));
  provider.is_off = true;
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(provider.service->round());
  provider.is_off = false;
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().paid == 1; }));
  EXPECT_EQ(state_of(id).status, Status::kFulfilled);
  EXPECT_EQ(provider.service->metrics().proofs, 1U);
}

TEST_F(OnMarket, GoesOnAfterAReorganisationWhileNodesWereAway) {
  Provider provider(*local(), options());
  ASSERT_FALSE(provider.error) << provider.error->text;
  // Blocks with nothing in them would be the same ones again.
  chain::Sender other = local()->sender(0);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(good(other.transact(local()->market().approve(0))).succeeded);
  const std::uint64_t head = good(local()->client().block_number());
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().head_block == head; }));
  provider.is_off = true;
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.has_said("chain.trouble"); }));
  (void)local()->anvil().tell("anvil_reorg", {2, chain::Json::array()});
  const base::Digest id = local()->post(local()->draft(kPrompt, kTokens));
  provider.is_off = false;
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().paid == 1; }));
  EXPECT_EQ(provider.service->metrics().reorganisations, 1U) << "said once";
  EXPECT_EQ(state_of(id).status, Status::kFulfilled);
}

TEST_F(OnMarket, RefusesWhatItCannotMeetWithoutWork) {
  ServiceOptions strict = options();
  strict.policy.most_bond = testing::tokens(3);
  strict.policy.lock = LockPolicy::kAlways;
  strict.block_millis = 12'000;
  Provider provider(*local(), strict);
  ASSERT_FALSE(provider.error) << provider.error->text;
  const auto post = [&](auto change) {
    market::Request request = local()->draft(kPrompt, kTokens);
    change(request);
    (void)local()->post(request);
  };
  post([](market::Request& request) { request.verifier = local()->market().address(market::Contract::kToken); });
  post([](market::Request& request) { request.offer.bond = testing::tokens(4); });
  post([](market::Request& request) { request.offer.bond = *subtract(chain::U256::power_of_two(128), 1); });
  post([](market::Request& request) { request.offer.min_price = request.offer.max_price = 1; });
  post([](market::Request& request) { request.offer.lock_duration = 31; });
  post([](market::Request& request) { request.offer.deadline = local()->now() + 2; });
  ASSERT_TRUE(provider.work_until(*local(), [&] {
    const Metrics& metrics = provider.service->metrics();
    return metrics.refused + metrics.lost == 6;
  })) << provider.service->metrics().refused;
  EXPECT_FALSE(provider.has_said("proof.started"));
  EXPECT_FALSE(provider.has_said("job.locking"));
  EXPECT_EQ(provider.service->metrics().transactions_sent, 0U);
}

TEST_F(OnMarket, SaysWhatItWouldDo) {
  ServiceOptions dry = options();
  dry.is_dry_run = true;
  Provider provider(*local(), dry);
  ASSERT_FALSE(provider.error) << provider.error->text;
  const base::Digest id = local()->post(local()->draft(kPrompt, kTokens));
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.has_said("job.dry_run"); }));
  EXPECT_EQ(state_of(id).status, Status::kOpen);
  EXPECT_FALSE(std::filesystem::exists(dry.journal)) << "it writes nothing either";
}

TEST_F(OnMarket, ForgetsWhatTheChainForgetsUntilItComesBack) {
  Provider provider(*local(), options());
  ASSERT_FALSE(provider.error) << provider.error->text;
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().head_block > 0; }));
  // A price that is not worth it for an hour keeps it waiting.
  market::Request request = local()->draft(kPrompt, kTokens);
  request.offer.min_price = 1;
  request.offer.ramp_start = local()->now() + 3'600;
  request.offer.ramp_length = 60;
  const base::Digest id = local()->post(request);
  local()->mine(1);
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.has_said("job.seen"); }));
  (void)local()->anvil().tell("anvil_reorg", {2, chain::Json::array()});
  local()->mine(1);
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().reorganisations == 1; }));
  EXPECT_EQ(state_of(id).status, Status::kUnknown);
  ASSERT_FALSE(provider.service->round());
  EXPECT_EQ(provider.service->journal().job(id).value()->standing.status, Status::kUnknown);
  EXPECT_FALSE(provider.has_said("job.ran"));
  (void)local()->post(request);
  local()->mine(1);
  ASSERT_TRUE(provider.work_until(
      *local(), [&] { return provider.service->journal().job(id).value()->standing.status == Status::kOpen; }));
  (void)local()->anvil().tell("evm_increaseTime", {3'700});
  local()->mine(1);
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().paid == 1; }));
  EXPECT_EQ(state_of(id).account, local()->account(1));
}

TEST_F(OnMarket, SettlesAgainWhatAReorganisationHasTakenBack) {
  ServiceOptions always = options();
  always.policy.lock = LockPolicy::kAlways;
  Provider provider(*local(), always);
  ASSERT_FALSE(provider.error) << provider.error->text;
  const base::Digest id = local()->post(local()->draft(kPrompt, kTokens));
  local()->mine(3);
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().paid == 1; }));
  (void)local()->anvil().tell("anvil_reorg", {1, chain::Json::array()});
  local()->mine(1);
  EXPECT_EQ(state_of(id).status, Status::kLocked);
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().reorganisations == 1; }));
  ASSERT_TRUE(provider.work_until(*local(), [&] { return provider.service->metrics().paid == 1; }));
  EXPECT_EQ(state_of(id).status, Status::kFulfilled);
  EXPECT_EQ(provider.service->metrics().proofs, 1U) << "proven once";
}

TEST_F(OnMarket, EndsInOrder) {
  std::atomic<bool> stop = false;
  ServiceOptions stoppable = options();
  stoppable.stop = &stop;
  stoppable.lookback = 1;
  stoppable.on_step = [&](Step step) { stop = stop || step == Step::kRan; };
  const base::Digest id = local()->post(local()->draft(kPrompt, kTokens));
  {
    Provider provider(*local(), stoppable);
    ASSERT_FALSE(provider.error) << provider.error->text;
    EXPECT_FALSE(provider.service->run());
    EXPECT_TRUE(provider.has_said("service.stopped"));
  }
  EXPECT_EQ(state_of(id).status, Status::kOpen);
  stop = false;
  stoppable.on_step = [&](Step step) { stop = stop || step == Step::kPaid; };
  Provider again(*local(), stoppable);
  ASSERT_FALSE(again.error) << again.error->text;
  EXPECT_FALSE(again.service->run());
  EXPECT_EQ(state_of(id).status, Status::kFulfilled);
  EXPECT_FALSE(again.has_said("job.ran")) << "the answer was in the journal";
}

// Works until the step is in the journal, or the request is paid.
void work_and_die(LocalMarket& local, ServiceOptions options, Step at) {
  options.on_step = [at](Step step) {
    if (step == at) throw Died();
  };
  try {
    Provider provider(local, options);
    ASSERT_FALSE(provider.error) << provider.error->text;
    EXPECT_TRUE(provider.work_until(
        local, [&] { return provider.service->metrics().paid == 1; }, Provider::Mine::kYes));
    ADD_FAILURE() << "it did not come to " << name(at);
  } catch (const Died&) {
    return;
  }
}

// Account 1 is asked once, its provider dies at the step, and another one on the same journal goes on.
void die_and_go_on(LocalMarket& local, const std::filesystem::path& journal, Step step) {
  SCOPED_TRACE(name(step));
  const auto account = local.account(1);
  const auto sent = [&] { return good(local.client().transaction_count(account, chain::BlockId::latest())); };
  const auto balance = [&] { return good(local.market().balance_of(account)); };
  ServiceOptions always = quick_options(journal);
  always.lookback = 0;
  always.policy.lock = LockPolicy::kAlways;
  chain::Sender owner = local.sender(1);
  EXPECT_TRUE(good(owner.transact(local.market().approve(0))).succeeded);
  const std::uint64_t first = sent();
  const chain::U256 before = balance();
  {
    // A journal of its own, from before the request.
    Provider early(local, always);
    ASSERT_FALSE(early.error) << early.error->text;
    ASSERT_FALSE(early.service->round());
  }
  const base::Digest id = local.post(local.draft(kPrompt, kTokens));
  work_and_die(local, always, step);
  Provider provider(local, always);
  ASSERT_FALSE(provider.error) << provider.error->text;
  const auto is_paid = [&] {
    const auto job = provider.service->journal().job(id);
    return job && job.value() && job.value()->stage == Stage::kPaid;
  };
  ASSERT_TRUE(provider.work_until(local, is_paid, Provider::Mine::kYes));
  const market::RequestState state = good(local.market().state_of(id));
  EXPECT_EQ(state.status, Status::kFulfilled);
  EXPECT_EQ(state.account, account);
  EXPECT_EQ(provider.service->metrics().proofs, step >= Step::kProven ? 0U : 1U) << "proven once";
  EXPECT_EQ(sent() - first, 3U) << "an approval, a lock and a payment, each once";
  EXPECT_GT(balance(), before) << "with the bond back";
}

TEST_F(OnMarket, DiesAtAnyStepAndGoesOn) {
  const bool is_long = std::getenv("AVOW_LONG") != nullptr;
  const std::vector<Step> few = {Step::kRan, Step::kLockPrepared, Step::kProven, Step::kSettleSent};
  const std::vector<Step> all = {
      Step::kSeen,           Step::kRan,        Step::kApprovePrepared, Step::kApproveSent, Step::kApproveIncluded,
      Step::kLockPrepared,   Step::kLockSent,   Step::kLockIncluded,    Step::kProven,      Step::kPlanned,
      Step::kSettlePrepared, Step::kSettleSent, Step::kSettleIncluded,  Step::kPaid};
  for (const Step step : is_long ? all : few) die_and_go_on(*local(), folder_ / name(step), step);
}

}  // namespace
}  // namespace avow::provider
