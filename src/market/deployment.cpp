// SPDX-License-Identifier: Apache-2.0
#include "market/deployment.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "chain/json.hpp"
#include "market/code.hpp"
#include "market/texts.hpp"

namespace avow::market {
namespace {

using chain::Address;
using chain::Cause;
using chain::Json;
using chain::U256;

constexpr std::size_t kJsonDepth = 4;

constexpr std::array<const char*, kContracts> kKeys = {"registry",        "lookup_verifier",  "reduction_verifier",
                                                       "weight_verifier", "opening_verifier", "answer_verifier",
                                                       "emission",        "genesis",          "token",
                                                       "market",          "erc7992"};

base::Err<chain::Error> no_deployment(const std::string& why) {
  return chain::fail(Cause::kJson, "no addresses of a deployment: " + why);
}

base::Err<chain::Error> no_parameters(const char* key) {
  return chain::fail(Cause::kJson, fmt::format("no parameters of a deployment: {} is missing or none", key));
}

// Numbers of a file of parameters; amounts are strings, as they do not fit JSON's numbers.
class ParameterReader {
 public:
  explicit ParameterReader(const Json& json) : json_(json) {}
  std::uint64_t number(const char* key) {
    const Json* found = chain::member(json_, key);
    if (found != nullptr && found->is_number_unsigned()) return found->get<std::uint64_t>();
    refuse(key);
    return 0;
  }
  U256 amount(const char* key) {
    const std::string* text = chain::string_member(json_, key);
    return text == nullptr ? refuse(key) : amount_of(*text, key);
  }
  std::vector<DeployParameters::Allocation> allocations() {
    const Json* recipients = list("recipients");
    const Json* amounts = list("amounts");
    std::vector<DeployParameters::Allocation> all;
    if (recipients == nullptr || amounts == nullptr) return all;
    if (recipients->size() != amounts->size()) refuse("as many amounts as recipients");
    for (std::size_t i = 0; bad_ == nullptr && i < recipients->size(); ++i) {
      const auto& recipient = (*recipients)[i];
      const auto& amount = (*amounts)[i];
      const auto address = chain::parse_address(recipient.is_string() ? recipient.get<std::string>() : "");
      if (!address) refuse("recipients");
      if (!amount.is_string()) refuse("amounts");
      if (bad_ == nullptr) all.push_back({address.value(), amount_of(amount.get<std::string>(), "amounts")});
    }
    return all;
  }
  [[nodiscard]] const char* bad() const { return bad_; }

 private:
  const Json* list(const char* key) {
    const Json* found = chain::member(json_, key);
    if (found != nullptr && found->is_array()) return found;
    refuse(key);
    return nullptr;
  }
  U256 amount_of(const std::string& text, const char* key) {
    const auto amount = chain::parse_decimal(text);
    return amount ? amount.value() : refuse(key);
  }
  U256 refuse(const char* key) {
    bad_ = bad_ == nullptr ? key : bad_;
    return {};
  }

