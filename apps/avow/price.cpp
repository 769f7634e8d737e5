// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/hex.hpp"
#include "commands.hpp"
#include "network.hpp"
#include "requester/known_model.hpp"
#include "requester/offer.hpp"
#include "requester/prices.hpp"

namespace avow::app {
namespace {

struct PriceOptions {
  ChainOptions chain;
  std::string model, names;
  std::uint32_t tokens = 64;
  std::uint64_t blocks = 50'000;
  std::size_t shown = 10;
  bool json = false;
};

std::string amount_text(const chain::U256& amount) { return chain::to_units(amount, requester::kTokenDecimals); }

void print_prices(const requester::MarketPrices& prices, const PriceOptions& options) {
  fmt::print("{} answers paid since block {}, {} requests wait\n", prices.payments.size(), prices.from_block,
             prices.open.size());
  for (std::size_t i = 0; i < prices.open.size() && i < options.shown; ++i) {
    const auto& one = prices.open[i];
    fmt::print("  {}  {} {} now, at most {}, for {} tokens, until {}\n", base::to_hex(one.id).substr(0, 16),
               one.is_locked ? "locked at" : "offers", amount_text(one.price_now), amount_text(one.max_price),
               one.max_new_tokens, time_text(one.deadline));
  }
  for (std::size_t i = 0; i < prices.payments.size() && i < options.shown; ++i) {
    const auto& one = prices.payments[i];
    fmt::print("  {}  block {}: {} for {} of {} tokens, {} a token\n", base::to_hex(one.id).substr(0, 16), one.block,
               amount_text(one.payment), one.produced, one.max_new_tokens,
               amount_text(divide(one.payment, one.produced)));
  }
  const auto median = requester::percentile_per_token(prices.payments, 50);
  const auto suggested = requester::suggested_price(prices.payments, options.tokens);
  if (!median || !suggested) {
    fmt::print("nobody was paid lately, so nothing says what is enough: start low, with `avow ask --bump`\n");
    return;
  }
  fmt::print("half of them cost at most {} for each token asked for\n", requester::to_tokens(*median));
  fmt::print("for {} tokens: --max-price {}\n", options.tokens, amount_text(*suggested));
}

nlohmann::ordered_json prices_json(const requester::MarketPrices& prices, const PriceOptions& options) {
  auto payments = nlohmann::ordered_json::array();
  for (const auto& one : prices.payments) {
    payments.push_back({{"request_id", base::to_hex(one.id)},
                        {"block", one.block},
                        {"payee", to_string(one.payee)},
                        {"payment", amount_text(one.payment)},
                        {"price", amount_text(one.price)},
                        {"tokens", one.produced},
                        {"max_new_tokens", one.max_new_tokens}});
  }
  auto open = nlohmann::ordered_json::array();
  for (const auto& one : prices.open) {
    open.push_back({{"request_id", base::to_hex(one.id)},
                    {"price_now", amount_text(one.price_now)},
                    {"max_price", amount_text(one.max_price)},
                    {"max_new_tokens", one.max_new_tokens},
                    {"deadline", one.deadline},
                    {"locked", one.is_locked}});
  }
  nlohmann::ordered_json json{{"from_block", prices.from_block}, {"open", open}, {"payments", payments}};
  const auto median = requester::percentile_per_token(prices.payments, 50);
  const auto suggested = requester::suggested_price(prices.payments, options.tokens);
  if (median) json["median_per_token"] = amount_text(*median);
  if (suggested) json["suggested_max_price"] = amount_text(*suggested);
  return json;
}

int price_command(const PriceOptions& options) {
  constexpr const char* kCommand = "avow price";
  const auto network = open_network(kCommand, options.chain);
  if (!network) return network.error();
  const auto names = read_names(kCommand, network.value()->folders, options.names);
  if (!names) return names.error();
  const auto named = names.value().resolve(options.model);
  if (!named) return refuse(kCommand, named.error());
  const auto model = requester::known_model(*network.value()->market, named.value().id);
  if (!model) return refuse(kCommand, model.error());
  const auto prices =
      requester::recent_prices(network.value()->session, named.value().id, model.value().id_bytes, options.blocks);
  if (!prices) return refuse(kCommand, prices.error());
  if (options.json) {
    print_json(prices_json(prices.value(), options));
  } else {
    print_prices(prices.value(), options);
  }
  return kGood;
}

}  // namespace

void add_price(CLI::App& app, int& exit_code) {
  static PriceOptions options;
  auto* price = app.add_subcommand("price", "What answers of a model cost lately, and what to offer");
  price->add_option("-m,--model", options.model, "A model id, or a name of this machine")->required();
  price->add_option("-n,--tokens", options.tokens, "Suggest a price for so many tokens")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  price->add_option("--blocks", options.blocks, "Look so many blocks back")->capture_default_str();
  add_names_option(*price, options.names);
  add_chain_options(*price, options.chain);
  price->add_flag("--json", options.json, "Print one JSON object");
  price->footer("Example:\n  avow price -m stories -n 64");
  price->callback([&exit_code] { exit_code = price_command(options); });
}

}  // namespace avow::app
