// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "chain_options.hpp"
#include "requester/names.hpp"
#include "requester/session.hpp"

// What the commands of requesters have in common.
namespace avow::app {

/// A chain with its contracts, and what this machine keeps about it. Its parts refer to each other, so it stays where
/// it is.
struct Network {
  std::unique_ptr<ChainSession> chain;
  std::unique_ptr<market::MarketClient> market;
  requester::Folders folders;
  std::unique_ptr<requester::RequestBook> book;
  requester::Session session;
};
/// Connects, and says on stderr what is wrong; the exit code then. Interrupts are for the command to see from here on.
base::Result<std::unique_ptr<Network>, int> open_network(const char* command, const ChainOptions& options);

/// Says it on stderr, and gives the code.
int refuse(const char* command, int code, const std::string& text);
/// The same with the code that the cause has: kNo where the contracts or a check say no, kWrongUse where other
/// arguments help, kEnvironment for nodes, files, money.
int refuse(const char* command, const requester::Error& error);
/// Of a chain's error.
int refuse(const char* command, const std::string& what, const chain::Error& error);

/// --models, and the file that it is without it.
void add_names_option(CLI::App& command, std::string& path);
base::Result<requester::ModelNames, int> read_names(const char* command, const requester::Folders& folders,
                                                    const std::string& path);
std::string names_path(const requester::Folders& folders, const std::string& path);

/// The key of --key; said on stderr what is wrong, and the exit code.
base::Result<chain::PrivateKey, int> unlock_key(const char* command, const KeyOptions& options);
/// An amount of tokens of the command line: "1.5".
base::Result<chain::U256, int> tokens_of(const char* command, const char* option, const std::string& text);

/// The status line of what happened: "locked by 0x.. at 2.5 AVOW until 14:05:03 UTC".
std::string line_of(const requester::Update& status);
nlohmann::ordered_json json_of(const requester::Update& status);
/// A moment for people: "2026-11-29 14:05:03 UTC".
std::string time_text(std::uint64_t timestamp);
/// JSON on stdout, as all commands print it.
void print_json(const nlohmann::ordered_json& json);

}  // namespace avow::app