  const Json& json_;
  const char* bad_ = nullptr;
};

// A contract that is to be created, and with what.
struct Creation {
  Contract contract;
  chain::Value::List arguments;
};

// The parts of a deployment in an order in which each finds what its constructor asks. Those of a wave ask nothing of
// each other, so they can wait for a block together.
std::vector<std::vector<Creation>> waves_of(const Deployment& where, const DeployParameters& with) {
  chain::Value::List allocations;
  for (const auto& [recipient, amount] : with.allocations) {
    allocations.emplace_back(chain::Value::List{recipient, amount});
  }
  const auto at = [&](Contract contract) { return chain::Value(where.at(contract)); };
  return {{{Contract::kRegistry, {}},
           {Contract::kLookupVerifier, {}},
           {Contract::kReductionVerifier, {at(Contract::kLookupVerifier)}},
           {Contract::kWeightVerifier, {}},
           {Contract::kOpeningVerifier, {at(Contract::kWeightVerifier)}},
           {Contract::kAnswerVerifier,
            {at(Contract::kRegistry), at(Contract::kReductionVerifier), at(Contract::kOpeningVerifier)}},
           {Contract::kEmission,
            {at(Contract::kToken), at(Contract::kMarket), with.emitted, with.start, with.epoch_seconds,
             with.halving_epochs}},
           {Contract::kGenesis, {at(Contract::kToken), chain::Value(allocations)}}},
          {{Contract::kToken, {at(Contract::kEmission), at(Contract::kGenesis)}}},
          {{Contract::kMarket,
            {at(Contract::kToken), at(Contract::kEmission), at(Contract::kRegistry), with.fee_basis_points,
             with.delay_blocks, with.escrow_cap}},
           {Contract::kErc7992, {at(Contract::kRegistry), at(Contract::kAnswerVerifier)}}}};
}

chain::Result<chain::CallRequest> creation_call(const Creation& creation) {
  auto data = interface_of(creation.contract).encode_creation(creation.arguments);
  if (!data) return base::Err{data.error()};
  chain::CallRequest call;
  call.data = std::move(data).value();
  return call;
}

// Sends a wave, then waits for all of it.
std::optional<chain::Error> deploy_wave(chain::Sender& sender, const std::vector<Creation>& wave,
                                        const Deployment& where,
                                        const std::function<void(Contract, const chain::Receipt&)>& on_contract) {
  std::vector<chain::SignedTransaction> sent;
  for (const Creation& creation : wave) {
    const auto call = creation_call(creation);
    if (!call) return call.error();
    auto transaction = sender.prepare(call.value());
    if (!transaction) return transaction.error();
    const Address expected = where.at(creation.contract);
    if (chain::created_address(sender.address(), transaction.value().transaction.nonce) != expected) {
      return chain::Error{Cause::kNonceUsed, "the account has sent something else while it deployed; try again"};
    }
    if (auto error = sender.send(transaction.value())) return error;
    sent.push_back(std::move(transaction).value());
  }
  for (std::size_t i = 0; i < wave.size(); ++i) {
    const auto receipt = sender.wait({sent[i]});
    if (!receipt) return receipt.error();
    if (on_contract) on_contract(wave[i].contract, receipt.value());
  }
  return std::nullopt;
}

// The creations of those contracts whose code follows from addresses alone.
std::vector<Creation> plain_creations(const Deployment& where) {
  std::vector<Creation> all;
  for (auto& wave : waves_of(where, {})) {
    for (Creation& creation : wave) {
      if (creation.contract <= Contract::kAnswerVerifier || creation.contract == Contract::kErc7992) {
        all.push_back(std::move(creation));
      }
    }
  }
  return all;
}

base::Err<chain::Error> other_contract(Contract contract, const Deployment& where) {
  return chain::fail(Cause::kReply, fmt::format("{} at {} is another contract than this program's; check --deployment",
                                                name(contract), to_string(where.at(contract))));
}

// That a view of a contract names another one of the deployment.
std::optional<chain::Error> check_link(chain::Client& client, const Deployment& where, Contract from, const char* view,
                                       Contract to) {
  const auto data = interface_of(from).encode_call(view, {});
  AVOW_CHECK(data.ok());
  chain::CallRequest call;
  call.to = where.at(from);
  call.data = data.value();
  const auto bytes = client.call(call);
  if (!bytes) return bytes.error();
  const auto result = interface_of(from).decode_result(view, bytes.value());
  const Address* found = result ? result.value()[0].as<Address>() : nullptr;
  if (found != nullptr && *found == where.at(to)) return std::nullopt;
  return other_contract(from, where).error;
}

}  // namespace

chain::Result<Deployment> parse_deployment(std::string_view json) {
  const auto parsed = chain::parse_json(json, kJsonDepth);
  if (!parsed) return base::Err{parsed.error()};
  const Json* version = chain::member(parsed.value(), "version");
  if (version == nullptr || *version != kDeploymentVersion) return no_deployment("version 1 is needed");
  const Json* chain_id = chain::member(parsed.value(), "chain_id");
  if (chain_id == nullptr || !chain_id->is_number_unsigned()) return no_deployment("chain_id is missing");
  Deployment deployment;
  deployment.chain_id = chain_id->get<std::uint64_t>();
  for (std::size_t i = 0; i < kContracts; ++i) {
    const std::string* found = chain::string_member(parsed.value(), kKeys[i]);
    if (found == nullptr) return no_deployment(fmt::format("{} is missing", kKeys[i]));
    const auto address = chain::parse_address(*found);
    if (!address) return base::Err{address.error()};
    deployment.contracts[i] = address.value();
  }
  if (parsed.value().size() != kContracts + 2) return no_deployment("there is more than this program knows");
  return deployment;
}

std::string to_json(const Deployment& deployment) {
  std::string text = fmt::format("{{\n \"version\": {},\n \"chain_id\": {}", kDeploymentVersion, deployment.chain_id);
  for (std::size_t i = 0; i < kContracts; ++i) {
    text += fmt::format(",\n \"{}\": \"{}\"", kKeys[i], to_string(deployment.contracts[i]));
  }
  return text + "\n}\n";
}

chain::Result<DeployParameters> parse_parameters(std::string_view json) {
  const auto parsed = chain::parse_json(json, kJsonDepth);
  if (!parsed) return base::Err{parsed.error()};
  ParameterReader reader(parsed.value());
  DeployParameters parameters;
  parameters.emitted = reader.amount("emitted");
  parameters.start = reader.number("start");
  parameters.epoch_seconds = reader.number("epochSeconds");
  parameters.halving_epochs = reader.number("halvingEpochs");
  parameters.fee_basis_points = reader.number("feeBasisPoints");
  parameters.delay_blocks = reader.number("delayBlocks");
  parameters.escrow_cap = reader.amount("escrowCap");
  parameters.allocations = reader.allocations();
  if (reader.bad() != nullptr) return no_parameters(reader.bad());
  return parameters;
}

std::optional<Deployment> known_deployment(std::uint64_t chain_id) {
  const auto text = embedded_text_or_none(fmt::format("contracts/deployments/{}.json", chain_id));
  if (text.empty()) return std::nullopt;
  const auto deployment = parse_deployment(text);
  AVOW_CHECK(deployment.ok());  // ours, and tested
  return deployment.value();
}

std::optional<DeployParameters> known_parameters(std::uint64_t chain_id) {
  const auto text = embedded_text_or_none(fmt::format("contracts/script/parameters/{}.json", chain_id));
  if (text.empty()) return std::nullopt;
  const auto parameters = parse_parameters(text);
  AVOW_CHECK(parameters.ok());
  return parameters.value();
}

chain::Result<Deployment> deploy(chain::Client& client, chain::Sender& sender, std::uint64_t chain_id,
                                 const DeployParameters& parameters,
                                 const std::function<void(Contract, const chain::Receipt&)>& on_contract) {
  // Emission and Genesis name the token, and Emission the market, before these are there.
  const auto nonce = client.transaction_count(sender.address(), chain::BlockId::pending());
  if (!nonce) return base::Err{nonce.error()};
  Deployment where;
  where.chain_id = chain_id;
  std::uint64_t next = nonce.value();
  for (const auto& wave : waves_of(where, parameters)) {
    for (const Creation& creation : wave) {
      where.contracts[static_cast<std::size_t>(creation.contract)] = chain::created_address(sender.address(), next++);
    }
  }
  for (const auto& wave : waves_of(where, parameters)) {
    if (auto error = deploy_wave(sender, wave, where, on_contract)) return base::Err{std::move(*error)};
  }
  return where;
}

std::optional<chain::Error> check_deployment(chain::Client& client, const Deployment& deployment) {
  for (std::size_t i = 0; i < kContracts; ++i) {
    const auto contract = static_cast<Contract>(i);
    const auto state = code_state(client, deployment, contract);
    if (!state) return state.error();
    if (state.value() == CodeState::kOther) return other_contract(contract, deployment).error;
    if (state.value() == CodeState::kSame) continue;
    return chain::Error{Cause::kReply,
                        fmt::format("there is no contract at {}, where {} is to be; `avow market deploy` deploys on a "
                                    "new chain, --deployment FILE names other addresses",
                                    to_string(deployment.contracts[i]), name(contract))};
  }
  // And what their constructors put in: what creating such a contract would leave is what must be there.
  for (const Creation& creation : plain_creations(deployment)) {
    const auto call = creation_call(creation);
    AVOW_CHECK(call.ok());
    const auto expected = client.call(call.value());
    if (!expected) return expected.error();
    const auto code = client.code(deployment.at(creation.contract));
    if (!code) return code.error();
    if (code.value() != expected.value()) return other_contract(creation.contract, deployment).error;
  }
  const struct {
    Contract from;
    const char* view;
    Contract to;
  } links[] = {
      {Contract::kMarket, "TOKEN", Contract::kToken},       {Contract::kMarket, "EMISSION", Contract::kEmission},
      {Contract::kMarket, "REGISTRY", Contract::kRegistry}, {Contract::kEmission, "MARKET", Contract::kMarket},
      {Contract::kEmission, "TOKEN", Contract::kToken},     {Contract::kGenesis, "TOKEN", Contract::kToken}};
  for (const auto& [from, view, to] : links) {
    if (auto error = check_link(client, deployment, from, view, to)) return error;
  }
  return std::nullopt;
}

}  // namespace avow::market
