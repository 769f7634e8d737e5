// SPDX-License-Identifier: Apache-2.0
//
// What fake nodes cannot show: that a real one takes and says what it is believed to.

#include <gtest/gtest.h>

#include "chain/anvil_testing.hpp"
#include "chain/chain_testing.hpp"
#include "chain/follower.hpp"
#include "chain/sender.hpp"

namespace avow::chain {
namespace {

using testing::Anvil;
using testing::development_key;
using testing::good;
using testing::verdict;

class OnAnvil : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (Anvil::is_installed()) anvil() = std::make_unique<Anvil>();
  }
  static void TearDownTestSuite() { anvil().reset(); }
  void SetUp() override {
    if (anvil() == nullptr) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
    ASSERT_TRUE(anvil()->is_running()) << "anvil does not answer on " << anvil()->url();
  }
  static std::unique_ptr<Anvil>& anvil() {
    static std::unique_ptr<Anvil> the_one;
    return the_one;
  }
  static SendPolicy quick_policy() {
    SendPolicy policy;
    policy.poll = std::chrono::milliseconds(20);
    policy.patience = std::chrono::milliseconds(10'000);
    return policy;
  }
};

// A deployed token, of which the sender has kAllocated.
struct DeployedToken {
  Interface contract;
  Address address;
};
constexpr std::uint64_t kAllocated = 1000;

Address create(Sender& sender, const Interface& contract, const Value::List& arguments) {
  CallRequest creation;
  creation.data = good(contract.encode_creation(arguments));
  return good(sender.transact(creation)).created.value_or(Address{});
}

// The token and the two contracts that it is minted to, which know its address before it is there.
DeployedToken deploy_token(Client& client, Sender& sender) {
  const std::uint64_t nonce = good(client.transaction_count(sender.address(), BlockId::pending()));
  const Address token = created_address(sender.address(), nonce + 2);
  const Address emission = create(sender, good(Interface::parse(testing::artifact("Emission"))),
                                  {token, Address{{1}}, 1'000'000, 0, 60, 10});
  const Interface genesis = good(Interface::parse(testing::artifact("Genesis")));
  const Value::List allocations{Value(Value::List{sender.address(), U256(kAllocated)})};
  const Address genesis_address = create(sender, genesis, {token, allocations});
  Interface contract = good(Interface::parse(testing::artifact("AvowToken")));
  EXPECT_EQ(create(sender, contract, {emission, genesis_address}), token);
  CallRequest release;
  release.to = genesis_address;
  release.data = good(genesis.encode_call("release", {sender.address()}));
  EXPECT_TRUE(good(sender.transact(release)).succeeded);
  return {std::move(contract), token};
}
CallRequest token_call(const DeployedToken& token, const char* function, const Value::List& arguments) {
  CallRequest request;
  request.to = token.address;
  request.data = good(token.contract.encode_call(function, arguments));
  return request;
}

TEST_F(OnAnvil, DeploysAContractAndUsesIt) {
  Client client = anvil()->client();
  const auto key = development_key(0);
  const Address other = development_key(1).address();
  Sender sender(client, key, profile_of(31337), quick_policy());
  const DeployedToken token = deploy_token(client, sender);
  EXPECT_FALSE(good(client.code(token.address)).empty());
  const auto balance = [&](const Address& owner) {
    const auto result = good(client.call(token_call(token, "balanceOf", {owner})));
    return good(token.contract.decode_result("balanceOf", result))[0];
  };
  EXPECT_EQ(balance(other), Value(0));
  EXPECT_EQ(balance(key.address()), Value(kAllocated));
  const Receipt receipt = good(sender.transact(token_call(token, "transfer", {other, 5})));
  EXPECT_TRUE(receipt.succeeded);
  EXPECT_GT(receipt.gas_used, 21000U);
  EXPECT_EQ(balance(other), Value(5));
  ASSERT_EQ(receipt.logs.size(), 1U);
  EXPECT_EQ(*good(token.contract.decode_log(receipt.logs[0].body)).value("value"), Value(5));
  const LogFilter filter{{token.address}, {topic_of("Transfer(address,address,uint256)")}};
  EXPECT_EQ(good(client.logs(filter, 0, good(client.block_number()))).logs.size(), 4U) << "two mints, two transfers";
}

TEST_F(OnAnvil, RefusesWhatTheContractWouldBeforeItIsSent) {
  Client client = anvil()->client();
  const auto key = development_key(0);
  const auto poor = development_key(1);
  Sender sender(client, key, profile_of(31337), quick_policy());
  const DeployedToken token = deploy_token(client, sender);
  client.name_errors_of({&token.contract});
  Sender other(client, poor, profile_of(31337), quick_policy());
  const std::uint64_t before = good(client.transaction_count(poor.address(), BlockId::pending()));
  const auto refused = other.prepare(token_call(token, "transfer", {key.address(), 7}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(to_string(refused.error()),
            "rpc.reverted: ERC20InsufficientBalance(sender: " + to_string(poor.address()) + ", balance: 0, needed: 7)");
  EXPECT_EQ(good(client.transaction_count(poor.address(), BlockId::pending())), before);
  const auto nobody = good(PrivateKey::generate());
  Sender penniless(client, nobody, profile_of(31337), quick_policy());
  EXPECT_EQ(verdict(penniless.prepare(token_call(token, "approve", {key.address(), 7}))), "send.funds");
}

TEST_F(OnAnvil, RefusesWhatIsTooLargeForTheChain) {
  Client client = anvil()->client();
  const auto key = development_key(0);
  Sender sender(client, key, profile_of(31337), quick_policy());
  CallRequest large;
  large.to = Address{{0xee}};
  large.data = base::Bytes(140'000, 0);
  EXPECT_EQ(verdict(sender.prepare(large)), "send.too_many_bytes");
  large.data = base::Bytes(100'000, 0);
  EXPECT_EQ(verdict(sender.prepare(large)), "ok");
  CallRequest hungry;
  hungry.to = Address{{0xee}};
  hungry.gas_limit = (std::uint64_t{1} << 24) + 1;
  EXPECT_NE(verdict(sender.prepare(hungry)), "ok");
}

TEST_F(OnAnvil, ReplacesAStuckTransaction) {
  Client client = anvil()->client();
  const auto key = development_key(1);
  Sender sender(client, key, profile_of(31337), quick_policy());
  anvil()->tell("evm_setAutomine", Json::array({false}));
  CallRequest payment;
  payment.to = Address{{0xee}};
  payment.value = 1;
  const SignedTransaction stuck = good(sender.prepare(payment));
  EXPECT_FALSE(sender.send(stuck).has_value());
  EXPECT_FALSE(sender.send(stuck).has_value()) << "sent twice is sent once";
  std::vector<SignedTransaction> candidates{stuck};
  EXPECT_FALSE(sender.replace(candidates).has_value());
  const SignedTransaction replacement = candidates.at(1);
  EXPECT_EQ(replacement.transaction.nonce, stuck.transaction.nonce);
  EXPECT_EQ(good(sender.prepare(payment)).transaction.nonce, stuck.transaction.nonce + 1);
  anvil()->tell("anvil_mine");
  anvil()->tell("evm_setAutomine", Json::array({true}));
  EXPECT_EQ(good(sender.wait(candidates)).transaction, replacement.hash);
  const auto again = sender.send(stuck);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->cause, Cause::kNotIncluded) << to_string(*again);
  const auto late = sender.replace(candidates);
  ASSERT_TRUE(late.has_value());
  EXPECT_EQ(late->cause, Cause::kIncluded) << to_string(*late);
  SendPolicy impatient = quick_policy();
  impatient.patience = std::chrono::milliseconds(0);
  Sender forgetful(client, key, profile_of(31337), impatient);
  EXPECT_EQ(verdict(forgetful.wait({stuck})), "send.not_included") << "the node may lack receipts of its newest block";
  anvil()->tell("anvil_mine");
  EXPECT_EQ(verdict(forgetful.wait({stuck})), "send.nonce_used") << "not by one that it was told of";
}

TEST_F(OnAnvil, FollowsAReorganisation) {
  Client client = anvil()->client();
  anvil()->tell("anvil_mine", Json::array({"0x5"}));
  const Block start = *good(client.block(BlockId::latest()));
  Follower follower(client, {start.ref});
  anvil()->tell("anvil_mine", Json::array({"0x4"}));
  const ChainStep grown = good(follower.advance());
  EXPECT_EQ(grown.added.size(), 4U);
  EXPECT_TRUE(grown.rolled_back.empty());
  EXPECT_TRUE(grown.is_at_head);
  anvil()->tell("anvil_reorg", Json::array({2, Json::array()}));
  anvil()->tell("anvil_mine", Json::array({"0x1"}));
  const ChainStep turned = good(follower.advance());
  ASSERT_EQ(turned.rolled_back.size(), 2U);
  EXPECT_EQ(turned.rolled_back[0], grown.added[3]);
  EXPECT_EQ(turned.rolled_back[1], grown.added[2]);
  EXPECT_EQ(turned.added.size(), 3U);
  EXPECT_EQ(follower.head(), good(client.block(BlockId::latest()))->ref);
  EXPECT_EQ(verdict(backfill_logs(client, {}, grown.added[3])), "chain.reorganised");
}

TEST_F(OnAnvil, NoticesThatTheChainWentBack) {
  Client client = anvil()->client();
  const Block start = *good(client.block(BlockId::latest()));
  const Json snapshot = anvil()->tell("evm_snapshot");
  anvil()->tell("anvil_mine", Json::array({"0x3"}));
  Follower follower(client, {start.ref});
  EXPECT_EQ(good(follower.advance()).added.size(), 3U);
  anvil()->tell("evm_revert", Json::array({snapshot}));
  // Other blocks than before, by their time.
  anvil()->tell("evm_increaseTime", Json::array({100}));
  anvil()->tell("anvil_mine", Json::array({"0x2"}));
  const ChainStep turned = good(follower.advance());
  EXPECT_EQ(turned.rolled_back.size(), 3U);
  EXPECT_EQ(turned.added.size(), 2U);
}

TEST_F(OnAnvil, ReadsTheLogsOfADowntime) {
  Client client = anvil()->client();
  const auto key = development_key(0);
  Sender sender(client, key, profile_of(31337), quick_policy());
  const DeployedToken token = deploy_token(client, sender);
  const BlockRef stored = good(client.block(BlockId::latest()))->ref;
  for (int i = 0; i < 3; ++i)
    (void)good(sender.transact(token_call(token, "transfer", {development_key(1).address(), i})));
  const LogFilter filter{{token.address}, {topic_of("Transfer(address,address,uint256)")}};
  const LogBackfill missed = good(backfill_logs(client, filter, stored, 0));
  ASSERT_EQ(missed.logs.size(), 3U);
  EXPECT_EQ(*good(token.contract.decode_log(missed.logs[2].body)).value("value"), Value(2));
  EXPECT_EQ(missed.upto, good(client.block(BlockId::latest()))->ref);
  EXPECT_TRUE(good(backfill_logs(client, filter, missed.upto, 0)).logs.empty());
  EXPECT_EQ(good(backfill_logs(client, filter, stored, 1)).logs.size(), 2U);
  // Those far from the head are not asked for one by one.
  anvil()->tell("anvil_mine", Json::array({to_quantity(kNearHead + 1)}));
  EXPECT_EQ(good(backfill_logs(client, filter, stored)).logs.size(), 3U);
  EXPECT_EQ(good(client.logs(filter, missed.upto)).size(), 1U);
  EXPECT_EQ(verdict(client.logs(filter, {missed.upto.number, base::Digest{{1}}})), "chain.behind");
}

}  // namespace
}  // namespace avow::chain
