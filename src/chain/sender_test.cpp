// SPDX-License-Identifier: Apache-2.0
#include "chain/sender.hpp"

#include <gtest/gtest.h>

#include <map>

#include "chain/chain_testing.hpp"
#include "chain/node_testing.hpp"

namespace avow::chain {
namespace {

using testing::answer;
using testing::FakeNetwork;
using testing::good;
using testing::refusal;
using testing::verdict;

std::string cause_of(const std::optional<Error>& error) { return error ? name(error->cause) : "ok"; }

const PrivateKey& account() {
  static const PrivateKey kKey = good(PrivateKey::from_bytes(base::Bytes(32, 0x46)));
  return kKey;
}

// What a node says to each method, or to a method and one of its parameters ("eth_getTransactionCount latest"); tests
// change some of it.
struct NodeState {
  std::map<std::string, Json> results = {{"eth_call", "0x"},
                                         {"eth_estimateGas", "0x186a0"},
                                         {"eth_feeHistory", {{"baseFeePerGas", {"0x3b9aca00", "0x3b9aca00"}}}},
                                         {"eth_getBalance", "0xde0b6b3a7640000"},
                                         {"eth_getTransactionCount", "0x7"},
                                         {"eth_blockNumber", "0x20"},
                                         {"eth_getBlockByNumber", nullptr},
                                         {"eth_getTransactionReceipt", nullptr}};
  std::map<std::string, std::string> refusals{};
  std::map<std::string, testing::FakeNode::Answer> answers{};

  NodeState() { results["eth_feeHistory"]["reward"] = Json::array({Json::array({"0x5f5e100"})}); }
  testing::FakeNode::Answer node() {
    return [this](const Json& request) {
      const std::string method = request["method"];
      const auto answered = answers.find(method);
      if (answered != answers.end()) return answered->second(request);
      const auto refused = refusals.find(method);
      if (refused != refusals.end()) return refusal(request, -32000, refused->second);
      if (method == "eth_sendRawTransaction") {
        const auto sent = good(read_data(request["params"][0]));
        return answer(request, to_data(good(parse_transaction(sent)).hash));
      }
      return answer(request, result_of(request));
    };
  }
  [[nodiscard]] const Json& result_of(const Json& request) const {
    const std::string method = request["method"];
    for (const Json& param : request["params"]) {
      const auto found = results.find(method + ' ' + (param.is_string() ? param.get<std::string>() : ""));
      if (found != results.end()) return found->second;
    }
    return results.at(method);
  }
  // The receipt, of a block with this digit as its hash.
  Json& receipt(const SignedTransaction& transaction, std::uint64_t block, bool succeeded = true, char digit = '3') {
    const std::string hash = "0x" + std::string(64, digit);
    Json& made = results["eth_getTransactionReceipt " + to_data(transaction.hash)];
    made = {{"transactionHash", to_data(transaction.hash)},
            {"blockNumber", to_quantity(block)},
            {"blockHash", hash},
            {"status", succeeded ? "0x1" : "0x0"},
            {"gasUsed", "0x5208"},
            {"effectiveGasPrice", "0x7"},
            {"logs", Json::array()}};
    return made;
  }
  void include(const SignedTransaction& transaction, std::uint64_t block, bool succeeded = true) {
    const std::string hash = "0x" + std::string(64, '3');
    receipt(transaction, block, succeeded);
    results["eth_getBlockByNumber"] = {{"number", to_quantity(block)}, {"hash", hash},      {"parentHash", hash},
                                       {"timestamp", "0x1"},           {"gasLimit", "0x1"}, {"baseFeePerGas", "0x1"}};
  }
};

class SendingTo {
 public:
  explicit SendingTo(NodeState& state, std::uint64_t chain_id = 1, Clock clock = std::chrono::steady_clock::now)
      : client_(network_.client(state.node())),
        sender(client_, account(), profile_of(chain_id), {}, std::move(clock)) {}

 private:
  FakeNetwork network_;
  Client client_;

