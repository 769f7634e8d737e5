// SPDX-License-Identifier: Apache-2.0
#include "chain_options.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "request_options.hpp"

namespace avow::app {
namespace {

constexpr const char* kPassphraseVariable = "AVOW_PASSPHRASE";

std::string said(const chain::Error& error) { return to_string(error); }

}  // namespace

// The library's own way would write the variable over the option of another subcommand that shares its place.
void default_from_environment(std::string& option, const char* variable) {
  if (const char* value = std::getenv(variable)) option = value;
}

void add_chain_options(CLI::App& command, ChainOptions& options) {
  std::string urls;
  default_from_environment(urls, "AVOW_RPC");
  if (!urls.empty()) options.urls = CLI::detail::split(urls, ',');
  default_from_environment(options.deployment, "AVOW_DEPLOYMENT");
  command
      .add_option(
          "--rpc", options.urls,
          "JSON-RPC address of a node of the chain, http:// or https://; several: one that fails is passed over "
          "for the next (default: AVOW_RPC, else http://127.0.0.1:8545)")
      ->delimiter(',');
  command.add_option("--deployment", options.deployment,
                     "File with the contracts' addresses, as `avow market deploy` writes it (default: AVOW_DEPLOYMENT, "
                     "else those that "
                     "this program knows; on chain 31337 those of a fresh local chain)");
  command.add_option(
      "--chain-id", options.chain_id,
      "The chain that is meant: nodes of others are not used, whatever is signed for them would hold there "
      "(default: the one of the first node that answers)");
}

void add_key_options(CLI::App& command, KeyOptions& options) {
  default_from_environment(options.key, "AVOW_KEY");
  default_from_environment(options.passphrase_file, "AVOW_PASSPHRASE_FILE");
  command.add_option(
      "--key", options.key,
      "Key file of the account that signs (Web3 Secret Storage, as `avow wallet new`, geth and cast write "
      "it; default: AVOW_KEY)");
  command.add_option("--passphrase-file", options.passphrase_file,
                     "File whose first line is the key file's passphrase (default: AVOW_PASSPHRASE_FILE, else "
                     "AVOW_PASSPHRASE, else it is asked for)");
}

namespace {

std::vector<std::string> urls_of(const ChainOptions& options) {
  return options.urls.empty() ? std::vector<std::string>{"http://127.0.0.1:8545"} : options.urls;
}

base::Result<chain::Client, std::string> client_of(const ChainOptions& options, Patience patience,
                                                   std::optional<std::uint64_t> chain_id) {
  chain::HttpSettings http;
  chain::RpcPolicy policy;
  policy.chain_id = chain_id;
  if (patience == Patience::kService) {
    http.total_timeout = std::chrono::seconds(10);
    policy.rounds = 1;
  }
  std::vector<std::unique_ptr<chain::Endpoint>> endpoints;
  for (const std::string& url : urls_of(options)) {
    auto endpoint = chain::open_http(url, http);
    if (!endpoint) return base::Err{said(endpoint.error())};
    endpoints.push_back(std::move(endpoint).value());
  }
  return chain::Client(chain::Rpc(std::move(endpoints), policy));
}

}  // namespace

base::Result<std::unique_ptr<ChainSession>, std::string> connect(const ChainOptions& options, Patience patience) {
  auto any = client_of(options, Patience::kCommand, options.chain_id);
  if (!any) return base::Err{any.error()};
  const auto chain_id = any.value().chain_id();
  if (!chain_id) {
    const bool is_other_chain = chain_id.error().cause == chain::Cause::kChainId;
    return base::Err{said(chain_id.error()) +
                     (is_other_chain ? "; --rpc URL names a node of the chain that --chain-id means"
                                     : "; `make devnet` starts a local chain, --rpc URL names another node")};
  }
  auto client = client_of(options, patience, chain_id.value());
  if (!client) return base::Err{client.error()};
  return std::make_unique<ChainSession>(ChainSession{std::move(client).value(), chain::profile_of(chain_id.value())});
}

base::Result<std::vector<chain::Client>, std::string> each_node(const ChainOptions& options, std::uint64_t chain_id) {
  std::vector<chain::Client> clients;
  for (const std::string& url : urls_of(options)) {
    auto client = client_of({{url}, {}, {}}, Patience::kCommand, chain_id);
    if (!client) return base::Err{client.error()};
    clients.push_back(std::move(client).value());
  }
  return clients;
}

base::Result<market::Deployment, std::string> deployment_on(const ChainSession& session, const ChainOptions& options) {
  const std::uint64_t chain_id = session.profile.chain_id;
  if (options.deployment.empty()) {
    const auto known = market::known_deployment(chain_id);
    if (known) return *known;
    return base::Err{fmt::format(
        "this program knows of no contracts on chain {}; --deployment FILE names their addresses", chain_id)};
  }
  const auto text = read_text(options.deployment);
  if (!text) return base::Err{text.error()};
  const auto deployment = market::parse_deployment(text.value());
  if (!deployment) return base::Err{options.deployment + ": " + said(deployment.error())};
  if (deployment.value().chain_id != chain_id) {
    return base::Err{fmt::format("{} is about chain {}, and the node's is {}", options.deployment,
                                 deployment.value().chain_id, chain_id)};
  }
  return deployment.value();
}

base::Result<chain::Secret, std::string> passphrase_of(const KeyOptions& options, const std::string& prompt) {
  auto secret = !options.passphrase_file.empty() ? chain::passphrase_from_file(options.passphrase_file)
                                                 : (std::getenv(kPassphraseVariable) != nullptr
                                                        ? chain::passphrase_from_environment(kPassphraseVariable)
                                                        : chain::passphrase_from_terminal(prompt));
  if (!secret) return base::Err{said(secret.error())};
  return std::move(secret).value();
}

base::Result<chain::PrivateKey, std::string> unlock(const KeyOptions& options) {
  if (options.key.empty()) {
    return base::Err{std::string(
        "--key FILE names the account that signs; `avow wallet new` makes a new one, `avow wallet import` keeps one")};
  }
  const auto passphrase = passphrase_of(options, "Passphrase of " + options.key + ": ");
  if (!passphrase) return base::Err{passphrase.error()};
  auto key = chain::read_key_file(options.key, passphrase.value());
  if (!key) return base::Err{said(key.error())};
  return std::move(key).value();
}

}  // namespace avow::app
