// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/keystore.hpp"
#include "chain/sender.hpp"
#include "market/client.hpp"

// What commands that talk to a chain have in common: its nodes, where the contracts lie there, and whose key signs.
namespace avow::app {

/// What an option is where the command line does not say it.
void default_from_environment(std::string& option, const char* variable);

struct ChainOptions {
  std::vector<std::string> urls;
  std::string deployment;                 ///< file; empty: the one that this program knows of the chain
  std::optional<std::uint64_t> chain_id;  ///< nothing: that of the first node that answers
};
/// --rpc, --deployment and --chain-id, the first two also by AVOW_RPC and AVOW_DEPLOYMENT.
void add_chain_options(CLI::App& command, ChainOptions& options);

struct KeyOptions {
  std::string key;  ///< key file (Web3 Secret Storage)
  std::string passphrase_file;
};
/// --key and --passphrase-file, also by AVOW_KEY and AVOW_PASSPHRASE_FILE; a passphrase itself by AVOW_PASSPHRASE.
void add_key_options(CLI::App& command, KeyOptions& options);

/// A chain that answered. Its parts refer to each other, so it stays where it is.
struct ChainSession {
  chain::Client client;
  chain::ChainProfile profile;
};

/// How long nodes that do not answer are asked: a service has other things to do meanwhile, and asks again itself.
enum class Patience : std::uint8_t { kCommand, kService };

/// Connects; nodes of other chains than the first one that answers are not used. Problems are for stderr; exit code
/// kEnvironment.
[[nodiscard]] base::Result<std::unique_ptr<ChainSession>, std::string> connect(const ChainOptions& options,
                                                                               Patience patience = Patience::kCommand);
/// A client of each node that was named, for what all of them have to say.
[[nodiscard]] base::Result<std::vector<chain::Client>, std::string> each_node(const ChainOptions& options,
                                                                              std::uint64_t chain_id);
/// Where the contracts lie on the chain that was connected to. Nothing was asked of it yet: market::check_deployment.
[[nodiscard]] base::Result<market::Deployment, std::string> deployment_on(const ChainSession& session,
                                                                          const ChainOptions& options);

/// The key in the file that was named; the passphrase from a file, the environment, or the terminal.
[[nodiscard]] base::Result<chain::PrivateKey, std::string> unlock(const KeyOptions& options);
/// A passphrase as the options say, asked for with this prompt where there is a terminal.
[[nodiscard]] base::Result<chain::Secret, std::string> passphrase_of(const KeyOptions& options,
                                                                     const std::string& prompt);

}  // namespace avow::app
