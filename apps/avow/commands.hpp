// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace avow::app {

/// Exit codes of every command: scripts rely on them.
enum ExitCode : int {
  kGood = 0,         ///< done; the answer is yes
  kNo = 1,           ///< the answer is no: a proof does not verify, a model file is refused, a contract says no
  kWrongUse = 2,     ///< arguments
  kEnvironment = 3,  ///< files, memory, disk, nodes, money
};

// Each adds its subcommand; the chosen one's callback sets exit_code.
void add_bench(CLI::App& app, int& exit_code);
void add_pcs(CLI::App& app, int& exit_code);
void add_model(CLI::App& app, int& exit_code);
void add_run(CLI::App& app, int& exit_code);
void add_prove(CLI::App& app, int& exit_code);
void add_verify(CLI::App& app, int& exit_code);
void add_ask(CLI::App& app, int& exit_code);
void add_request(CLI::App& app, int& exit_code);
void add_price(CLI::App& app, int& exit_code);
void add_wallet(CLI::App& app, int& exit_code);
void add_market(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);
void add_serve(CLI::App& app, int& exit_code);
void add_figures(CLI::App& app, int& exit_code);

}  // namespace avow::app
