// SPDX-License-Identifier: Apache-2.0
//
// What is checked here, whatever node and contract say: a verifier that accepts everything, nodes that change events,
// calldata and keys, and a node that is away for a while.
#include <gtest/gtest.h>

#include <thread>

#include "base/folder_testing.hpp"
#include "base/test_stride.hpp"
#include "market/settlement.hpp"
#include "requester/paid.hpp"
#include "requester/requester_testing.hpp"

namespace avow::requester {
namespace {

using chain::Json;
using chain::testing::Anvil;
using chain::testing::good;
using testing::fine;
using testing::LyingNode;
using testing::TestMarket;
using testing::verdict;

constexpr std::uint64_t kDelay = 2;

// An answer that was asked for and paid, once for all tests.
struct PaidQuestion {
  TestMarket chain;
  base::testing::ScratchFolder folder;
  std::unique_ptr<RequestBook> book;
  Record record;
  market::DeliveredAnswers answers;
  PaidAnswer paid;
};

class Lies : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!Anvil::is_installed() || base::kTestStride > 1) return;
    the_one() = std::make_unique<PaidQuestion>();
    PaidQuestion& all = *the_one();
    all.book = std::make_unique<RequestBook>(all.folder / "requests");
    if (!all.chain.is_good()) return;
    const Session session = all.chain.session(*all.book);
    all.record = post(session);
    all.answers = all.chain.run(all.record.request);
    const base::Bytes proof = all.chain.prove(all.answers);
    all.chain.settle(all.answers, proof);
    RequestWatch watch(session, all.record.request, kDelay);
    all.paid = *fine(watch.wait()).paid;
  }
  static void TearDownTestSuite() { the_one().reset(); }
  void SetUp() override {
    if (the_one() == nullptr) GTEST_SKIP() << "no anvil (tools/setup.sh chain installs it), or a slow build";
    ASSERT_TRUE(the_one()->chain.is_good());
  }
  static std::unique_ptr<PaidQuestion>& the_one() {
    static std::unique_ptr<PaidQuestion> one;
    return one;
  }
  static PaidQuestion& all() { return *the_one(); }
  static Record post(const Session& session) {
    Question question;
    question.input = testing::test_model().tokenizer->encode("The sun was").value();
    question.max_new_tokens = 6;
    OfferTerms terms;
    terms.max_price = chain::U256(1'000'000'000);
    Poster poster(session, all().chain.requester());
    return fine(poster.post(fine(known_model(*session.market, testing::test_model().proving->key().id())), question,
                            terms))
        .record;
  }
  static KnownModel model() {
    return fine(known_model(all().chain.market(), testing::test_model().proving->key().id()));
  }

  // A session whose node says something else.
  struct Deceived {
    std::unique_ptr<chain::Client> client;
    std::unique_ptr<market::MarketClient> market;
    Session session;
    LyingNode* node = nullptr;
  };
  static Deceived deceived(LyingNode::Lie lie) {
    auto node = std::make_unique<LyingNode>(good(chain::open_http(all().chain.anvil().url())), std::move(lie));
    Deceived made;
    made.node = node.get();
    std::vector<std::unique_ptr<chain::Endpoint>> endpoints;
    endpoints.push_back(std::move(node));
    chain::RpcPolicy policy;
    policy.rounds = 1;
    made.client = std::make_unique<chain::Client>(chain::Rpc(std::move(endpoints), policy));
    made.market = std::make_unique<market::MarketClient>(*made.client, all().chain.market().deployment());
    made.session = all().chain.session(*all().book);
    made.session.market = made.market.get();
    return made;
  }
  static std::string check(const Session& session, const market::Request& request, const PaidAnswer& paid) {
    const auto checked = check_paid(session, model(), request, paid);
    return checked ? "ok" : std::string(name(checked.error().cause)) + ": " + checked.error().text;
  }
};

TEST_F(Lies, AreNotInWhatIsTrue) {
  const Session session = all().chain.session(*all().book);
  EXPECT_EQ(check(session, all().record.request, all().paid), "ok");
}

