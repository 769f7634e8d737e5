// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "market/market_testing.hpp"
#include "provider/service.hpp"

// A provider on a local chain, for tests.
namespace avow::provider::testing {

/// Nodes that a test switches off: they are not reached then.
class SwitchedEndpoint final : public chain::Endpoint {
 public:
  SwitchedEndpoint(std::unique_ptr<chain::Endpoint> to, const bool& is_off) : to_(std::move(to)), is_off_(&is_off) {}
  chain::Result<chain::HttpReply> post(const std::string& body, std::size_t most_reply_bytes) override {
    if (*is_off_) return chain::fail(chain::Cause::kTransport, "switched off");
    return to_->post(body, most_reply_bytes);
  }
  [[nodiscard]] const std::string& name() const override { return to_->name(); }

 private:
  std::unique_ptr<chain::Endpoint> to_;
  const bool* is_off_;
};

/// What a process has that serves: its own client, and a service on a journal. Account 1 of the market provides.
struct Provider {
  bool is_off = false;
  chain::Client client;
  market::MarketClient market;
  std::vector<std::string> lines;  ///< of the log
  Log log;
  std::unique_ptr<Service> service;
  std::optional<ServiceError> error;

  Provider(market::testing::LocalMarket& local, ServiceOptions options, std::size_t account = 1);

  /// Rounds until this holds; whether it did, in time. Blocks are mined meanwhile, one a round.
  enum class Mine : std::uint8_t { kNo, kYes };
  bool work_until(market::testing::LocalMarket& local, const std::function<bool()>& holds, Mine mine = Mine::kNo,
                  std::chrono::seconds patience = std::chrono::seconds(60));
  [[nodiscard]] bool has_said(std::string_view code) const;
};

/// Prices at which the requests of a test are worth it, and short waits.
[[nodiscard]] ServiceOptions quick_options(const std::filesystem::path& journal);

}  // namespace avow::provider::testing
