// SPDX-License-Identifier: Apache-2.0
#include "provider/service_testing.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "chain/chain_testing.hpp"

namespace avow::provider::testing {
namespace {

constexpr std::uint64_t kOneToken = 1'000'000'000'000'000'000;

chain::Client switched_client(const market::testing::LocalMarket&, const std::string& url, const bool& is_off) {
  std::vector<std::unique_ptr<chain::Endpoint>> endpoints;
  endpoints.push_back(std::make_unique<SwitchedEndpoint>(chain::testing::good(chain::open_http(url)), is_off));
  chain::RpcPolicy policy;
  policy.rounds = 1;
  return chain::Client(chain::Rpc(std::move(endpoints), policy));
}

// Proofs of the bundled model take a moment, which not every test has to measure anew.
void seed_measure(const market::testing::LocalMarket& local, const ServiceOptions& options, std::size_t account) {
  if (options.is_dry_run || options.journal == ":memory:" || std::filesystem::exists(options.journal)) return;
  const Identity identity{31337, local.deployment().at(market::Contract::kMarket), local.account(account)};
  auto journal = Journal::open(options.journal, identity);
  ASSERT_TRUE(journal);
  EXPECT_FALSE(journal.value()->save(market::testing::bundled_model().id(), Measure{64, 50, 1'000, 124'000, 0}));
}

}  // namespace

Provider::Provider(market::testing::LocalMarket& local, ServiceOptions options, std::size_t account)
    : client(switched_client(local, local.anvil().url(), is_off)),
      market(client, local.deployment()),
      log(LogFormat::kLogfmt, [this](const std::string& line) { lines.push_back(line); }) {
  seed_measure(local, options, account);
  std::vector<ServedModel> models{{"stories", market::testing::bundled_model().proving.get(), {}}};
  auto made = Service::create(market, local.key(account), chain::profile_of(31337), std::move(models),
                              std::move(options), log, nullptr);
  if (!made) {
    error = made.error();
    return;
  }
  service = std::move(made).value();
  error = service->calibrate();
}

bool Provider::work_until(market::testing::LocalMarket& local, const std::function<bool()>& holds, Mine mine,
                          std::chrono::seconds patience) {
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < patience) {
    error = service->round();
    if (error) return false;
    if (holds()) return true;
    if (mine == Mine::kYes) local.mine(1);
    chain::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

bool Provider::has_said(std::string_view code) const {
  const std::string start = "code=" + std::string(code) + ' ';
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.starts_with(start); });
}

ServiceOptions quick_options(const std::filesystem::path& journal) {
  ServiceOptions options;
  options.journal = journal.string();
  options.poll = std::chrono::milliseconds(10);
  options.most_backoff = std::chrono::milliseconds(200);
  options.policy.prices.compute_hour = chain::U256(kOneToken);
  options.policy.prices.microtokens_a_coin = 1'000'000;
  options.policy.prices.most_gas_price = 20'000'000'000;
  options.policy.most_bond = *multiply(chain::U256(kOneToken), 100);
  options.policy.most_bonds = *multiply(chain::U256(kOneToken), 1000);
  options.outbox.send = market::testing::quick_policy();
  options.block_millis = 200;
  return options;
}

}  // namespace avow::provider::testing
