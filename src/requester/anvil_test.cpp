// SPDX-License-Identifier: Apache-2.0
//
// Requests from their posting to their end, on a real chain with the contracts.
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "base/folder_testing.hpp"
#include "base/hex.hpp"
#include "base/test_stride.hpp"
#include "market/settlement.hpp"
#include "requester/ask.hpp"
#include "requester/deployed.hpp"
#include "requester/doctor.hpp"
#include "requester/paid.hpp"
#include "requester/prices.hpp"
#include "requester/requester_testing.hpp"
#include "requester/take_back.hpp"
#include "requester/wallet.hpp"

namespace avow::requester {
namespace {

using chain::U256;
using chain::testing::Anvil;
using chain::testing::good;
using testing::fine;
using testing::TestMarket;
using testing::verdict;
using Kind = Ending::Kind;

const U256 kToken = U256(1'000'000'000'000'000'000);

class OnMarket : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (Anvil::is_installed() && base::kTestStride == 1) shared() = std::make_unique<TestMarket>();
  }
  static void TearDownTestSuite() { shared().reset(); }
  void SetUp() override {
    if (shared() == nullptr) GTEST_SKIP() << "no anvil (tools/setup.sh chain installs it), or a slow build";
    ASSERT_TRUE(shared()->is_good());
    book = std::make_unique<RequestBook>(folder / "requests");
    session = chain().session(*book);
    session.on_update = [this](const Update& status) { told.push_back(status); };
  }
  static std::unique_ptr<TestMarket>& shared() {
    static std::unique_ptr<TestMarket> the_one;
    return the_one;
  }
  static TestMarket& chain() { return *shared(); }

  [[nodiscard]] KnownModel model() const { return fine(known_model(chain().market(), model_id())); }
  static const base::Digest& model_id() { return testing::test_model().proving->key().id(); }
  static Question question(const std::string& prompt = "Once upon a time", std::uint32_t tokens = 8) {
    Question asked;
    asked.input = testing::test_model().tokenizer->encode(prompt).value();
    asked.max_new_tokens = tokens;
    asked.stop_ids = {*testing::test_model().contents.tokenizer.eos};
    asked.model_name = "stories";
    asked.prompt = prompt;
    return asked;
  }
  static OfferTerms terms(std::uint64_t tokens = 4) {
    OfferTerms offered;
    offered.max_price = *multiply(kToken, tokens);
    return offered;
  }
  Record post(const OfferTerms& offered = terms()) {
    Poster poster(session, chain().requester());
    return fine(poster.post(model(), question(), offered)).record;
  }
  [[nodiscard]] Ending end_of(const Record& record) const {
    RequestWatch watch(session, record.request, fine_terms().delay_blocks);
    return fine(watch.wait());
  }
  [[nodiscard]] static market::MarketTerms fine_terms() { return good(chain().market().terms()); }
  [[nodiscard]] market::Status status_of(const Record& record) const {
    return good(chain().market().state_of(record.id)).status;
  }
  // The names of what was told, in order, without prices.
  [[nodiscard]] std::string story() const {
    std::string names;
    for (const Update& status : told) {
      if (status.kind != UpdateKind::kPrice) names += std::string(names.empty() ? "" : " ") + name(status.kind);
    }
    return names;
  }

  base::testing::ScratchFolder folder;
  std::unique_ptr<RequestBook> book;
  Session session;
  std::vector<Update> told;
};