TEST_F(Lies, OfTheContractAboutWhatWasPaidAreFound) {
  const Session session = all().chain.session(*all().book);
  PaidAnswer paid = all().paid;
  paid.output[0] ^= 1;
  EXPECT_EQ(check(session, all().record.request, paid), "proof: the contract says another answer than is proven");
  paid = all().paid;
  paid.end ^= 1;
  EXPECT_EQ(check(session, all().record.request, paid), "proof: the contract says another answer than is proven");
  paid = all().paid;
  paid.payee.bytes[3] ^= 1;
  EXPECT_EQ(check(session, all().record.request, paid), "proof: the proof names another payee than was paid");
  // Another request than the one that was answered, in whatever field.
  market::Request request = all().record.request;
  request.max_new_tokens += 1;
  EXPECT_EQ(check(session, request, all().paid), "proof: the proof that was paid is not about this request");
  request = all().record.request;
  request.input[0] ^= 1;
  EXPECT_EQ(check(session, request, all().paid), "proof: the proof that was paid is not about this request");
}

TEST_F(Lies, OfTheNodeAboutEventsAreFound) {
  // The event's output lies in the log's data; the state is left as it is.
  const std::string truth = base::to_hex(all().paid.output);
  std::string lie = truth;
  lie[1] = lie[1] == '0' ? '1' : '0';
  const Deceived lied_to = deceived([&](const std::string& method, const Json& /*params*/, Json& result) {
    if (method != "eth_getLogs") return;
    for (auto& log : result) {
      std::string data = log["data"].get<std::string>();
      if (const auto at = data.rfind(truth); at != std::string::npos) data.replace(at, truth.size(), lie);
      log["data"] = data;
    }
  });
  RequestWatch watch(lied_to.session, all().record.request, kDelay);
  const Ending ending = fine(watch.wait());
  ASSERT_TRUE(ending.paid.has_value());
  ASSERT_NE(ending.paid->output, all().paid.output) << "the lie is believed where nothing is checked";
  EXPECT_EQ(check(lied_to.session, all().record.request, *ending.paid),
            "proof: the contract says another answer than is proven");
}

TEST_F(Lies, OfTheNodeAboutCalldataAreFound) {
  const auto with_calldata = [&](const std::function<void(std::string&)>& change) {
    const Deceived lied_to = deceived([&](const std::string& method, const Json& /*params*/, Json& result) {
      if (method != "eth_getTransactionByHash" || result.is_null()) return;
      std::string input = result["input"].get<std::string>();
      change(input);
      result["input"] = input;
    });
    return verdict(check_paid(lied_to.session, model(), all().record.request, all().paid));
  };
  EXPECT_EQ(with_calldata([](std::string& /*input*/) {}), "ok");
  const auto flip = [](char& digit) { digit = digit == '0' ? '1' : '0'; };
  // The proof is the largest part, the last one, and padded with zeros.
  for (const std::size_t part : {2U, 3U, 5U, 9U}) {
    EXPECT_EQ(with_calldata([&](std::string& input) { flip(input[input.size() * part / 10]); }), "proof") << part;
  }
  EXPECT_EQ(with_calldata([](std::string& input) { input = "0x"; }), "payment");
  EXPECT_EQ(with_calldata([](std::string& input) { input.resize(input.size() / 4 * 2); }), "payment");
  EXPECT_EQ(with_calldata([&](std::string& input) { flip(input[3]); }), "payment") << "another function";
  // The answer in the delivery: whatever is claimed with it.
  const std::string truth = base::to_hex(all().paid.output);
  std::string lie = truth;
  flip(lie[1]);
  PaidAnswer paid = all().paid;
  paid.output[0] = static_cast<std::uint8_t>(base::from_hex(lie)->at(0));
  const Deceived lied_to = deceived([&](const std::string& method, const Json& /*params*/, Json& result) {
    if (method != "eth_getTransactionByHash" || result.is_null()) return;
    std::string input = result["input"].get<std::string>();
    const auto at = input.find(truth);
    ASSERT_NE(at, std::string::npos);
    input.replace(at, truth.size(), lie);
    result["input"] = input;
  });
  const std::string found = check(lied_to.session, all().record.request, paid);
  EXPECT_EQ(found.substr(0, 29), "proof: the proof does not hol") << found;
}

