// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/hex.hpp"
#include "commands.hpp"
#include "pcs/parameters.hpp"
#include "pcs/search.hpp"
#include "pcs/security.hpp"

namespace avow::app {
namespace {

void print_config(const pcs::Config& config, std::uint32_t log_columns) {
  fmt::print("protocol id {}\n", base::to_hex(pcs::protocol_id(config)));
  fmt::print("level {}, columns of 2^{}, up to 2^{} columns, final polynomial 2^{}\n", config.level, config.log_rows,
             log_columns, config.final_log_len());
  fmt::print("{:>7} {:>10} {:>6} {:>9} {:>9} {:>15} {:>14}\n", "oracle", "log2 rate", "fold", "queries", "log2 dom",
             "query grinding", "fold grinding");
  for (std::size_t i = 0; i < config.oracles.size(); ++i) {
    const auto& o = config.oracles[i];
    fmt::print("{:>7} {:>10} {:>6} {:>9} {:>9} {:>15} {:>14}\n", i, fmt::format("-{}", o.log_inv_rate),
               i == 0 ? log_columns : o.log_fold, o.queries, config.log_domain(i), o.query_grinding_bits,
               o.fold_grinding_bits);
  }
}

}  // namespace

void add_pcs(CLI::App& app, int& exit_code) {
  auto* pcs = app.add_subcommand("pcs", "The polynomial commitment's parameters and their security");
  pcs->require_subcommand(1);

  static std::uint32_t log_rows = 0;
  static std::uint32_t level = 128;
  static bool model = false;
  auto* table = pcs->add_subcommand(
      "table",
      "All parameter sets, or with --log-rows one of them: bits of security round by round (spec/security.md)");
  table->add_option("--log-rows", log_rows, "log2 of the column length")->check(CLI::Range(1, 30));
  table->add_option("--level", level, "Bits of security")->check(CLI::IsMember({100, 128}))->capture_default_str();
  table->add_flag("--model", model, "The set for a model opened together with a witness");
  table->callback([&exit_code] {
    if (log_rows == 0) {
      fmt::print("{}", pcs::format_summary(pcs::parameter_tables()));
      return;
    }
    const auto profile = model ? pcs::Profile::kModel : pcs::Profile::kWitness;
    const auto config = pcs::choose_parameters(log_rows, level, profile);
    if (!config) {
      fmt::print(stderr, "avow pcs table: no parameters for columns of 2^{}; `avow pcs table` lists what there is\n",
                 log_rows);
      exit_code = kWrongUse;
      return;
    }
    constexpr std::uint32_t kLogColumns = 10;
    constexpr std::uint32_t kClaims = 400;
    print_config(*config, kLogColumns);
    fmt::print("\n{}", pcs::format_security(pcs::analyse_security(*config, {kLogColumns, kClaims})));
  });

  auto* search = pcs->add_subcommand("search", "Search all parameter sets anew and print spec/parameters.json");
  search->callback([] { fmt::print("{}", pcs::format_parameters(pcs::search_again(pcs::parameter_tables()))); });
}

}  // namespace avow::app