TEST_F(OnMarket, AsksAndChecksTheAnswerItself) {
  const U256 before = good(chain().market().balance_of(chain().requester().address()));
  const Record record = post();
  const MarketPrices waiting = fine(recent_prices(session, model_id(), model().id_bytes, 1'000));
  ASSERT_EQ(waiting.open.size(), 1U);
  EXPECT_EQ(waiting.open[0].id, record.id);
  EXPECT_EQ(waiting.open[0].max_price, terms().max_price);
  EXPECT_EQ(fine(book->read(record.id)), record);
  EXPECT_EQ(record.transactions.size(), 1U) << "one transaction, by a permit";
  EXPECT_EQ(good(chain().market().allowance_of(chain().requester().address())), U256());
  market::DeliveredAnswers answers = chain().run(record.request);
  const base::Bytes proof = chain().prove(answers);
  EXPECT_EQ(chain().settle(answers, proof), 1U);
  const Ending ending = end_of(record);
  ASSERT_EQ(ending.kind, Kind::kFulfilled);
  EXPECT_EQ(ending.paid->payee, chain().provider().address());
  EXPECT_GT(ending.paid->gas_used, 1'000'000U);
  const CheckedAnswer checked = fine(check_paid(session, model(), record.request, *ending.paid));
  EXPECT_EQ(checked.answer.output, answers.delivery.answers[0].output);
  EXPECT_EQ(checked.proof_bytes, proof.size());
  EXPECT_GE(checked.bits, 100U);
  EXPECT_EQ(claimed_answer(record.request, record.id, *ending.paid, model().id_bytes)->output, checked.answer.output);
  const U256 after = good(chain().market().balance_of(chain().requester().address()));
  EXPECT_EQ(*add(after, ending.paid->payment), before);
  EXPECT_EQ(story(), "sending fulfilled");
  // What the model cost is known from now on.
  const MarketPrices prices = fine(recent_prices(session, model_id(), model().id_bytes, 1'000));
  ASSERT_FALSE(prices.payments.empty());
  EXPECT_TRUE(prices.open.empty());
  EXPECT_EQ(prices.payments[0].payment, ending.paid->payment);
  EXPECT_EQ(prices.payments[0].id, record.id);
}

TEST_F(OnMarket, SaysWhatHappensAndChecksAProofInSteps) {
  const Record record = post();
  RequestWatch watch(session, record.request, fine_terms().delay_blocks);
  EXPECT_FALSE(fine(watch.look()).has_value());
  chain().send(chain().provider(), chain().market().lock(record.request, record.request.offer.deadline));
  EXPECT_FALSE(fine(watch.look()).has_value());
  chain().mine(fine_terms().delay_blocks);
  EXPECT_FALSE(fine(watch.look()).has_value());
  market::DeliveredAnswers answers = chain().run(record.request);
  const base::Bytes proof = chain().prove(answers);
  const std::size_t transactions = chain().settle(answers, proof, 90'000);
  ASSERT_GE(transactions, 2U);
  const Ending ending = fine(watch.wait());
  ASSERT_EQ(ending.kind, Kind::kFulfilled);
  const CheckedAnswer checked = fine(check_paid(session, model(), record.request, *ending.paid));
  EXPECT_EQ(checked.transactions, transactions);
  // A node that sends ever larger steps is stopped.
  EXPECT_EQ(verdict(check_paid(session, model(), record.request, *ending.paid, 90'000)), "payment");
  EXPECT_EQ(checked.answer.output, answers.delivery.answers[0].output);
  EXPECT_EQ(story(), "sending open locked proving fulfilled");
}

TEST_F(OnMarket, TellsOfStepsWhileTheyAreMade) {
  const Record record = post();
  RequestWatch watch(session, record.request, fine_terms().delay_blocks);
  chain().send(chain().provider(), chain().market().lock(record.request, record.request.offer.deadline));
  chain().mine(fine_terms().delay_blocks);
  market::DeliveredAnswers answers = chain().run(record.request);
  const base::Bytes proof = chain().prove(answers);
  chain::ChainProfile profile = session.profile;
  profile.most_bytes = 90'000;
  const auto calls = good(market::plan_settlement(chain().market(), testing::test_model().proving->key(), answers,
                                                  proof, profile, {.sender = chain().provider().address()}));
  ASSERT_GE(calls.size(), 2U);
  // Steps of another proof by the same provider are not this request's.
  for (std::size_t i = 0; i + 1 < calls.size(); ++i) {
    chain().send(chain().provider(), calls[i]);
    EXPECT_FALSE(fine(watch.look()).has_value());
    EXPECT_EQ(told.back().kind, UpdateKind::kStep);
    EXPECT_EQ(told.back().number, i + 1);
  }
  const Record other = post();
  RequestWatch other_watch(session, other.request, fine_terms().delay_blocks);
  chain().send(chain().provider(), chain().market().lock(other.request, other.request.offer.deadline));
  chain().send(chain().provider(), calls[0]);
  EXPECT_FALSE(fine(other_watch.look()).has_value());
  EXPECT_NE(told.back().kind, UpdateKind::kStep);
  chain().pass(record.request.offer.lock_duration + 1);
  EXPECT_FALSE(fine(other_watch.look()).has_value());
  EXPECT_EQ(told.back().kind, UpdateKind::kLockOver);
}

TEST_F(OnMarket, TakesAnOpenRequestBack) {
  const U256 before = good(chain().market().balance_of(chain().requester().address()));
  const Record record = post();
  EXPECT_EQ(verdict(refund(session, chain().requester(), record)), "state") << "it is open";
  EXPECT_EQ(verdict(cancel(session, chain().provider(), record)), "state") << "it is not the provider's";
  (void)fine(cancel(session, chain().requester(), record));
  EXPECT_EQ(status_of(record), market::Status::kCancelling);
  EXPECT_EQ(verdict(cancel(session, chain().requester(), record)), "state");
  const Possible possible = fine(what_is_possible(session, record.request));
  EXPECT_EQ(possible.way, Way::kWait);
  EXPECT_EQ(verdict(refund(session, chain().requester(), record)), "state");
  chain().mine(fine_terms().delay_blocks - 1);
  (void)fine(refund(session, chain().requester(), record));
  EXPECT_EQ(end_of(record).kind, Kind::kRefunded);
  EXPECT_EQ(good(chain().market().balance_of(chain().requester().address())), before);
  EXPECT_EQ(verdict(refund(session, chain().requester(), record)), "state");
  EXPECT_EQ(fine(book->read(record.id)).transactions.size(), 3U) << "each was written down";
}

TEST_F(OnMarket, GetsTheMoneyBackAfterTheDeadline) {
  OfferTerms short_lived = terms();
  short_lived.lifetime_secs = 100;
  const Record record = post(short_lived);
  chain().send(chain().provider(), chain().market().lock(record.request, record.request.offer.deadline));
  EXPECT_EQ(fine(what_is_possible(session, record.request)).way, Way::kWait);
  chain().pass(200);
  EXPECT_EQ(end_of(record).kind, Kind::kExpired);
  (void)fine(refund(session, chain().requester(), record));
  EXPECT_EQ(end_of(record).kind, Kind::kRefunded);
}

TEST_F(OnMarket, FindsRequestsThatThisMachineHasNoRecordOf) {
  const Record record = post();
  const RequestBook empty(book->folder() / "elsewhere");
  Session other = session;
  other.book = &empty;
  const Record found = fine(find_request(other, record.id));
  EXPECT_EQ(found.request, record.request);
  chain().mine(3'000);
  (void)fine(cancel(session, chain().requester(), record));
  EXPECT_EQ(fine(find_request(other, record.id)).request, record.request) << "further back than its last change";
  const std::atomic<bool> is_ended = true;
  other.cancelled = &is_ended;
  EXPECT_EQ(verdict(find_request(other, record.id)), "cancelled") << "it looks back to the first block";
  other.cancelled = nullptr;
  EXPECT_EQ(verdict(find_request(other, base::Digest{{1}})), "unknown");
}

TEST_F(OnMarket, TakesARequestBackWhoseRecordWasDamaged) {
  const Record record = post();
  const std::filesystem::path path = book->folder() / (base::to_hex(record.id) + ".json");
  std::filesystem::resize_file(path, 100);
  EXPECT_EQ(verdict(book->read(record.id)), "record");
  const Record found = fine(find_request(session, record.id));
  EXPECT_EQ(found.request, record.request);
  (void)fine(cancel(session, chain().requester(), found));
  EXPECT_EQ(status_of(record), market::Status::kCancelling);
  EXPECT_EQ(fine(book->read(record.id)).transactions.size(), 1U) << "it is a record again";
  // Of what the chain does not know either, the file's fault is said.
  const auto unknown = base::Digest{{3}};
  std::ofstream(book->folder() / (base::to_hex(unknown) + ".json")) << "{";
  EXPECT_EQ(verdict(find_request(session, unknown)), "record");
}

// As on Arbitrum, where contracts count Ethereum's blocks.
TEST_F(OnMarket, FollowsOnAChainWhoseContractsCountOtherBlocks) {
  constexpr std::uint64_t kLess = 200;
  chain().mine(kLess + 100);
  const auto less = [](std::string& words, std::size_t word) {
    const std::string digits = words.substr(2 + 64 * word, 64);
    const auto number = chain::U256::from_bytes(*base::from_hex(digits))->to_u64().value();
    if (number != 0) words.replace(2 + 64 * word, 64, base::to_hex(U256(number - kLess).to_bytes()));
  };
  const std::string state_of = base::to_hex(chain::selector_of("stateOf(bytes32)"));
  const auto count_others = [&](const std::string& method, const chain::Json& params, chain::Json& result) {
    if (method != "eth_call") return;
    std::string words = result.get<std::string>();
    const std::string input = params[0]["input"].get<std::string>();
    if (!params[0].contains("to")) less(words, 0);
    if (input.substr(2, 8) == state_of) less(words, 3);
    result = words;
  };
  std::vector<std::unique_ptr<chain::Endpoint>> endpoints;
  endpoints.push_back(
      std::make_unique<testing::LyingNode>(good(chain::open_http(chain().anvil().url())), count_others));
  chain::Client client{chain::Rpc(std::move(endpoints))};
  market::MarketClient market(client, chain().market().deployment());
  session.market = &market;
  const Record record = post();
  RequestWatch watch(session, record.request, fine_terms().delay_blocks);
  chain().send(chain().provider(), chain().market().lock(record.request, record.request.offer.deadline));
  EXPECT_FALSE(fine(watch.look()).has_value());
  EXPECT_FALSE(watch.is_effective());
  chain().mine(fine_terms().delay_blocks);
  EXPECT_FALSE(fine(watch.look()).has_value());
  EXPECT_TRUE(watch.is_effective());
  market::DeliveredAnswers answers = chain().run(record.request);
  const base::Bytes proof = chain().prove(answers);
  chain().settle(answers, proof);
  const Ending ending = fine(watch.wait());
  ASSERT_EQ(ending.kind, Kind::kFulfilled);
  EXPECT_EQ(fine(check_paid(session, model(), record.request, *ending.paid)).answer.output,
            answers.delivery.answers[0].output);
  const RequestBook empty(book->folder() / "elsewhere");
  Session other = session;
  other.book = &empty;
  EXPECT_EQ(fine(find_request(other, record.id)).request, record.request);
  const Record second = post();
  (void)fine(cancel(session, chain().requester(), second));
  EXPECT_EQ(fine(what_is_possible(session, second.request)).way, Way::kWait);
  chain().mine(fine_terms().delay_blocks - 1);
  EXPECT_EQ(fine(what_is_possible(session, second.request)).way, Way::kRefund);
  (void)fine(refund(session, chain().requester(), second));
  EXPECT_EQ(end_of(second).kind, Kind::kRefunded);
}

TEST_F(OnMarket, UsesAnAllowanceWhereThereIsOne) {
  chain().send(chain().requester(), chain().market().approve(terms().max_price));
  const Record record = post();
  EXPECT_EQ(record.transactions.size(), 1U);
  EXPECT_EQ(good(chain().market().allowance_of(chain().requester().address())), U256()) << "it is used up";
}

// Of the call that posts a request, the arguments of the token's own function.
chain::Value::List permit_in(const SentTransaction& sent, const chain::Address& owner, const chain::Address& market) {
  const auto transaction = good(chain::parse_transaction(sent.bytes));
  const auto entry = market::interface_of(market::Contract::kMarket).function("requestFor");
  const auto arguments =
      good(chain::decode_abi(entry.value()->inputs, base::ByteView(transaction.transaction.data).subspan(4)));
  const auto& permit = *arguments[2].as<chain::Value::List>();
  return {owner, market, permit[0], permit[1], permit[2], permit[3], permit[4]};
}

TEST_F(OnMarket, SurvivesThatAPermitIsUsedBySomebodyFaster) {
  // Somebody sees the transaction in flight, and gives its permit to the token before it comes to the market.
  bool was_faster = false;
  session.on_update = [&](const Update& status) {
    if (status.kind != UpdateKind::kSending || was_faster) return;
    const Record record = fine(book->read(status.id));
    const auto arguments = permit_in(record.transactions.at(0), chain().requester().address(),
                                     chain().market().address(market::Contract::kMarket));
    chain().send(chain().provider(), chain().market().call(market::Contract::kToken, "permit", arguments));
    was_faster = true;
  };
  const Record record = post();
  EXPECT_TRUE(was_faster);
  EXPECT_EQ(record.transactions.size(), 1U);
  EXPECT_EQ(status_of(record), market::Status::kOpen);
}

TEST_F(OnMarket, RefusesBeforeItSends) {
  Poster poster(session, chain().requester());
  Question long_one = question();
  long_one.max_new_tokens = 64;
  EXPECT_EQ(verdict(poster.post(model(), long_one, terms())), "question");
  Question foreign = question();
  foreign.input = {100'000};
  EXPECT_EQ(verdict(poster.post(model(), foreign, terms())), "question");
  EXPECT_EQ(verdict(poster.post(model(), question(), terms(0))), "offer");
  const auto nobody = good(chain::PrivateKey::generate());
  Poster poor(session, nobody);
  EXPECT_EQ(verdict(poor.post(model(), question(), terms())), "tokens");
  EXPECT_EQ(poster.record(), nullptr);
  EXPECT_EQ(verdict(known_model(chain().market(), base::Digest{{1}})), "model");
  EXPECT_TRUE(fine(book->all()).records.empty());
  EXPECT_TRUE(told.empty());
}

TEST_F(OnMarket, TakesNoMomentOfANodeThatIsFarAheadOfItsOwn) {
  const std::uint64_t there = fine(head_of(session)).timestamp;
  session.profile.chain_id = 1;  // on development chains tests move the clock
  Poster poster(session, chain().requester());
  session.now = [&] { return there - 901; };
  EXPECT_EQ(verdict(poster.post(model(), question(), terms())), "chain");
  EXPECT_EQ(poster.record(), nullptr);
  session.now = [&] { return there - 900; };
  EXPECT_EQ(verdict(poster.post(model(), question(), terms(0))), "offer") << "this is what is looked at next";
}

TEST_F(OnMarket, ChoosesNoncesThatNobodyUsed) {
  const Record first = post();
  const Record second = post();
  EXPECT_EQ(*subtract(second.request.nonce, first.request.nonce), U256(1));
  // Another machine with the same key knows none of them.
  const RequestBook empty(book->folder() / "elsewhere");
  Session other = session;
  other.book = &empty;
  Poster poster(other, chain().requester());
  const Record third = fine(poster.post(model(), question(), terms())).record;
  EXPECT_EQ(*subtract(third.request.nonce, second.request.nonce), U256(1));
}

TEST_F(OnMarket, RaisesThePriceWhenNobodyWantsIt) {
  session.outage = std::chrono::seconds(1);  // anvil shows states a moment before their blocks
  AskOptions options;
  options.terms = terms(4);
  options.bump = {*multiply(kToken, 9), 60, 50};
  Asker asker(session, chain().requester());
  std::optional<Result<Outcome>> outcome;
  const KnownModel asked = model();
  std::thread asking([&] { outcome = asker.ask(asked, question(), options); });
  // The chain's clock is moved on until the price has been raised twice: 4, 6, 9.
  for (int i = 0; i < 400 && fine(book->all()).records.size() < 3; ++i) {
    chain().pass(30);
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
  }
  std::optional<Record> last;
  for (const Record& record : fine(book->all()).records) {
    if (record.request.offer.max_price == *multiply(kToken, 9)) last = record;
  }
  EXPECT_TRUE(last.has_value());
  if (last) {
    for (int i = 0; i < 200 && status_of(*last) != market::Status::kOpen; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    market::DeliveredAnswers answers = chain().run(last->request);
    const base::Bytes proof = chain().prove(answers);
    chain().settle(answers, proof);
  }
  asking.join();
  ASSERT_TRUE(outcome->ok()) << outcome->error().text;
  EXPECT_EQ(outcome->value().ending.kind, Kind::kFulfilled);
  EXPECT_EQ(outcome->value().record.id, last->id);
  EXPECT_TRUE(last->replaced.has_value());
  std::size_t refunded = 0;
  for (const Record& record : fine(book->all()).records) refunded += status_of(record) == market::Status::kRefunded;
  EXPECT_EQ(refunded, 2U) << "only the last one is paid";
}

TEST_F(OnMarket, IsDoneWhereTakingBackLeavesNoTimeForAHigherPrice) {
  session.outage = std::chrono::seconds(1);
  std::uint64_t deadline = 0;
  session.on_update = [&](const Update& status) {
    if (status.kind == UpdateKind::kOpen) deadline = status.until;
    if (status.kind == UpdateKind::kCancelling) chain().pass(deadline - 20 - fine(head_of(session)).timestamp);
  };
  AskOptions options;
  options.terms = terms(4);
  options.bump = {*multiply(kToken, 9), 60, 50};
  Asker asker(session, chain().requester());
  std::optional<Result<Outcome>> outcome;
  std::atomic<bool> is_done = false;
  const KnownModel asked = model();
  std::thread asking([&] {
    outcome = asker.ask(asked, question(), options);
    is_done = true;
  });
  for (int i = 0; i < 400 && !is_done; ++i) {
    const auto records = fine(book->all()).records;
    if (records.empty() || status_of(records[0]) == market::Status::kOpen) chain().pass(30);
    chain().mine(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
  }
  asking.join();
  ASSERT_TRUE(outcome->ok()) << outcome->error().text;
  EXPECT_EQ(outcome->value().ending.kind, Kind::kRefunded);
  EXPECT_EQ(fine(book->all()).records.size(), 1U);
}

// One of two nodes lies: the request that it says is taken back stands, and another one would be paid, too.
TEST_F(OnMarket, PostsNothingAnewBeforeAllNodesSayThatTheMoneyIsBack) {
  const std::string state_of = base::to_hex(chain::selector_of("stateOf(bytes32)"));
  const auto lie = [&](const std::string& method, const chain::Json& params, chain::Json& result) {
    if (method != "eth_call" || params[0]["input"].get<std::string>().substr(2, 8) != state_of) return;
    std::string words = result.get<std::string>();
    words[65] = '1';  // open
    result = words;
  };
  std::vector<std::unique_ptr<chain::Endpoint>> endpoints;
  endpoints.push_back(std::make_unique<testing::LyingNode>(good(chain::open_http(chain().anvil().url())), lie));
  chain::Client other{chain::Rpc(std::move(endpoints))};
  AskOptions options;
  options.terms = terms(4);
  options.bump = {*multiply(kToken, 9), 60, 50};
  options.witnesses = {&other};
  std::atomic<std::uint64_t> asked_the_time = 0;
  session.now = [&] { return asked_the_time++ / 64; };
  session.outage = std::chrono::seconds(1);
  Asker asker(session, chain().requester());
  std::optional<Result<Outcome>> outcome;
  std::atomic<bool> is_done = false;
  const KnownModel asked = model();
  std::thread asking([&] {
    outcome = asker.ask(asked, question(), options);
    is_done = true;
  });
  for (int i = 0; i < 400 && !is_done; ++i) {
    chain().pass(30);
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
  }
  asking.join();
  EXPECT_EQ(verdict(*outcome), "chain");
  EXPECT_EQ(fine(book->all()).records.size(), 1U) << "no other one was posted";
}

TEST_F(OnMarket, GetsTheMoneyBackItselfWhenNobodyAnswers) {
  session.outage = std::chrono::seconds(1);
  AskOptions options;
  options.terms = terms();
  options.terms.lifetime_secs = 100;
  Asker asker(session, chain().requester());
  std::optional<Result<Outcome>> outcome;
  const KnownModel asked = model();
  std::thread asking([&] { outcome = asker.ask(asked, question(), options); });
  for (int i = 0; i < 200 && fine(book->all()).records.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  chain().pass(200);
  asking.join();
  ASSERT_TRUE(outcome->ok()) << outcome->error().text;
  EXPECT_EQ(outcome->value().ending.kind, Kind::kRefunded);
  EXPECT_EQ(outcome->value().receipts.size(), 2U);
}

TEST_F(OnMarket, StopsWaitingWhenItIsToldTo) {
  std::atomic<bool> cancelled = false;
  session.cancelled = &cancelled;
  session.on_update = [&](const Update& status) { cancelled = cancelled || status.kind == UpdateKind::kOpen; };
  Asker asker(session, chain().requester());
  EXPECT_EQ(verdict(asker.ask(model(), question(), {.terms = terms()})), "cancelled");
  ASSERT_NE(asker.record(), nullptr);
  EXPECT_EQ(status_of(*asker.record()), market::Status::kOpen) << "the request stands";
}

TEST_F(OnMarket, NoticesThatTheChainTookSomethingBack) {
  const Record record = post();
  const auto snapshot = chain().anvil().tell("evm_snapshot");
  RequestWatch watch(session, record.request, fine_terms().delay_blocks);
  (void)fine(watch.look());
  chain().send(chain().provider(), chain().market().lock(record.request, record.request.offer.deadline));
  (void)fine(watch.look());
  EXPECT_EQ(told.back().kind, UpdateKind::kLocked);
  chain().anvil().tell("evm_revert", chain::Json::array({snapshot}));
  (void)fine(watch.look());
  EXPECT_EQ(story(), "sending open locked reorganised open");
}

TEST_F(OnMarket, KnowsWhatNeverGotOntoTheChain) {
  const Record record = post();
  market::Request never = record.request;
  never.nonce = 1'000'000;
  EXPECT_EQ(fine(what_is_possible(session, never)).way, Way::kNothing);
  RequestWatch watch(session, never, fine_terms().delay_blocks);
  EXPECT_FALSE(fine(watch.look()).has_value()) << "it may still get there";
  chain().pass(terms().lifetime_secs + 1);
  EXPECT_EQ(fine(watch.wait()).kind, Kind::kUnposted);
}

TEST_F(OnMarket, KnowsItsContractsAndAccounts) {
  const MarketStatus status = fine(market_status(session));
  EXPECT_FALSE(status.problem.has_value()) << *status.problem;
  for (const auto& [contract, address, state] : status.contracts) {
    EXPECT_EQ(state, market::CodeState::kSame) << market::name(contract);
  }
  EXPECT_EQ(status.terms.delay_blocks, 2U);
  EXPECT_GT(status.supply, U256());
  for (const auto& part :
       {check_chain(session), check_contracts(session), check_account(session, chain().requester().address())}) {
    for (const Finding& finding : part) EXPECT_NE(finding.state, Finding::State::kBad) << finding.what << finding.found;
  }
  const auto newcomer = good(chain::PrivateKey::generate());
  const auto poor = check_account(session, newcomer.address());
  EXPECT_TRUE(std::any_of(poor.begin(), poor.end(), [](const Finding& f) { return f.state == Finding::State::kBad; }));
  const Holdings funded = fine(fund(session, newcomer.address(), {kToken, *multiply(kToken, 1'500)}));
  EXPECT_EQ(funded.coins, kToken);
  EXPECT_EQ(funded.tokens, *multiply(kToken, 2'000)) << "by whole drips of 1000";
  EXPECT_TRUE(fine(claim_all(session, newcomer)).empty());
  told.clear();
  const auto sent = fine(send_as(session, newcomer, chain().market().transfer(chain().provider().address(), kToken)));
  ASSERT_EQ(story(), "sending");
  EXPECT_EQ(told[0].transaction, sent.transaction);
  Session elsewhere = session;
  elsewhere.profile.chain_id = 1;
  EXPECT_EQ(verdict(fund(elsewhere, newcomer.address(), {kToken, kToken})), "state");
}

// A market that says all that is asked of one, and is another.
TEST_F(OnMarket, FindsAMarketThatOnlyLooksLikeItsOwn) {
  EXPECT_FALSE(check_contracts_are_ours(session).has_value());
  const auto market_at = chain().market().address(market::Contract::kMarket);
  base::Bytes code = good(session.chain().code(market_at));
  code.push_back(0x00);  // never reached, so it does what the market does
  const auto snapshot = chain().anvil().tell("evm_snapshot");
  chain().anvil().tell("anvil_setCode", chain::Json::array({to_string(market_at), chain::to_data(code)}));
  EXPECT_TRUE(check_contracts_are_ours(session).has_value());
  EXPECT_TRUE(fine(market_status(session)).problem.has_value());
  EXPECT_EQ(check_contracts(session).at(0).state, Finding::State::kBad);
  chain().anvil().tell("evm_revert", chain::Json::array({snapshot}));
  EXPECT_FALSE(check_contracts_are_ours(session).has_value());
}

TEST_F(OnMarket, ClaimsWhatAPayeesFulfilmentsEarned) {
  const Record record = post();
  market::DeliveredAnswers answers = chain().run(record.request);
  const base::Bytes proof = chain().prove(answers);
  chain().settle(answers, proof);
  chain().pass(7 * 24 * 3'600);
  const U256 before = good(chain().market().balance_of(chain().provider().address()));
  const auto claimed = fine(claim_all(session, chain().provider()));
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].what.substr(0, 6), "epoch ");
  EXPECT_LT(before, good(chain().market().balance_of(chain().provider().address())));
}

}  // namespace
}  // namespace avow::requester
