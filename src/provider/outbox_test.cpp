// SPDX-License-Identifier: Apache-2.0
#include "provider/outbox.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "chain/chain_testing.hpp"
#include "market/market_testing.hpp"
#include "provider/job_testing.hpp"

namespace avow::provider {
namespace {

using chain::testing::good;
using market::testing::LocalMarket;

template <typename T>
T done(JournalResult<T> result) {
  EXPECT_TRUE(result) << (result ? "" : result.error().text);
  return std::move(result).value();
}

// An outbox of account 1 on a chain that makes blocks when it is told to.
struct Sending {
  LocalMarket local;
  Log log{LogFormat::kLogfmt, [](const std::string&) {}};
  Metrics metrics;
  OutboxSettings settings;
  std::unique_ptr<Journal> journal;
  std::optional<Outbox> outbox;

  explicit Sending(const std::string& path) {
    EXPECT_TRUE(local.is_good());
    local.anvil().tell("evm_setAutomine", {false});
    const Identity identity{31337, local.deployment().at(market::Contract::kMarket), local.account(1)};
    journal = done(Journal::open(path, identity));
    settings.send = market::testing::quick_policy();
    settings.stuck_secs = 90;
    start();
  }
  // Anew, too: what a process that died has left is in the journal.
  void start() {
    outbox.emplace(*journal, local.client(), local.key(1), chain::profile_of(31337), settings, log, metrics);
    EXPECT_FALSE(outbox->load());
  }
  void approve(std::uint64_t amount) {
    Call call;
    call.request = local.market().approve(amount);
    EXPECT_FALSE(outbox->add({call}, std::nullopt));
  }
  [[nodiscard]] std::vector<CallOutcome> poll(std::uint64_t time) { return done(outbox->poll(time)); }
  [[nodiscard]] chain::U256 allowance() { return good(local.market().allowance_of(local.account(1))); }
};

TEST(Outbox, SendsAgainAndWithHigherFees) {
  if (!chain::testing::Anvil::is_installed()) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
  Sending sending(":memory:");
  sending.approve(7);
  EXPECT_TRUE(sending.poll(1'000).empty());
  EXPECT_EQ(sending.metrics.transactions_sent, 1U);
  EXPECT_TRUE(sending.poll(1'020).empty());
  EXPECT_EQ(sending.metrics.transactions_replaced, 0U);
  EXPECT_TRUE(sending.poll(1'095).empty());
  EXPECT_EQ(sending.metrics.transactions_replaced, 1U);
  const auto calls = done(sending.journal->calls());
  ASSERT_EQ(calls.size(), 1U);
  ASSERT_EQ(calls[0].candidates.size(), 2U) << "both may be included";
  const auto first = good(chain::parse_transaction(calls[0].candidates[0]));
  const auto second = good(chain::parse_transaction(calls[0].candidates[1]));
  EXPECT_EQ(first.transaction.nonce, second.transaction.nonce);
  EXPECT_GT(second.transaction.max_fee, first.transaction.max_fee);
  sending.local.mine(1);
  const auto outcomes = sending.poll(1'096);
  ASSERT_EQ(outcomes.size(), 1U);
  ASSERT_TRUE(outcomes[0].receipt);
  EXPECT_EQ(outcomes[0].receipt->transaction, second.hash);
  EXPECT_EQ(sending.allowance(), chain::U256(7));
  EXPECT_TRUE(sending.poll(2'000).empty()) << "it is said once";
}

TEST(Outbox, MakesACallAnewWhoseNonceWasAnothers) {
  if (!chain::testing::Anvil::is_installed()) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
  Sending sending(":memory:");
  sending.approve(7);
  EXPECT_TRUE(sending.poll(1'000).empty());
  const auto lost = good(chain::parse_transaction(done(sending.journal->calls())[0].candidates[0]));
  (void)sending.local.anvil().tell("anvil_dropTransaction", {chain::to_data(lost.hash)});
  chain::Sender other = sending.local.sender(1);
  const auto taken = good(other.prepare(sending.local.market().approve(5)));
  ASSERT_EQ(taken.transaction.nonce, lost.transaction.nonce);
  EXPECT_FALSE(other.send(taken));
  sending.local.mine(2);  // nodes may know of a block before they have its receipts
  EXPECT_EQ(sending.allowance(), chain::U256(5));
  EXPECT_TRUE(sending.poll(1'010).empty());
  const auto again = done(sending.journal->calls());
  ASSERT_EQ(again.size(), 1U);
  ASSERT_EQ(again[0].candidates.size(), 1U);
  EXPECT_EQ(good(chain::parse_transaction(again[0].candidates[0])).transaction.nonce, lost.transaction.nonce + 1);
  sending.local.mine(1);
  EXPECT_EQ(sending.poll(1'020).size(), 1U);
  EXPECT_EQ(sending.allowance(), chain::U256(7));
}

TEST(Outbox, GivesNoNonceTwiceAfterARestart) {
  if (!chain::testing::Anvil::is_installed()) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
  Sending sending(":memory:");
  sending.approve(7);
  EXPECT_TRUE(sending.poll(1'000).empty());
  const auto lost = good(chain::parse_transaction(done(sending.journal->calls())[0].candidates[0]));
  // The process dies, and so does the node's memory of what waits.
  (void)sending.local.anvil().tell("anvil_dropTransaction", {chain::to_data(lost.hash)});
  sending.start();
  sending.approve(9);
  EXPECT_TRUE(sending.poll(1'010).empty());
  const auto calls = done(sending.journal->calls());
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].candidates.size(), 1U) << "the same transaction, sent again";
  EXPECT_EQ(good(chain::parse_transaction(calls[1].candidates[0])).transaction.nonce, lost.transaction.nonce + 1);
  sending.local.mine(1);
  EXPECT_EQ(sending.poll(1'020).size(), 2U);
  EXPECT_EQ(sending.allowance(), chain::U256(9));
}

// The only call's second transaction, after its first was sent and is not wanted.
chain::SignedTransaction withdrawal_of(Sending& sending) {
  const auto calls = done(sending.journal->calls());
  EXPECT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls.at(0).candidates.size(), 2U);
  const auto first = good(chain::parse_transaction(calls.at(0).candidates.at(0)));
  auto second = good(chain::parse_transaction(calls.at(0).candidates.at(1)));
  EXPECT_FALSE(chain::Sender::is_withdrawal(first));
  EXPECT_TRUE(chain::Sender::is_withdrawal(second));
  EXPECT_EQ(second.transaction.nonce, first.transaction.nonce);
  EXPECT_EQ(second.transaction.value, chain::U256());
  EXPECT_GT(second.transaction.max_fee, first.transaction.max_fee);
  return second;
}

TEST(Outbox, WithdrawsWhatIsNotWanted) {
  if (!chain::testing::Anvil::is_installed()) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
  Sending sending(":memory:");
  sending.approve(7);
  EXPECT_TRUE(sending.poll(1'000).empty());
  EXPECT_FALSE(sending.outbox->withdraw(sending.outbox->calls().at(0)->id));
  EXPECT_TRUE(sending.poll(1'001).empty());
  const chain::SignedTransaction nothing = withdrawal_of(sending);
  EXPECT_TRUE(sending.poll(1'002).empty());
  EXPECT_EQ(done(sending.journal->calls())[0].candidates.size(), 2U) << "once";
  sending.local.mine(2);
  EXPECT_TRUE(sending.poll(1'003).empty()) << "of what nobody waits for, nothing is said";
  EXPECT_EQ(good(sending.local.client().receipt(nothing.hash))->gas_used, 21'000U);
  EXPECT_EQ(sending.metrics.gas_used, 21'000U);
  EXPECT_NE(sending.allowance(), chain::U256(7));
  EXPECT_TRUE(sending.outbox->calls().empty());
  EXPECT_EQ(done(sending.journal->calls()).at(0).state, CallState::kIncluded) << "where a reorganisation finds it";
  sending.approve(9);
  EXPECT_TRUE(sending.poll(1'010).empty());
  sending.local.mine(2);
  EXPECT_EQ(sending.poll(1'020).size(), 1U) << "the next nonce is free";
  EXPECT_EQ(sending.allowance(), chain::U256(9));
}

TEST(Outbox, WithdrawsBeforeItSendsAgainAfterARestart) {
  if (!chain::testing::Anvil::is_installed()) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
  Sending sending(":memory:");
  sending.approve(7);
  EXPECT_TRUE(sending.poll(1'000).empty());
  sending.start();
  EXPECT_FALSE(sending.outbox->withdraw(sending.outbox->calls().at(0)->id));
  EXPECT_TRUE(sending.poll(1'001).empty());
  (void)withdrawal_of(sending);
  EXPECT_EQ(sending.metrics.transactions_sent, 2U) << "the payment once, by the process before";
}

TEST(Outbox, SaysWhatWasIncludedBeforeItWasWithdrawn) {
  if (!chain::testing::Anvil::is_installed()) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
  Sending sending(":memory:");
  sending.approve(7);
  EXPECT_TRUE(sending.poll(1'000).empty());
  sending.local.mine(2);
  EXPECT_FALSE(sending.outbox->withdraw(sending.outbox->calls().at(0)->id));
  const auto outcomes = sending.poll(1'001);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_TRUE(outcomes[0].receipt);
  EXPECT_EQ(sending.allowance(), chain::U256(7));
  EXPECT_EQ(done(sending.journal->calls()).at(0).candidates.size(), 1U);
}

TEST(Outbox, LeavesAloneWhatIsInABlock) {
  if (!chain::testing::Anvil::is_installed()) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
  for (const bool is_wanted : {true, false}) {
    Sending sending(":memory:");
    sending.settings.send.confirmations = 4;
    sending.start();
    sending.approve(7);
    EXPECT_TRUE(sending.poll(1'000).empty());
    sending.local.mine(1);
    const std::int64_t id = sending.outbox->calls().at(0)->id;
    EXPECT_FALSE(is_wanted ? std::nullopt : sending.outbox->withdraw(id));
    EXPECT_TRUE(sending.poll(1'200).empty()) << "its confirmations take their time";
    EXPECT_EQ(sending.metrics.transactions_sent, 1U);
    EXPECT_EQ(done(sending.journal->calls()).at(0).candidates.size(), 1U);
    sending.local.mine(4);
    EXPECT_EQ(sending.poll(1'201).size(), 1U);
  }
}

// Its nonce has to be used by something, or nothing that comes later is included.
TEST(Outbox, SendsWhatItCannotAffordToWithdraw) {
  if (!chain::testing::Anvil::is_installed()) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
  Sending sending(":memory:");
  sending.approve(7);
  EXPECT_TRUE(sending.poll(1'000).empty());
  const auto sent = good(chain::parse_transaction(done(sending.journal->calls())[0].candidates[0]));
  (void)sending.local.anvil().tell("anvil_dropTransaction", {chain::to_data(sent.hash)});
  sending.settings.send.fees.most_fee = sent.transaction.max_fee;
  sending.start();
  EXPECT_FALSE(sending.outbox->withdraw(sending.outbox->calls().at(0)->id));
  EXPECT_TRUE(sending.poll(1'001).empty());
  EXPECT_EQ(done(sending.journal->calls()).at(0).candidates.size(), 1U);
  sending.local.mine(2);
  EXPECT_EQ(sending.poll(1'002).size(), 1U);
  EXPECT_EQ(sending.allowance(), chain::U256(7));
}

TEST(Outbox, DropsWhatWasNotSigned) {
  if (!chain::testing::Anvil::is_installed()) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
  Sending sending(":memory:");
  sending.approve(7);
  EXPECT_FALSE(sending.outbox->withdraw(sending.outbox->calls().at(0)->id));
  EXPECT_TRUE(sending.poll(1'000).empty());
  EXPECT_EQ(sending.metrics.transactions_sent, 0U);
  EXPECT_TRUE(done(sending.journal->calls()).empty());
}

TEST(Outbox, EndsWhatContractsRefuse) {
  if (!chain::testing::Anvil::is_installed()) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
  Sending sending(":memory:");
  const market::Request nobodys = sending.local.draft("Once", 4);
  Call call;
  call.kind = CallKind::kLock;
  call.job = testing::digest_of(1);
  call.request = sending.local.market().lock(nobodys, ~std::uint64_t{0});
  EXPECT_FALSE(sending.outbox->add({call}, std::nullopt));
  const auto outcomes = sending.poll(1'000);
  ASSERT_EQ(outcomes.size(), 1U);
  ASSERT_TRUE(outcomes[0].error);
  EXPECT_EQ(outcomes[0].error->cause, chain::Cause::kReverted);
  EXPECT_EQ(sending.metrics.transactions_sent, 0U) << "it costs nothing";
  EXPECT_EQ(sending.outbox->lock_of(testing::digest_of(1)), nullptr);
}

}  // namespace
}  // namespace avow::provider
