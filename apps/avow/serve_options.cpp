// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include "serve.hpp"

namespace avow::app {
namespace {

using base::Err;
using provider::LockPolicy;

constexpr unsigned kTokenDecimals = 18;
constexpr unsigned kGweiDecimals = 9;
constexpr unsigned kRateDecimals = 6;

constexpr const char* kServeFooter =
    R"(Each model has to be registered on the chain, at the level and for the proofs that it is served with. The account
needs some of the chain's coin for gas, and tokens for bonds where it locks.

Example, on a local chain:
  avow serve stories.avow --rpc http://127.0.0.1:8545 --key provider.json --passphrase-file provider.pass

What a configuration file has are these options by their names; what the command line says goes before it:
  # provider.toml, for: avow serve --config provider.toml
  models = ["/var/lib/avow/stories.avow"]
  rpc = ["https://node.example", "https://other.example"]
  key = "/etc/avow/provider.json"
  passphrase-file = "/etc/avow/provider.pass"
  journal = "/var/lib/avow/serve.journal"
  compute-price = "2.5"
  coin-price = "1000"
  max-fee = "0.1"
  lock = "when-needed"
  log-json = true

It writes lines to standard error, each with a code such as job.locked. GET /healthz says whether it works, GET /metrics
what it did, for Prometheus. An interrupt or termination ends it in order, a second one at once; whatever ends it, it goes
on from its journal.)";

void add_serve_models(CLI::App& command, ServeOptions& options) {
  command.add_option("models,--models", options.models, "The .avow files to answer with");
  command.add_option("--level", options.level, "Bits of security that the models were registered with")
      ->check(CLI::IsMember({100, 128}))
      ->capture_default_str();
  add_usual_options(command, options.usual);
  command.add_flag("--tree-only", options.tree_only,
                   "Keep only the trees of commitments on disk, as `avow prove` says");
  command
      .add_option("--memory", options.memory_gib,
                  "GiB that a proof may take; requests that need more are refused (default: what is free at the start)")
      ->check(CLI::Range(0.0, 1e6));
}

void add_serve_prices(CLI::App& command, ServeOptions& options) {
  command
      .add_option("--compute-price", options.compute_price, "Tokens that an hour of running and proving is to bring")
      ->capture_default_str();
  command.add_option("--coin-price", options.coin_price, "Tokens that one coin of the chain is worth, for gas")
      ->capture_default_str();
  command
      .add_option("--max-fee", options.max_fee, "Gwei for each gas that are paid at most; prices reckon with so much")
      ->capture_default_str();
  command.add_option("--max-tip", options.max_tip, "Gwei of it for who makes the block (default: the chain's)");
  command.add_option("--margin", options.margin, "Percent on top of all costs")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
}

void add_serve_policy(CLI::App& command, ServeOptions& options) {
  command
      .add_option("--lock", options.lock,
                  "When to lock requests: when-needed (their proofs take several transactions), always or never")
      ->check(CLI::IsMember({"when-needed", "always", "never"}))
      ->capture_default_str();
  command.add_option("--max-bond", options.max_bond, "Tokens that one lock may take as bond")->capture_default_str();
  command
      .add_option("--max-bonds", options.max_bonds, "Tokens that all bonds together may be, which the market may take")
      ->capture_default_str();
  command.add_option("--max-batch", options.max_batch, "Requests in one proof")
      ->check(CLI::Range(std::uint64_t{1}, compile::kMostRequests))
      ->capture_default_str();
  command.add_option("--max-tokens", options.max_tokens,
                     "Tokens of a request, prompt and answer (default: the model's context)");
  command
      .add_option("--time-margin", options.time_margin,
                  "Percent on top of measured times where a deadline has to be met")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  command.add_option("--depth", options.depth, "Blocks, its own included, after which a request is worked at")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command.add_flag("--no-rescue", options.no_rescue, "Leave requests alone that others have locked and not answered");
}

void add_serve_running(CLI::App& command, ServeOptions& options) {
  command.add_option("--journal", options.journal, "File of all that has to be known after a restart")
      ->capture_default_str();
  command
      .add_option("--listen", options.listen,
                  "Address and port of /healthz and /metrics, which anybody who reaches it may read; - for none")
      ->capture_default_str();
  command.add_option("--lookback", options.lookback, "Blocks before the newest one that a new journal starts with")
      ->capture_default_str();
  command.add_option("--confirmations", options.confirmations,
                     "Blocks after which a transaction is settled (default: the chain's)");
  command.add_option("--poll-millis", options.poll_millis, "Between looks at the chain")
      ->check(CLI::Range(10, 600'000))
      ->capture_default_str();
  command.add_option("--block-millis", options.block_millis, "Between blocks (default: as measured)")
      ->check(CLI::Range(0, 3'600'000));
  command.add_option("--stuck-seconds", options.stuck_secs, "After which a transaction is sent with higher fees")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command
      .add_option("--health-seconds", options.health_secs, "After which /healthz says 503 if the chain was not read")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command
      .add_option("--finish-seconds", options.finish_secs,
                  "That a proof under way may still take when the service is to end")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  command.add_flag("--dry-run", options.dry_run, "Say what would be locked or answered at which price; send nothing");
  command.add_flag("--log-json", options.log_json, "Write lines of JSON instead of logfmt");
  command.add_flag("--verbose", options.verbose, "Write more of them");
  // For tests of what happens when the process dies: at once after the journal has this step.
  command.add_option("--stop-after", options.stop_after)->group("");
}

base::Result<chain::U256, std::string> amount_of(const char* option, const std::string& text, unsigned decimals) {
  const auto amount = chain::parse_units(text, decimals);
  if (amount) return amount.value();
  return Err{fmt::format("{} {}: {}", option, text, amount.error().text)};
}

std::optional<std::string> read_prices(const ServeOptions& options, provider::Policy& policy) {
  const std::tuple<const char*, const std::string*, unsigned, chain::U256*> amounts[] = {
      {"--compute-price", &options.compute_price, kTokenDecimals, &policy.prices.compute_hour},
      {"--max-fee", &options.max_fee, kGweiDecimals, &policy.prices.most_gas_price},
      {"--max-bond", &options.max_bond, kTokenDecimals, &policy.most_bond},
      {"--max-bonds", &options.max_bonds, kTokenDecimals, &policy.most_bonds}};
  for (const auto& [option, text, decimals, amount] : amounts) {
    const auto read = amount_of(option, *text, decimals);
    if (!read) return read.error();
    *amount = read.value();
  }
  const auto rate = amount_of("--coin-price", options.coin_price, kRateDecimals);
  if (!rate) return rate.error();
  const auto small = rate.value().to_u64();
  if (!small) return "--coin-price " + options.coin_price + ": more than this program can reckon with";
  policy.prices.microtokens_a_coin = *small;
  policy.prices.margin_percent = options.margin;
  return std::nullopt;
}

std::optional<std::string> apply_item(CLI::App& command, const CLI::ConfigItem& item) {
  // Sections have no meaning here; their opening and closing come as items, too.
  if (item.name == "++" || item.name == "--") return std::nullopt;
  CLI::Option* option = command.get_option_no_throw("--" + item.name);
  if (option == nullptr || !item.parents.empty() || item.name == "config" || item.name == "help") {
    return fmt::format("'{}' is no option of avow serve", item.fullname());
  }
  if (option->count() > 0) return std::nullopt;
  if (option->get_expected_min() == 0) {
    const std::string flag = command.get_config_formatter()->to_flag(item);
    option->add_result(option->get_flag_value(item.name, flag));
  } else {
    option->add_result(item.inputs);
  }
  option->run_callback();
  return std::nullopt;
}

}  // namespace

void add_serve_options(CLI::App& command, ServeOptions& options) {
  command.set_config("--config", "", "A file (TOML or INI) with any of these options, by their names");
  add_serve_models(command, options);
  add_chain_options(command, options.chain);
  add_key_options(command, options.key);
  add_serve_prices(command, options);
  add_serve_policy(command, options);
  add_serve_running(command, options);
  command.footer(kServeFooter);
}

// Of subcommands the library leaves it to us.
std::optional<std::string> apply_config(CLI::App& command) {
  const CLI::Option* option = command.get_config_ptr();
  if (option == nullptr || option->count() == 0) return std::nullopt;
  const auto path = option->as<std::string>();
  try {
    for (const CLI::ConfigItem& item : command.get_config_formatter()->from_file(path)) {
      if (auto problem = apply_item(command, item)) return path + ": " + *problem;
    }
  } catch (const CLI::Error& error) {
    return fmt::format("{}: {}", path, error.what());
  }
  return std::nullopt;
}

base::Result<provider::ServiceOptions, std::string> service_options_of(const ServeOptions& options) {
  provider::ServiceOptions service;
  provider::Policy& policy = service.policy;
  if (auto problem = read_prices(options, policy)) return Err{std::move(*problem)};
  policy.lock = options.lock == "always"  ? LockPolicy::kAlways
                : options.lock == "never" ? LockPolicy::kNever
                                          : LockPolicy::kWhenNeeded;
  policy.most_batch = options.max_batch;
  policy.most_tokens = options.max_tokens;
  policy.depth = options.depth;
  policy.time_margin_percent = options.time_margin;
  policy.rescues = !options.no_rescue;
  chain::SendPolicy& send = service.outbox.send;
  send.fees.most_fee = policy.prices.most_gas_price;
  if (!options.max_tip.empty()) {
    const auto tip = amount_of("--max-tip", options.max_tip, kGweiDecimals);
    if (!tip) return Err{tip.error()};
    send.fees.most_priority_fee = tip.value();
  }
  if (options.confirmations != 0) send.confirmations = options.confirmations;
  service.outbox.stuck_secs = options.stuck_secs;
  service.outbox.resend_secs = std::min(service.outbox.resend_secs, options.stuck_secs);
  service.journal = options.journal;
  service.lookback = options.lookback;
  service.block_millis = options.block_millis;
  service.poll = std::chrono::milliseconds(options.poll_millis);
  service.memory_bytes = options.memory_gib > 0
                             ? static_cast<std::uint64_t>(options.memory_gib * (std::uint64_t{1} << 30))
                             : available_memory();
  service.health_secs = options.health_secs;
  service.finish_secs = options.finish_secs;
  service.is_dry_run = options.dry_run;
  if (!options.stop_after.empty()) {
    // "settle-sent" or "settle-sent:2", the second time.
    const std::size_t colon = options.stop_after.find(':');
    const auto step = provider::step_named(options.stop_after.substr(0, colon));
    const auto times = chain::parse_decimal(colon == std::string::npos ? "1" : options.stop_after.substr(colon + 1));
    if (!step || !times) return Err{"--stop-after: no step " + options.stop_after};
    service.on_step = [step = *step, left = times.value().to_u64().value_or(1)](provider::Step done) mutable {
      if (done == step && --left == 0) ::_exit(137);
    };
  }
  return service;
}

}  // namespace avow::app