TEST_F(Lies, OfTheNodeAboutKeysAreFound) {
  const Deceived lied_to = deceived([](const std::string& method, const Json& /*params*/, Json& result) {
    if (method != "eth_call" || !result.is_string()) return;
    auto text = result.get<std::string>();
    // The key is the only long result: a byte of it.
    if (text.size() > 2'000) text[1'000] = text[1'000] == '0' ? '1' : '0';
    result = text;
  });
  const auto known = known_model(*lied_to.market, testing::test_model().proving->key().id());
  EXPECT_FALSE(known.ok());
}

// The contract pays for whatever its verifier accepts. This one accepts everything: PUSH1 1, PUSH1 0, MSTORE, PUSH1 32,
// PUSH1 0, RETURN, behind what creates it.
TEST_F(Lies, OfAVerifierThatAcceptsEverythingAreFound) {
  chain::CallRequest creation;
  creation.data = chain::testing::hex("600a600c600039600a6000f3 600160005260206000f3");
  const auto credulous = all().chain.send(all().chain.provider(), creation).created;
  ASSERT_TRUE(credulous.has_value());
  market::Deployment deployment = all().chain.market().deployment();
  deployment.contracts[static_cast<std::size_t>(market::Contract::kAnswerVerifier)] = *credulous;
  chain::Client client = all().chain.anvil().client();
  market::MarketClient market(client, deployment);
  Session session = all().chain.session(*all().book);
  session.market = &market;
  const Record record = post(session);
  EXPECT_EQ(record.request.verifier, *credulous);
  market::DeliveredAnswers lie = all().chain.run(record.request);
  auto& given = lie.delivery.answers[0];
  given.output[2] = given.output[2] == 300 ? 301 : 300;
  given.shown.resize(given.output.size());
  const unsigned id_bytes = model().id_bytes;
  const base::Bytes nonsense(1'000, 0x5a);
  EXPECT_TRUE(all()
                  .chain
                  .send(all().chain.provider(),
                        market.call(market::Contract::kMarket, "fulfil", {market::to_value(lie, id_bytes), nonsense}))
                  .succeeded)
      << "the contract itself is deceived";
  RequestWatch watch(session, record.request, kDelay);
  const Ending ending = fine(watch.wait());
  ASSERT_TRUE(ending.paid.has_value());
  EXPECT_EQ(claimed_answer(record.request, record.id, *ending.paid, id_bytes)->output, given.output);
  EXPECT_EQ(verdict(check_paid(session, model(), record.request, *ending.paid)), "proof");
}

TEST_F(Lies, ATransactionThatTheNodeLostIsSentAgainFromItsRecord) {
  Deceived between = deceived({});
  between.session.sending.patience = std::chrono::milliseconds(50);
  between.node->lose("eth_sendRawTransaction");
  Question question;
  question.input = testing::test_model().tokenizer->encode("The cat").value();
  question.max_new_tokens = 6;
  OfferTerms terms;
  terms.max_price = chain::U256(1'000'000'000);
  Poster poster(between.session, all().chain.requester());
  EXPECT_EQ(verdict(poster.post(model(), question, terms)), "chain");
  ASSERT_NE(poster.record(), nullptr);
  const Record record = fine(all().book->read(poster.record()->id));
  EXPECT_GE(record.transactions.size(), 1U) << "written down before it was sent";
  EXPECT_EQ(good(all().chain.market().state_of(record.id)).status, market::Status::kUnknown);
  between.node->lose("");
  post_again(between.session, record);
  post_again(between.session, record);
  RequestWatch watch(between.session, record.request, kDelay);
  for (int i = 0; i < 200 && watch.state().status == market::Status::kUnknown; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    (void)fine(watch.look());
  }
  EXPECT_EQ(watch.state().status, market::Status::kOpen);
}

TEST_F(Lies, ANodeThatIsAwayForAWhileIsWaitedFor) {
  Deceived between = deceived({});
  std::vector<Update> told;
  std::uint64_t now = 1'000;
  between.session.now = [&] { return now; };
  between.session.outage = std::chrono::seconds(600);
  between.session.on_update = [&](const Update& update) { told.push_back(update); };
  RequestWatch watch(between.session, all().record.request, kDelay);
  between.node->set_lost(true);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(fine(watch.look_patiently()).has_value());
  ASSERT_EQ(told.size(), 1U) << "said once";
  EXPECT_EQ(told[0].kind, UpdateKind::kNodeLost);
  now += 599;
  EXPECT_EQ(verdict(watch.look_patiently()), "ok");
  now += 1;
  EXPECT_EQ(verdict(watch.look_patiently()), "chain") << "not for ever";
  between.node->set_lost(false);
  EXPECT_TRUE(fine(watch.look_patiently()).has_value());
  EXPECT_EQ(told[1].kind, UpdateKind::kFulfilled);
  EXPECT_EQ(told.back().kind, UpdateKind::kNodeBack);
}

}  // namespace
}  // namespace avow::requester
