// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "chain_options.hpp"
#include "prove.hpp"
#include "provider/service.hpp"

namespace avow::app {

/// What `avow serve` is told: as text where it is an amount.
struct ServeOptions {
  std::vector<std::string> models;
  std::uint32_t level = 100;
  compile::UsualProof usual;
  bool tree_only = false;
  ChainOptions chain;
  KeyOptions key;
  std::string journal = "avow-serve.journal", listen = "127.0.0.1:9464", lock = "when-needed";
  std::string compute_price = "1", coin_price = "1", max_fee = "20", max_tip, max_bond = "100", max_bonds = "1000";
  std::uint32_t margin = 20, time_margin = 50, max_batch = 16, max_tokens = 0;
  std::uint64_t depth = 1, lookback = 5'000, confirmations = 0;
  std::uint64_t poll_millis = 1'000, block_millis = 0, stuck_secs = 90, health_secs = 60, finish_secs = 30;
  double memory_gib = 0;
  bool no_rescue = false, dry_run = false, log_json = false, verbose = false;
  std::string stop_after;
};

/// All options of `avow serve`; --config FILE gives those that the command line does not.
void add_serve_options(CLI::App& command, ServeOptions& options);
/// Reads the file that --config names into the options that were not given. The problem in words.
std::optional<std::string> apply_config(CLI::App& command);
/// What the service is told; the problem in words.
base::Result<provider::ServiceOptions, std::string> service_options_of(const ServeOptions& options);

/// Answers requests until it is told to stop; the exit code.
int serve_command(const ServeOptions& options);

}  // namespace avow::app
