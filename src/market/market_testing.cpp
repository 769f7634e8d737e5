// SPDX-License-Identifier: Apache-2.0
#include "market/market_testing.hpp"

#include "chain/chain_testing.hpp"
#include "quantise/quantise.hpp"
#include "reduction/program.hpp"

namespace avow::market::testing {
namespace {

using chain::testing::good;

constexpr std::uint64_t kDay = 86'400;
constexpr std::uint64_t kToken = 1'000'000'000'000'000'000;

BundledModel make_bundled() {
  const std::string path = std::string(AVOW_SOURCE_DIR) + "/models/stories260K/stories260K.gguf";
  const auto weights = model::Weights::open(path);
  const auto tokenizer = model::load_tokenizer(path);
  EXPECT_TRUE(weights.ok() && tokenizer.ok()) << path;
  auto integers = quantise::quantise(weights.value(), {.context = 512});
  EXPECT_TRUE(integers.ok());
  BundledModel made;
  made.contents = {std::move(integers).value(), tokenizer.value().data(), ""};
  auto texts = model::Tokenizer::create(made.contents.tokenizer);
  EXPECT_TRUE(texts.ok());
  made.tokenizer.emplace(std::move(texts).value());
  return made;
}

// What refers to the contents comes when these have their place.
void commit(BundledModel& made) {
  const auto& plan = made.contents.model.plan;
  const answer::ModelInfo info{plan, model::tokenizer_digest(made.contents.tokenizer),
                               model_file::content_id(made.contents)};
  auto proving =
      answer_prover::ProvingModel::create(made.contents.model, info, answer_prover::config_of(plan, 100).value());
  EXPECT_TRUE(proving) << proving.error().text;
  made.proving = std::move(proving).value();
  made.program = reduction::make_program(made.proving->key().key().statement).value();
}

}  // namespace

std::vector<std::uint32_t> BundledModel::encode(const std::string& text) const {
  return tokenizer->encode(text).value();
}

const BundledModel& bundled_model() {
  static BundledModel* const the_one = [] {
    auto* made = new BundledModel(make_bundled());
    commit(*made);
    return made;
  }();
  return *the_one;
}

chain::SendPolicy quick_policy() {
  chain::SendPolicy policy;
  policy.poll = std::chrono::milliseconds(20);
  policy.patience = std::chrono::milliseconds(20'000);
  return policy;
}

LocalMarket::LocalMarket() : client_(anvil_.client()), profile_(chain::profile_of(31337)) {
  keys_.push_back(chain::testing::development_key(0));
  keys_.push_back(chain::testing::development_key(1));
  if (!anvil_.is_running()) return;
  chain::Sender deployer = sender(0);
  const auto deployed = deploy(client_, deployer, 31337, known_parameters(31337).value(), {});
  EXPECT_TRUE(deployed) << (deployed ? "" : to_string(deployed.error()));
  if (!deployed) return;
  market_.emplace(client_, deployed.value());
  const auto& model = bundled_model();
  const auto key = serialize(model.proving->key().key());
  EXPECT_TRUE(good(deployer.transact(market_->register_model(key, model.program, {}, "test"))).succeeded);
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    chain::Sender one = sender(i);
    EXPECT_TRUE(good(one.transact(market_->release(account(i)))).succeeded);
    EXPECT_TRUE(good(one.transact(market_->approve(chain::U256::max()))).succeeded);
  }
  is_good_ = true;
}

chain::Sender LocalMarket::sender(std::size_t account) { return {client_, keys_[account], profile_, quick_policy()}; }

std::uint64_t LocalMarket::now() { return good(client_.block(chain::BlockId::latest()))->timestamp; }

void LocalMarket::mine(std::uint64_t blocks) { (void)anvil_.tell("anvil_mine", {chain::to_quantity(blocks)}); }

Request LocalMarket::draft(const std::string& prompt, std::uint32_t tokens) {
  const auto& model = bundled_model();
  Request request;
  request.requester = account(0);
  request.nonce = nonce_++;
  request.model_id = model.id();
  request.verifier = market_->address(Contract::kAnswerVerifier);
  request.input = encode_ids(model.encode(prompt), model.id_bytes());
  request.max_new_tokens = tokens;
  if (model.contents.tokenizer.eos) {
    const std::uint32_t stop = *model.contents.tokenizer.eos;
    request.stop_ids = encode_ids({&stop, 1}, model.id_bytes());
  }
  const chain::U256 price = *multiply(chain::U256(kToken), 2);
  request.offer = {price, price, 500, 0, 0, 600, now() + kDay, price};
  return request;
}

base::Digest LocalMarket::post(const Request& request) {
  chain::Sender requester = sender(0);
  EXPECT_TRUE(good(requester.transact(market_->request(request))).succeeded);
  return market_->id_of(request);
}

std::pair<DeliveredAnswers, base::Bytes> LocalMarket::answer(const std::vector<Request>& requests,
                                                             const chain::Address& payee) {
  const auto& model = bundled_model();
  DeliveredAnswers all;
  all.requests = requests;
  all.verifier = requests[0].verifier;
  all.delivery.chain_id = chain::U256(deployment().chain_id).to_bytes();
  all.delivery.market = market_->address(Contract::kMarket).bytes;
  all.delivery.payee = payee.bytes;
  for (const Request& request : requests) {
    const auto question = asked(request, market_->id_of(request), model.id_bytes());
    auto answered = answer_prover::run(model.contents.model, *question);
    EXPECT_TRUE(answered) << answered.error().text;
    all.delivery.answers.push_back(std::move(answered).value());
  }
  auto proven = answer_prover::prove(*model.proving, all.delivery);
  EXPECT_TRUE(proven) << proven.error().text;
  all.delivery = proven.value().delivery;
  return {std::move(all), std::move(proven).value().file.proof};
}

void OnLocalMarket::SetUpTestSuite() {
  if (chain::testing::Anvil::is_installed()) local() = std::make_unique<LocalMarket>();
}

void OnLocalMarket::SetUp() {
  if (local() == nullptr) GTEST_SKIP() << "no anvil; tools/setup.sh chain installs it";
  ASSERT_TRUE(local()->is_good());
}

std::unique_ptr<LocalMarket>& OnLocalMarket::local() {
  static std::unique_ptr<LocalMarket> the_one;
  return the_one;
}

}  // namespace avow::market::testing
