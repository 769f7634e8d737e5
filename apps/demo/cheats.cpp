// SPDX-License-Identifier: Apache-2.0
//
// What `make demo` ends with: three ways to be paid for nothing, sent to the contract as real transactions. A local
// chain and anvil's well-known development accounts are all that it is for.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "answer/delivery.hpp"
#include "answer_prover/answer_prover.hpp"
#include "chain/keystore.hpp"
#include "chain/sender.hpp"
#include "market/paid_proof.hpp"
#include "market/settlement.hpp"
#include "model/tokenizer_load.hpp"
#include "model_file/model_file.hpp"

namespace avow::demo {
namespace {

using base::Bytes;
using base::Digest;
using market::Contract;
using market::DeliveredAnswers;
using market::Request;

constexpr std::uint64_t kMinute = 60;
constexpr std::uint32_t kLevel = 100;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "cheats: {}\n", why);
  std::exit(3);
}

template <typename T>
T must(chain::Result<T> result) {
  if (!result) give_up(to_string(result.error()));
  return std::move(result).value();
}

struct Options {
  std::string rpc, model, cache, requester, thief, passphrase, paid;
};

// The model as its honest provider has it, commitment included.
struct Victim {
  model_file::Contents contents;
  std::unique_ptr<answer_prover::ProvingModel> proving;

  [[nodiscard]] unsigned id_bytes() const { return answer::id_bytes(contents.model.plan.vocabulary); }
};

std::unique_ptr<Victim> load(const Options& options) {
  auto opened = model_file::open(options.model);
  if (!opened) give_up(options.model + " is no model file");
  auto victim = std::make_unique<Victim>();
  victim->contents = std::move(opened.value().contents);
  const auto& plan = victim->contents.model.plan;
  const answer::ModelInfo info{plan, model::tokenizer_digest(victim->contents.tokenizer), opened.value().content};
  const auto config = answer_prover::config_of(plan, kLevel);
  if (!config) give_up(config.error().text);
  prover::CommitOptions commit;
  commit.cache = options.cache;
  auto proving = answer_prover::ProvingModel::create(victim->contents.model, info, config.value(), commit);
  if (!proving) give_up(proving.error().text);
  victim->proving = std::move(proving).value();
  return victim;
}

class Cheats {
 public:
  explicit Cheats(const Options& options)
      : victim_(load(options)),
        client_(open(options.rpc)),
        market_(client_, known()),
        requester_(key(options.requester, options.passphrase)),
        thief_(key(options.thief, options.passphrase)),
        profile_(chain::profile_of(must(client_.chain_id()))) {}

  // The answer of a prover that was changed to say something else: complete, and proven as well as anything false can
  // be.
  bool wrong_answer() {
    const Request request = post("Lily saw a big dog", 12);
    DeliveredAnswers lie = answer_to(request, thief_.address());
    auto& token = lie.delivery.answers[0].output[5];
    token = token == 300 ? 301 : 300;
    answer_prover::Faults faults;
    faults.proof.ignore_missing = true;  // an honest prover would notice
    const Bytes proof = prove(lie, &faults);
    return refused("a wrong answer with a complete proof", fulfil(lie, proof));
  }

  // The right answer with an honest proof, seen in flight, in the thief's own name.
  bool stolen_proof() {
    const Request request = post("The sun was", 12);
    DeliveredAnswers answers = answer_to(request, requester_.address());
    const Bytes proof = prove(answers, nullptr);
    answers.delivery.payee = thief_.address().bytes;
    return refused("a stolen proof with another payee", fulfil(answers, proof));
  }

  // A payment once more.
  bool replay(const std::string& paid) {
    Digest id{};
    const auto text = paid.starts_with("0x") ? paid.substr(2) : paid;
    const auto read = chain::read_data("0x" + text);
    if (!read || read.value().size() != id.size()) give_up("--paid is a request's id");
    std::copy(read.value().begin(), read.value().end(), id.begin());
    const std::uint64_t head = must(client_.block_number());
    const auto logs = must(client_.logs(market::events_about(market_.deployment(), id), 0, head));
    for (const chain::Log& log : logs.logs) {
      const auto event = must(market::event_of(log));
      if (!event || !std::holds_alternative<market::Fulfilled>(*event)) continue;
      const auto call = must(client_.calldata(log.transaction));
      if (!call) give_up("the node does not know the payment");
      chain::CallRequest again;
      again.to = call->to;
      again.data = call->data;
      return refused("a payment replayed", again);
    }
    give_up("the request was not paid");
  }

 private:
  static chain::Client open(const std::string& url) {
    std::vector<std::unique_ptr<chain::Endpoint>> endpoints;
    endpoints.push_back(must(chain::open_http(url)));
    return chain::Client(chain::Rpc(std::move(endpoints)));
  }
  static market::Deployment known() {
    const auto deployment = market::known_deployment(31337);
    if (!deployment) give_up("no development chain is known");
    return *deployment;
  }
  static chain::PrivateKey key(const std::string& path, const std::string& passphrase) {
    return must(chain::read_key_file(path, must(chain::passphrase_from_file(passphrase))));
  }
  chain::SendPolicy policy() const {
    chain::SendPolicy policy;
    policy.poll = std::chrono::milliseconds(100);
    return policy;
  }