 public:
  Sender sender;  // NOLINT(readability-identifier-naming): what tests use
  [[nodiscard]] std::size_t waits() const { return network_.waits.size(); }
};

CallRequest some_call() {
  CallRequest call;
  call.to = Address{{1}};
  return call;
}

TEST(ChainProfiles, RefuseWhatTheirNodesWould) {
  Transaction transaction;
  transaction.to = Address{};
  const auto cause = [&](std::uint64_t chain, std::size_t bytes, std::uint64_t gas) {
    Transaction sized = transaction;
    sized.gas_limit = gas;
    sized.data = base::Bytes(bytes, 1);
    const std::size_t more = sign(sized, account()).bytes.size() - bytes;
    sized.data.resize(bytes - more);
    return cause_of(check_limits(sign(sized, account()), profile_of(chain)));
  };
  constexpr std::uint64_t kGas = std::uint64_t{1} << 24;
  for (const std::uint64_t chain : {1U, 11155111U, 31337U, 123U}) {
    EXPECT_EQ(cause(chain, 131'072, kGas), "ok") << chain;
    EXPECT_EQ(cause(chain, 131'073, kGas), "send.too_many_bytes") << chain;
    EXPECT_EQ(cause(chain, 1000, kGas + 1), "send.too_much_gas") << chain;
  }
  EXPECT_EQ(cause(42161, 95'000, kGas), "ok");
  EXPECT_EQ(cause(42161, 95'001, kGas), "send.too_many_bytes");
}

TEST(Fees, FollowTheTipsOfTheLastBlocks) {
  const FeePolicy policy;
  const auto fees = good(fees_after({{50, 60, 100'000}, {3'000'000, 9'000'000}}, policy));
  EXPECT_EQ(fees.max_priority_fee, U256(9'000'000));
  EXPECT_EQ(fees.max_fee, U256(9'200'000));
  EXPECT_EQ(good(fees_after({{7}, {}}, policy)).max_priority_fee, policy.least_priority_fee);
  // Room for a doubled base fee only as far as the cap.
  EXPECT_EQ(good(fees_after({{150'000'000'000}, {}}, policy)).max_fee, policy.most_fee);
  EXPECT_EQ(verdict(fees_after({{200'000'000'000}, {}}, policy)), "send.fee_cap");
  EXPECT_EQ(verdict(fees_after({{U256::max()}, {}}, policy)), "send.fee_cap");
  EXPECT_EQ(good(fees_after({{7, 7}, {U256::max()}}, policy)), (Fees{kMostPriorityFee, kMostPriorityFee + 14}))
      << "a tip is paid, whatever the node says that others tip";
  FeePolicy mean;
  mean.most_priority_fee = 3;
  EXPECT_EQ(good(fees_after({{7}, {}}, mean)), (Fees{3, 17}));
  EXPECT_EQ(verdict(fees_after({{}, {}}, policy)), "rpc.reply");
}

TEST(Fees, AreRaisedByAnEighthAtLeast) {
  const FeePolicy policy;
  for (const std::uint64_t fee : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{7}, std::uint64_t{1'000'000'007}}) {
    const auto raised = good(raise_fees({fee, fee}, {}, policy));
    EXPECT_GE(*multiply(raised.max_fee, 1000), *multiply(fee, 1125));
    EXPECT_GT(raised.max_fee, U256(fee));
    EXPECT_GE(*multiply(raised.max_priority_fee, 1000), *multiply(fee, 1125));
  }
  EXPECT_EQ(good(raise_fees({8, 80}, {100, 1000}, policy)), (Fees{100, 1000}));
  EXPECT_EQ(verdict(raise_fees({8, 190'000'000'000}, {}, policy)), "send.replacement");
  EXPECT_EQ(verdict(raise_fees({8, U256::max()}, {}, policy)), "send.replacement");
  EXPECT_EQ(good(raise_fees({4'400'000'000, 80}, {}, policy)).max_priority_fee, U256(4'950'000'001));
  EXPECT_EQ(verdict(raise_fees({4'500'000'000, 80}, {}, policy)), "send.replacement");
  EXPECT_EQ(verdict(raise_fees({U256::max(), 80}, {}, policy)), "send.replacement");
}

TEST(Fees, OfAWholeTransactionAreBounded) {
  FeePolicy policy;
  policy.most_total_fee = 1000;
  EXPECT_EQ(cause_of(check_total_fee({1, 10}, 100, policy)), "ok");
  EXPECT_EQ(cause_of(check_total_fee({1, 10}, 101, policy)), "send.fee_cap");
  EXPECT_EQ(cause_of(check_total_fee({1, U256::max()}, 2, policy)), "send.fee_cap");
}

TEST(Sending, PreparesWithMarginFeesAndNonce) {
  NodeState state;
  SendingTo to(state);
  const Transaction made = good(to.sender.prepare(some_call())).transaction;
  EXPECT_EQ(made.chain_id, 1U);
  EXPECT_EQ(made.nonce, 7U);
  EXPECT_EQ(made.gas_limit, 115'000U);
  EXPECT_EQ(made.max_priority_fee, U256(100'000'000));
  EXPECT_EQ(made.max_fee, U256(2'100'000'000));
}

TEST(Sending, NothingIsSentThatWouldFail) {
  const auto refused = [](const auto& change) {
    NodeState state;
    CallRequest call = some_call();
    change(state, call);
    SendingTo to(state);
    return verdict(to.sender.prepare(call));
  };
  EXPECT_EQ(refused([](NodeState&, CallRequest&) {}), "ok");
  EXPECT_EQ(refused([](NodeState& s, CallRequest&) { s.refusals["eth_call"] = "execution reverted"; }), "rpc.reverted");
  EXPECT_EQ(refused([](NodeState& s, CallRequest&) { s.results["eth_estimateGas"] = "0x1000001"; }),
            "send.too_much_gas");
  EXPECT_EQ(refused([](NodeState& s, CallRequest&) { s.results["eth_estimateGas"] = "0x1000000"; }), "ok");
  EXPECT_EQ(refused([](NodeState& s, CallRequest&) { s.results["eth_estimateGas"] = "0xffffffffffffffff"; }),
            "send.too_much_gas");
  EXPECT_EQ(refused([](NodeState& s, CallRequest&) { s.results["eth_getBalance"] = "0x1"; }), "send.funds");
  EXPECT_EQ(refused([](NodeState&, CallRequest& call) { call.value = U256::max(); }), "send.funds");
  EXPECT_EQ(refused([](NodeState&, CallRequest& call) { call.data = base::Bytes(140'000); }), "send.too_many_bytes");
  EXPECT_EQ(refused([](NodeState& s, CallRequest&) {
              s.results["eth_feeHistory"]["baseFeePerGas"] = {"0x1", "0xffffffffffffffff"};
            }),
            "send.fee_cap");
  EXPECT_EQ(refused([](NodeState& s, CallRequest& call) {
              s.results["eth_feeHistory"]["baseFeePerGas"] = {"0x1", "0xba43b7400"};  // 50 gwei
              s.results["eth_getBalance"] = "0xffffffffffffffffffff";
              call.gas_limit = 16'000'000;
            }),
            "send.fee_cap")
      << "1.6 ether";
}

TEST(Sending, TipsNoMoreThanTheChainIsWorth) {
  NodeState state;
  state.results["eth_feeHistory"]["reward"] = Json::array({Json::array({"0x2540be400"})});  // 10 gwei
  SendingTo ethereum(state), arbitrum(state, 42161);
  EXPECT_EQ(good(ethereum.sender.prepare(some_call())).transaction.max_priority_fee, U256(5'000'000'000));
  EXPECT_EQ(good(arbitrum.sender.prepare(some_call())).transaction.max_priority_fee, U256(1'000'000'000));
}

TEST(Sending, CountsNoncesThatTheNodeDoesNotShowYet) {
  NodeState state;
  SendingTo to(state);
  for (std::uint64_t nonce = 7; nonce < 10; ++nonce) {
    const auto made = good(to.sender.prepare(some_call()));
    EXPECT_EQ(made.transaction.nonce, nonce);
    EXPECT_EQ(cause_of(to.sender.send(made)), "ok");
  }
  // What another program of the account sent.
  state.results["eth_getTransactionCount pending"] = "0x14";
  EXPECT_EQ(good(to.sender.prepare(some_call())).transaction.nonce, 0x14U);
}

bool says_all(const std::optional<Error>& error, std::initializer_list<std::string_view> texts) {
  return error && std::all_of(texts.begin(), texts.end(),
                              [&](std::string_view text) { return error->text.find(text) != std::string::npos; });
}

TEST(Sending, ErrorsLeaveOpenWhetherItWasSent) {
  NodeState state;
  SendingTo to(state);
  const auto made = good(to.sender.prepare(some_call()));
  const auto expect_open = [&](const char* cause) {
    const auto error = to.sender.send(made);
    EXPECT_EQ(cause_of(error), cause);
    EXPECT_PRED2(says_all, error, (std::initializer_list<std::string_view>{to_string(made), "wait for"}));
    EXPECT_TRUE(error && error->text.find("prepare") == std::string::npos) << error->text;
    EXPECT_TRUE(error && error->unsettled && error->unsettled->hash == made.hash && error->unsettled->nonce == 7);
  };
  for (const char* text : {"nonce too low", "Nonce too low", "NONCE TOO LOW: next 8, tx 7"}) {
    state.refusals["eth_sendRawTransaction"] = text;
    expect_open("send.not_included");
  }
  state.answers["eth_getTransactionReceipt"] = [](const Json&) { return fail(Cause::kTransport, "gone"); };
  expect_open("send.not_included");
  state.answers.clear();
  state.include(made, 0x20);
  EXPECT_EQ(cause_of(to.sender.send(made)), "ok") << "it was sent before";
  for (const char* text : {"replacement transaction underpriced", "Replacement transaction underpriced"}) {
    state.refusals["eth_sendRawTransaction"] = text;
    expect_open("send.replacement");
  }
  state.refusals["eth_sendRawTransaction"] = "insufficient funds for gas";
  expect_open("rpc.node");
  state.answers["eth_sendRawTransaction"] = [](const Json&) { return HttpReply{502, "bad gateway"}; };
  expect_open("rpc.http");
  EXPECT_EQ(good(to.sender.prepare(some_call())).transaction.nonce, 8U) << "another call of its nonce could replace it";
}

TEST(Sending, NothingIsUnsettledThatIsRefusedBeforeItIsSent) {
  NodeState state;
  SendingTo to(state);
  Transaction large = good(to.sender.prepare(some_call())).transaction;
  large.data.resize(140'000);
  const auto refused = to.sender.send(sign(large, account()));
  EXPECT_EQ(cause_of(refused), "send.too_many_bytes");
  EXPECT_FALSE(refused->unsettled.has_value());
  EXPECT_EQ(good(to.sender.prepare(some_call())).transaction.nonce, 7U);
}

// A node whose reply to the transaction is lost, and to which it was sent all the same.
testing::FakeNode::Answer lossy(NodeState& state, bool is_included, int* sent) {
  return [&state, is_included, sent](const Json& request) {
    const auto transaction = good(parse_transaction(good(read_data(request["params"][0]))));
    ++*sent;
    for (const char* tag : {"latest", "pending"}) state.results[std::string("eth_getTransactionCount ") + tag] = "0x8";
    if (is_included) state.include(transaction, 0x10);
    return *sent == 1 ? Result<HttpReply>(fail(Cause::kTransport, "lost")) : refusal(request, -32000, "nonce too low");
  };
}

TEST(Sending, FindsWhatWasSentThoughTheReplyIsLost) {
  NodeState state;
  SendingTo to(state);
  int sent = 0;
  state.answers["eth_sendRawTransaction"] = lossy(state, true, &sent);
  EXPECT_EQ(verdict(to.sender.transact(some_call())), "ok");
  state.receipt(good(to.sender.prepare(some_call())), 0x10);
  state.answers["eth_sendRawTransaction"] = [&](const Json& request) {
    state.include(good(parse_transaction(good(read_data(request["params"][0])))), 0x10);
    return HttpReply{502, "bad gateway"};
  };
  EXPECT_EQ(verdict(to.sender.transact(some_call())), "ok");
}

TEST(Sending, LeavesOpenWhatWasPerhapsSentAndIsNotFound) {
  NodeState state;
  SendingTo to(state);
  const auto made = good(to.sender.prepare(some_call()));
  int sent = 0;
  state.answers["eth_sendRawTransaction"] = lossy(state, false, &sent);
  const auto receipt = to.sender.transact(some_call());
  ASSERT_EQ(verdict(receipt), "send.not_included");
  EXPECT_PRED2(says_all, receipt.error(), (std::initializer_list<std::string_view>{to_string(made), "nonce too low"}));
  ASSERT_TRUE(receipt.error().unsettled.has_value());
  EXPECT_EQ(receipt.error().unsettled->hash, made.hash);
}

TEST(Sending, LeavesNoGapOfNoncesThatANodeInvents) {
  NodeState state;
  SendingTo to(state);
  const auto next = [&](const char* latest, const char* pending) {
    state.results["eth_getTransactionCount latest"] = latest;
    state.results["eth_getTransactionCount pending"] = pending;
    const auto made = to.sender.prepare(some_call());
    return made ? std::to_string(made.value().transaction.nonce) : verdict(made);
  };
  EXPECT_EQ(next("0x7", "0x17"), "23");
  EXPECT_EQ(next("0x7", "0x18"), "send.nonce_gap");
  EXPECT_EQ(next("0x7", "0xffffffffffffffff"), "send.nonce_gap");
  EXPECT_EQ(next("0x18", "0x7"), "send.nonce_gap");
  EXPECT_EQ(next("0x8", "0x7"), "8") << "one node is behind another";
  EXPECT_EQ(next("0x7", "0x7"), "7") << "nothing of this is kept";
  Nonces nonces;
  nonces.sent(40);
  EXPECT_EQ(good(nonces.next({7, 57}, 16)), 57U) << "of these it sent most";
  EXPECT_EQ(verdict(nonces.next({7, 58}, 16)), "send.nonce_gap");
  nonces.sent(~std::uint64_t{0});
  EXPECT_EQ(good(nonces.next({7, 7}, 16)), ~std::uint64_t{0});
}

TEST(Sending, SaysThatNoncesBeforeAreNotUsed) {
  NodeState state;
  state.results["eth_getTransactionCount pending"] = "0xa";
  SendingTo to(state);
  const auto made = good(to.sender.prepare(some_call()));
  EXPECT_EQ(made.transaction.nonce, 10U);
  const auto receipt = to.sender.wait({made});
  ASSERT_EQ(verdict(receipt), "send.not_included");
  EXPECT_NE(receipt.error().text.find("waits for the account's nonces from 7 on"), std::string::npos)
      << receipt.error().text;
}

TEST(Sending, WaitsForConfirmationsInTheChain) {
  NodeState state;
  SendingTo to(state);
  const auto made = good(to.sender.prepare(some_call()));
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.not_included");
  EXPECT_EQ(to.waits(), 180U);
  state.include(made, 0x20);
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.not_included") << "in the newest block";
  state.results["eth_blockNumber"] = "0x2a";
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.not_included") << "eleven blocks";
  state.results["eth_blockNumber"] = "0x2b";
  EXPECT_EQ(verdict(to.sender.wait({made})), "ok") << "twelve blocks";
  state.results["eth_getBlockByNumber"]["hash"] = "0x" + std::string(64, '5');
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.not_included") << "its block has left the chain";
  state.include(made, 0x20, false);
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.failed");
}

TEST(Sending, ReceiptsWithoutABlockHideNoOther) {
  NodeState state;
  SendingTo to(state);
  const auto first = good(to.sender.prepare(some_call()));
  const auto second = good(to.sender.prepare_replacement({first}));
  state.include(second, 0x10);
  state.receipt(first, 0x10, true, '5');
  EXPECT_EQ(good(to.sender.wait({first, second})).transaction, second.hash) << "of a block that the chain has left";
  state.receipt(first, 0x30);
  EXPECT_EQ(good(to.sender.wait({first, second})).transaction, second.hash) << "of a block that is none yet";
  state.receipt(first, 0x20);
  EXPECT_EQ(good(to.sender.wait({first, second})).transaction, second.hash) << "without confirmations";
  state.receipt(first, 0x10) = "nonsense";
  EXPECT_EQ(good(to.sender.wait({first, second})).transaction, second.hash) << "malformed";
}

TEST(Sending, BelievesNoReceiptThatCannotBe) {
  NodeState state;
  SendingTo to(state);
  const auto with = [&](const CallRequest& call, const char* key, const Json& value, bool succeeded = true) {
    const auto made = good(to.sender.prepare(call));
    state.include(made, 0x10, succeeded);
    state.receipt(made, 0x10, succeeded)[key] = value;
    const auto receipt = to.sender.wait({made});
    return receipt ? "ok" : to_string(receipt.error());
  };
  const auto is_contradiction = [](const std::string& text) {
    return text.find("rpc.reply: the receipt") != std::string::npos;
  };
  EXPECT_EQ(with(some_call(), "gasUsed", "0x1c138"), "ok") << "all of its gas";
  EXPECT_PRED1(is_contradiction, with(some_call(), "gasUsed", "0x1c139"));
  EXPECT_EQ(with(some_call(), "effectiveGasPrice", "0x7d2b7500"), "ok") << "all that it may pay";
  EXPECT_PRED1(is_contradiction, with(some_call(), "effectiveGasPrice", "0x7d2b7501"));
  const std::string right = to_data(created_address(account().address(), 7).bytes);
  const std::string wrong = "0x" + std::string(40, 'e');
  EXPECT_PRED1(is_contradiction, with(some_call(), "contractAddress", right)) << "a call creates nothing";
  CallRequest creation;
  creation.data = {1};
  EXPECT_EQ(with(creation, "contractAddress", right), "ok");
  EXPECT_PRED1(is_contradiction, with(creation, "contractAddress", wrong));
  EXPECT_PRED1(is_contradiction, with(creation, "contractAddress", nullptr));
  EXPECT_PRED1(is_contradiction, with(creation, "contractAddress", wrong, false));
  EXPECT_TRUE(with(creation, "contractAddress", nullptr, false).starts_with("send.failed"));
}

TEST(Sending, SaysThatANonceIsUsedOnlyWhereThatIsProven) {
  NodeState state;
  SendingTo to(state);
  const auto made = good(to.sender.prepare(some_call()));
  state.results["eth_getTransactionCount latest"] = "0x8";
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.not_included") << "in the newest block";
  // Twelve blocks are those from 0x15 to 0x20; of the first one the node may not have all receipts yet.
  state.results["eth_getTransactionCount 0x15"] = "0x8";
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.not_included") << "as if its block had just come";
  const char* confirmed = "eth_getTransactionCount 0x14";
  state.results[confirmed] = "0x8";
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.nonce_used");
  state.receipt(made, 0x10, true, '5');
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.not_included") << "in a block that the chain has left";
  state.receipt(made, 0x10) = "nonsense";
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.not_included") << "its receipt cannot be read";
  state.receipt(made, 0x10) = nullptr;
  state.answers["eth_getTransactionCount"] = [&](const Json& request) {
    state.receipt(made, 0x15);
    return answer(request, state.result_of(request));
  };
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.not_included") << "its receipt came meanwhile";
  state.answers.clear();
  state.receipt(made, 0x15) = nullptr;
  state.results["eth_blockNumber"] = "0xa";
  state.results["eth_getTransactionCount"] = "0x8";
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.not_included") << "the chain is shorter";
}

TEST(Sending, WaitsThroughErrorsOfNodes) {
  NodeState state;
  SendingTo to(state);
  const auto made = good(to.sender.prepare(some_call()));
  int left = 100;
  state.answers["eth_getTransactionReceipt"] = [&](const Json& request) -> Result<HttpReply> {
    if (--left > 0) return fail(Cause::kTransport, "gone");
    state.include(made, 0x10);
    return answer(request, state.result_of(request));
  };
  EXPECT_EQ(verdict(to.sender.wait({made})), "ok");
  left = 1 << 20;
  const auto given_up = to.sender.wait({made});
  ASSERT_EQ(verdict(given_up), "send.not_included");
  EXPECT_NE(given_up.error().text.find("rpc.transport: gone"), std::string::npos) << given_up.error().text;
  EXPECT_NE(given_up.error().text.find(to_string(made)), std::string::npos) << given_up.error().text;
  ASSERT_TRUE(given_up.error().unsettled.has_value());
  EXPECT_EQ(given_up.error().unsettled->nonce, 7U);
  EXPECT_EQ(given_up.error().unsettled->hash, made.hash);
}

TEST(Sending, IsPatientByTheClockAsWell) {
  NodeState state;
  std::chrono::steady_clock::time_point now{};
  SendingTo to(state, 1, [&] { return now; });
  const auto made = good(to.sender.prepare(some_call()));
  state.answers["eth_getTransactionReceipt"] = [&](const Json& request) {
    now += std::chrono::seconds(60);  // a slow node
    return answer(request, nullptr);
  };
  EXPECT_EQ(verdict(to.sender.wait({made})), "send.not_included");
  EXPECT_EQ(to.waits(), 2U);
}

TEST(Sending, ReplacesUnderTheSameNonceAndCap) {
  NodeState state;
  SendingTo to(state);
  std::vector<SignedTransaction> candidates{good(to.sender.prepare(some_call()))};
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(cause_of(to.sender.replace(candidates)), "ok");
    ASSERT_EQ(candidates.size(), i + 1);
    const Transaction& old = candidates[i - 1].transaction;
    const Transaction& made = candidates[i].transaction;
    EXPECT_EQ(made.nonce, old.nonce);
    EXPECT_GE(*multiply(made.max_fee, 1000), *multiply(old.max_fee, 1125));
    EXPECT_GE(*multiply(made.max_priority_fee, 1000), *multiply(old.max_priority_fee, 1125));
  }
  std::swap(candidates[0], candidates[2]);
  const auto above_all = good(to.sender.prepare_replacement(candidates)).transaction;
  EXPECT_GT(above_all.max_fee, candidates[0].transaction.max_fee);
  Transaction dear = candidates[0].transaction;
  dear.max_fee = 190'000'000'000;
  const auto refused = to.sender.prepare_replacement({sign(dear, account())});
  ASSERT_EQ(verdict(refused), "send.replacement");
  EXPECT_TRUE(refused.error().unsettled.has_value()) << "what was to be replaced may be included";
  Transaction large = candidates[0].transaction;
  large.data.resize(140'000);
  candidates = {sign(large, account())};
  const auto too_large = to.sender.replace(candidates);
  ASSERT_EQ(cause_of(too_large), "send.too_many_bytes");
  EXPECT_TRUE(too_large->unsettled.has_value());
}

TEST(Sending, SaysThatWhatIsToBeReplacedIsIncluded) {
  NodeState state;
  SendingTo to(state);
  std::vector<SignedTransaction> candidates{good(to.sender.prepare(some_call()))};
  EXPECT_EQ(cause_of(to.sender.replace(candidates)), "ok");
  state.refusals["eth_sendRawTransaction"] = "nonce too low";
  const auto open = to.sender.replace(candidates);
  EXPECT_EQ(cause_of(open), "send.not_included");
  EXPECT_PRED2(says_all, open, (std::initializer_list<std::string_view>{"wait for all"}));
  EXPECT_EQ(open->text.find("prepare"), std::string::npos) << open->text;
  for (const std::size_t included : {std::size_t{1}, std::size_t{0}}) {
    state.include(candidates[included], 0x10);
    const auto error = to.sender.replace(candidates);
    EXPECT_EQ(cause_of(error), "send.included");
    EXPECT_PRED2(says_all, error,
                 (std::initializer_list<std::string_view>{to_string(candidates[included]), "wait for it"}));
    EXPECT_EQ(error->unsettled->hash, candidates[included].hash);
    EXPECT_EQ(good(to.sender.wait(candidates)).transaction, candidates[included].hash);
  }
}

TEST(Sending, KeepsAReplacementWhoseReplyIsLost) {
  NodeState state;
  SendingTo to(state);
  std::vector<SignedTransaction> candidates{good(to.sender.prepare(some_call()))};
  int sent = 0;
  state.answers["eth_sendRawTransaction"] = lossy(state, true, &sent);
  EXPECT_EQ(cause_of(to.sender.replace(candidates)), "ok") << "the second attempt finds the first";
  ASSERT_EQ(candidates.size(), 2U);
  state.answers["eth_sendRawTransaction"] = [](const Json&) { return HttpReply{502, "bad gateway"}; };
  EXPECT_EQ(cause_of(to.sender.replace(candidates)), "rpc.http");
  EXPECT_EQ(candidates.size(), 3U);
}

}  // namespace
}  // namespace avow::chain
