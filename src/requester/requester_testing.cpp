// SPDX-License-Identifier: Apache-2.0
#include "requester/requester_testing.hpp"

#include "market/settlement.hpp"
#include "model/tokenizer_load.hpp"
#include "quantise/quantise.hpp"
#include "reduction/program.hpp"

namespace avow::requester::testing {
namespace {

using chain::testing::development_key;
using chain::testing::good;

constexpr std::uint64_t kTestContext = 64;
constexpr std::uint32_t kTestLevel = 100;

chain::SendPolicy quick_sending() {
  chain::SendPolicy policy;
  policy.poll = std::chrono::milliseconds(20);
  policy.patience = std::chrono::milliseconds(10'000);
  return policy;
}

TestModel make_test_model() {
  TestModel made;
  const std::string path = std::string(AVOW_SOURCE_DIR) + "/models/stories260K/stories260K.gguf";
  const auto weights = model::Weights::open(path);
  const auto tokenizer = model::load_tokenizer(path);
  EXPECT_TRUE(weights.ok() && tokenizer.ok()) << path;
  auto integers = quantise::quantise(weights.value(), {.context = kTestContext});
  EXPECT_TRUE(integers.ok());
  made.contents = {std::move(integers).value(), tokenizer.value().data(), ""};
  made.tokenizer =
      std::make_unique<model::Tokenizer>(std::move(model::Tokenizer::create(made.contents.tokenizer)).value());
  return made;
}

}  // namespace

market::Request example_request() {
  market::Request request;
  request.requester = chain::Address{{1, 2, 3}};
  request.nonce = 7;
  request.model_id.fill(0x11);
  request.verifier = chain::Address{{4}};
  request.input = {1, 0, 2, 0};
  request.max_new_tokens = 5;
  request.sampling = {5120, 40, 62000, {}};
  request.sampling.seed.fill(0x2a);
  request.stop_ids = {2, 0};
  request.offer = {chain::U256(10), chain::U256(30), 200, 1'000, 100, 600, 5'000, chain::U256(40)};
  return request;
}

const TestModel& test_model() {
  static TestModel* the_one = nullptr;
  if (the_one != nullptr) return *the_one;
  the_one = new TestModel(make_test_model());
  const auto& plan = the_one->contents.model.plan;
  const answer::ModelInfo info{plan, model::tokenizer_digest(the_one->contents.tokenizer),
                               model_file::content_id(the_one->contents)};
  auto proving = answer_prover::ProvingModel::create(the_one->contents.model, info,
                                                     answer_prover::config_of(plan, kTestLevel).value());
  EXPECT_TRUE(proving.ok());
  the_one->proving = std::move(proving).value();
  return *the_one;
}

chain::Result<chain::HttpReply> LyingNode::post(const std::string& body, std::size_t most_reply_bytes) {
  if (is_lost_ || chain::Json::parse(body)["method"] == lost_method_)
    return chain::fail(chain::Cause::kTransport, "lost");
  auto reply = honest_->post(body, most_reply_bytes);
  if (!reply || !lie_) return reply;
  const auto asked = chain::Json::parse(body);
  auto said = chain::Json::parse(reply.value().body);
  if (said.contains("result")) lie_(asked["method"].get<std::string>(), asked["params"], said["result"]);
  reply.value().body = said.dump();
  return reply;
}

TestMarket::TestMarket()
    : client_(anvil_.client()),
      sessions_client_(anvil_.client()),
      requester_(development_key(0)),
      provider_(development_key(1)) {
  if (!anvil_.is_running()) return;
  chain::Sender sender(client_, requester_, chain::profile_of(31337), quick_sending());
  const auto parameters = market::known_parameters(31337);
  EXPECT_TRUE(parameters.has_value());
  const auto deployment = good(market::deploy(client_, sender, 31337, *parameters, {}));
  market_ = std::make_unique<market::MarketClient>(client_, deployment);
  sessions_market_ = std::make_unique<market::MarketClient>(sessions_client_, deployment);
  const answer::ModelKey& key = test_model().proving->key();
  const auto program = reduction::make_program(key.key().statement);
  EXPECT_TRUE(program.ok());
  send(requester_, market_->register_model(serialize(key.key()), program.value(), {}, "test"));
  send(requester_, market_->release(requester_.address()));
  send(requester_, market_->release(provider_.address()));
  send(provider_, market_->approve(chain::U256::power_of_two(100)));  // for bonds
}

Session TestMarket::session(const RequestBook& book) const {
  Session session;
  session.market = sessions_market_.get();
  session.book = &book;
  session.profile = chain::profile_of(31337);
  session.sending = quick_sending();
  session.poll = std::chrono::milliseconds(20);
  session.outage = std::chrono::seconds(0);
  // The chain's clock is moved by tests, and this machine's stands behind it.
  session.now = [] { return std::uint64_t{0}; };
  return session;
}

void TestMarket::mine(std::uint64_t blocks) const {
  anvil_.tell("anvil_mine", chain::Json::array({chain::to_quantity(blocks)}));
}

void TestMarket::pass(std::uint64_t seconds) const {
  anvil_.tell("evm_increaseTime", chain::Json::array({seconds}));
  mine(1);
}

chain::Receipt TestMarket::send(const chain::PrivateKey& key, const chain::CallRequest& call) {
  chain::Sender sender(client_, key, chain::profile_of(31337), quick_sending());
  return good(sender.transact(call));
}

market::DeliveredAnswers TestMarket::run(const market::Request& request) const {
  const TestModel& model = test_model();
  const unsigned id_bytes = answer::id_bytes(model.contents.model.plan.vocabulary);
  const auto asked = market::asked(request, market_->id_of(request), id_bytes);
  EXPECT_TRUE(asked.has_value());
  auto answered = answer_prover::run(model.contents.model, *asked);
  EXPECT_TRUE(answered.ok());
  market::DeliveredAnswers answers;
  answers.requests = {request};
  answers.verifier = request.verifier;
  answers.delivery.model_id = request.model_id;
  answers.delivery.chain_id = chain::U256(31337).to_bytes();
  answers.delivery.market = market_->address(market::Contract::kMarket).bytes;
  answers.delivery.payee = provider_.address().bytes;
  answers.delivery.answers.push_back(std::move(answered).value());
  return answers;
}

base::Bytes TestMarket::prove(market::DeliveredAnswers& answers) const {
  auto proven = answer_prover::prove(*test_model().proving, answers.delivery);
  EXPECT_TRUE(proven.ok()) << (proven ? "" : proven.error().text);
  answers.delivery = proven.value().delivery;
  return proven.value().file.proof;
}

std::size_t TestMarket::settle(const market::DeliveredAnswers& answers, const base::Bytes& proof,
                               std::size_t most_bytes) {
  chain::ChainProfile profile = chain::profile_of(31337);
  profile.most_bytes = most_bytes;
  const auto calls = good(market::plan_settlement(*market_, test_model().proving->key(), answers, proof, profile,
                                                  {.sender = provider_.address()}));
  for (const auto& call : calls) EXPECT_TRUE(send(provider_, call).succeeded);
  return calls.size();
}

}  // namespace avow::requester::testing