  Request post(const std::string& prompt, std::uint32_t tokens) {
    const auto tokenizer = model::Tokenizer::create(victim_->contents.tokenizer);
    const auto input = tokenizer.value().encode(prompt);
    const auto head = must(client_.block(chain::BlockId::latest()));
    Request request;
    request.requester = requester_.address();
    const auto nonce = must(chain::random_bytes(8));
    request.nonce = *chain::U256::from_bytes(nonce.view());
    request.model_id = victim_->proving->key().id();
    request.verifier = market_.address(Contract::kAnswerVerifier);
    request.input = market::encode_ids(input.value(), victim_->id_bytes());
    request.max_new_tokens = tokens;
    // A price that no provider works for: the request stays open for the cheats.
    request.offer = {1, 1, 1000, 0, 0, 600, head->timestamp + 10 * kMinute, 1};
    chain::Sender sender(client_, requester_, profile_, policy());
    if (must(market_.allowance_of(requester_.address())) < request.offer.max_price) {
      (void)must(sender.transact(market_.approve(chain::U256::max())));
    }
    (void)must(sender.transact(market_.request(request)));
    return request;
  }

  DeliveredAnswers answer_to(const Request& request, const chain::Address& payee) {
    DeliveredAnswers all;
    all.requests = {request};
    all.verifier = request.verifier;
    all.delivery.chain_id = chain::U256(profile_.chain_id).to_bytes();
    all.delivery.market = market_.address(Contract::kMarket).bytes;
    all.delivery.payee = payee.bytes;
    const auto asked = market::asked(request, market_.id_of(request), victim_->id_bytes());
    auto answered = answer_prover::run(victim_->contents.model, *asked);
    if (!answered) give_up(answered.error().text);
    all.delivery.answers.push_back(std::move(answered).value());
    return all;
  }

  Bytes prove(DeliveredAnswers& answers, const answer_prover::Faults* faults) {
    answer_prover::ProveOptions options;
    options.faults = faults;
    auto proven = answer_prover::prove(*victim_->proving, answers.delivery, options);
    if (!proven) give_up(proven.error().text);
    answers.delivery = proven.value().delivery;
    return std::move(proven).value().file.proof;
  }

  chain::CallRequest fulfil(const DeliveredAnswers& answers, const Bytes& proof) {
    return market_.call(Contract::kMarket, "fulfil", {to_value(answers, victim_->id_bytes()), proof});
  }

  // Sends the call without asking whether it would work, and says what became of it.
  bool refused(const char* what, chain::CallRequest call) {
    chain::Transaction transaction;
    transaction.chain_id = profile_.chain_id;
    transaction.nonce = must(client_.transaction_count(thief_.address(), chain::BlockId::pending()));
    transaction.gas_limit = profile_.most_gas;
    transaction.to = call.to;
    transaction.data = call.data;
    const auto fees = must(chain::propose_fees(client_, {}));
    transaction.max_priority_fee = fees.max_priority_fee;
    transaction.max_fee = fees.max_fee;
    const auto hash = must(client_.send(chain::sign(transaction, thief_).bytes));
    std::optional<chain::Receipt> receipt;
    for (int i = 0; i < 300 && !receipt; ++i) {
      chain::sleep_for(std::chrono::milliseconds(100));
      receipt = must(client_.receipt(hash));
    }
    if (!receipt) give_up("the transaction is in no block");
    if (receipt->succeeded) {
      fmt::print("{}: PAID\n", what);
      return false;
    }
    call.from = thief_.address();
    call.gas_limit = profile_.most_gas;
    const auto why = client_.call(call);
    const std::string check = why ? "?" : why.error().text;
    fmt::print("{:<40} rejected: {}   ({} gas for nothing)\n", what, check, receipt->gas_used);
    return true;
  }

  std::unique_ptr<Victim> victim_;
  chain::Client client_;
  market::MarketClient market_;
  chain::PrivateKey requester_, thief_;
  chain::ChainProfile profile_;
};

}  // namespace
}  // namespace avow::demo

int main(int argc, char** argv) {
  avow::demo::Options options;
  CLI::App app{
      "Tries to cheat the market of a local development chain; exit code 0 if every transaction was refused, 1 if one "
      "was "
      "paid, 3 if it could not be tried."};
  app.add_option("--rpc", options.rpc, "The chain's node")->required();
  app.add_option("--model", options.model, "Model file (.avow), registered at 100 bits")->required();
  app.add_option("--cache", options.cache, "Its commitment, which is made if it is not there")->required();
  app.add_option("--requester", options.requester, "Key file of who asks")->required();
  app.add_option("--thief", options.thief, "Key file of who cheats")->required();
  app.add_option("--passphrase-file", options.passphrase, "Of both key files")->required();
  app.add_option("--paid", options.paid, "Id of a request that was paid")->required();
  CLI11_PARSE(app, argc, argv);
  avow::demo::Cheats cheats(options);
  const bool refused[] = {cheats.wrong_answer(), cheats.stolen_proof(), cheats.replay(options.paid)};
  return refused[0] && refused[1] && refused[2] ? 0 : 1;
}
