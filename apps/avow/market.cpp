// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/hex.hpp"
#include "commands.hpp"
#include "network.hpp"
#include "request_options.hpp"
#include "requester/deployed.hpp"
#include "requester/offer.hpp"
#include "write_file.hpp"

namespace avow::app {
namespace {

struct MarketOptions {
  ChainOptions chain;
  KeyOptions key;
  std::string parameters, output;
  bool json = false;
};

base::Result<market::DeployParameters, int> parameters_of(const char* command, const MarketOptions& options,
                                                          std::uint64_t chain_id) {
  if (options.parameters.empty()) {
    const auto known = market::known_parameters(chain_id);
    if (known) return *known;
    return base::Err{
        refuse(command, kWrongUse,
               fmt::format("nothing says with which parameters to deploy on chain {}: --parameters FILE", chain_id))};
  }
  const auto text = read_text(options.parameters);
  if (!text) return base::Err{refuse(command, kEnvironment, text.error())};
  auto parameters = market::parse_parameters(text.value());
  if (!parameters) {
    return base::Err{refuse(command, kWrongUse, options.parameters + ": " + to_string(parameters.error()))};
  }
  return std::move(parameters).value();
}

int report_deployment(const market::Deployment& deployment, const nlohmann::ordered_json& contracts, std::uint64_t gas,
                      const MarketOptions& options) {
  constexpr const char* kCommand = "avow market deploy";
  const std::string text = to_json(deployment);
  if (!options.output.empty()) {
    const base::ByteView bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    if (const auto problem = write_file(options.output, bytes)) {
      fmt::print("{}", text);
      return refuse(kCommand, kEnvironment, *problem + "; the addresses are printed instead");
    }
  }
  const auto known = market::known_deployment(deployment.chain_id);
  const bool is_known = known && *known == deployment;
  if (options.json) {
    print_json({{"chain_id", deployment.chain_id},
                {"contracts", contracts},
                {"gas", gas},
                {"file", options.output},
                {"is_known", is_known}});
    return kGood;
  }
  fmt::print("{} gas in all\n", gas);
  if (!options.output.empty()) {
    fmt::print("addresses are in {}; commands find them by --deployment {}\n", options.output, options.output);
  } else if (!is_known) {
    fmt::print("{}", text);
    fmt::print(stderr, "[other commands need these addresses: keep them in a file, and name it by --deployment]\n");
  }
  return kGood;
}

int market_deploy(const MarketOptions& options) {
  constexpr const char* kCommand = "avow market deploy";
  const auto key = unlock_key(kCommand, options.key);
  if (!key) return key.error();
  const auto connected = connect(options.chain);
  if (!connected) return refuse(kCommand, kEnvironment, connected.error());
  ChainSession& chain = *connected.value();
  const auto parameters = parameters_of(kCommand, options, chain.profile.chain_id);
  if (!parameters) return parameters.error();
  if (!options.output.empty()) {
    if (const auto problem = check_writable(options.output)) return refuse(kCommand, kEnvironment, *problem);
  }
  chain.client.name_errors_of(market::all_interfaces());
  chain::SendPolicy policy;
  policy.poll = std::chrono::milliseconds(chain.profile.confirmations > 1 ? 1'000 : 200);
  chain::Sender sender(chain.client, key.value(), chain.profile, policy);
  auto contracts = nlohmann::ordered_json::object();
  std::uint64_t gas = 0;
  const auto report = [&](market::Contract contract, const chain::Receipt& receipt) {
    gas += receipt.gas_used;
    const std::string address = receipt.created ? to_string(*receipt.created) : std::string();
    contracts[name(contract)] = {{"address", address}, {"gas", receipt.gas_used}};
    if (!options.json) fmt::print("{:<20} {}  {:>9} gas\n", name(contract), address, receipt.gas_used);
    std::fflush(stdout);
  };
  const auto deployment = market::deploy(chain.client, sender, chain.profile.chain_id, parameters.value(), report);
  if (!deployment) return refuse(kCommand, "the contracts were not all deployed", deployment.error());
  return report_deployment(deployment.value(), contracts, gas, options);
}

const char* code_text(market::CodeState state) {
  switch (state) {
    case market::CodeState::kSame:
      return "of this program";
    case market::CodeState::kOther:
      return "OTHER CODE";
    case market::CodeState::kNone:
      return "NO CONTRACT";
  }
  return "";
}

nlohmann::ordered_json status_json(const requester::MarketStatus& status, std::uint64_t chain_id) {
  auto contracts = nlohmann::ordered_json::object();
  for (const auto& [contract, address, state] : status.contracts) {
    contracts[name(contract)] = {{"address", to_string(address)}, {"code", code_text(state)}};
  }
  const auto units = [](const chain::U256& amount) { return chain::to_units(amount, requester::kTokenDecimals); };
  nlohmann::ordered_json json{{"chain_id", chain_id},
                              {"good", !status.problem.has_value()},
                              {"contracts", contracts},
                              {"fee_basis_points", status.terms.fee_basis_points},
                              {"delay_blocks", status.terms.delay_blocks},
                              {"escrow_cap", units(status.terms.escrow_cap)},
                              {"escrow", units(status.escrow)},
                              {"supply", units(status.supply)},
                              {"burned", units(status.burned)},
                              {"epoch", status.epoch},
                              {"epoch_amount", units(status.epoch_amount)}};
  if (status.problem) json["problem"] = *status.problem;
  return json;
}

void print_status(const requester::MarketStatus& status, const chain::ChainProfile& profile) {
  fmt::print("chain {}, {}\n", profile.chain_id, profile.name);
  for (const auto& [contract, address, state] : status.contracts) {
    fmt::print("{:<20} {}  {}\n", name(contract), to_string(address), code_text(state));
  }
  if (status.terms.delay_blocks == 0) return;  // there is no market
  const auto& terms = status.terms;
  fmt::print("fee        {}.{:02}% of each payment, burned\n", terms.fee_basis_points / 100,
             terms.fee_basis_points % 100);
  fmt::print("delay      {} blocks until a lock or a cancellation takes effect\n", terms.delay_blocks);
  fmt::print("escrow     {} of at most {} for requests naming this verifier\n", requester::to_tokens(status.escrow),
             requester::to_tokens(terms.escrow_cap));
  fmt::print("supply     {}, {} burned\n", requester::to_tokens(status.supply), requester::to_tokens(status.burned));
  fmt::print("emission   epoch {}, {} to its payees\n", status.epoch, requester::to_tokens(status.epoch_amount));
}

int show_market(const MarketOptions& options) {
  constexpr const char* kCommand = "avow market status";
  const auto network = open_network(kCommand, options.chain);
  if (!network) return network.error();
  const auto status = requester::market_status(network.value()->session);
  if (!status) return refuse(kCommand, status.error());
  if (options.json) {
    print_json(status_json(status.value(), network.value()->session.profile.chain_id));
  } else {
    print_status(status.value(), network.value()->session.profile);
  }
  if (!status.value().problem) return kGood;
  if (options.json) return kNo;
  return refuse(kCommand, kNo, *status.value().problem);
}

}  // namespace

void add_market(CLI::App& app, int& exit_code) {
  auto* market = app.add_subcommand("market", "The contracts on a chain: deploy them, look at them");
  market->require_subcommand(1);
  static MarketOptions options;
  auto* deploy = market->add_subcommand(
      "deploy", "Deploy all contracts: registry, verifier, token, market; nobody owns them afterwards");
  add_chain_options(*deploy, options.chain);
  add_key_options(*deploy, options.key);
  deploy->add_option("--parameters", options.parameters,
                     "File with what they are deployed with, as contracts/script/parameters/31337.json (default: those "
                     "that this program knows of the chain)");
  deploy->add_option("-o,--output", options.output, "Write the addresses to this file, for --deployment");
  deploy->add_flag("--json", options.json, "Print one JSON object");
  deploy->footer(
      "On chain 31337 the first account of a fresh chain deploys to the addresses that every command knows.\n\n"
      "Example:\n  avow market deploy --key me.json --rpc http://127.0.0.1:8545 -o deployment.json");
  deploy->callback([&exit_code] { exit_code = market_deploy(options); });

  auto* status = market->add_subcommand(
      "status",
      "Addresses, fee, delay, supply and escrow, and whether the code there is this program's; exit code 1 if "
      "it is not, 3 if no node answers");
  add_chain_options(*status, options.chain);
  status->add_flag("--json", options.json, "Print one JSON object");
  status->footer("Example:\n  avow market status --rpc http://127.0.0.1:8545");
  status->callback([&exit_code] { exit_code = show_market(options); });
}

}  // namespace avow::app
