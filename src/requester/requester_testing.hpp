// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "answer_prover/answer_prover.hpp"
#include "chain/anvil_testing.hpp"
#include "chain/chain_testing.hpp"
#include "market/delivered.hpp"
#include "model_file/model_file.hpp"
#include "requester/posting.hpp"

namespace avow::requester::testing {

/// The result's value, or the test fails.
template <typename T>
T fine(Result<T> result) {
  EXPECT_TRUE(result.ok()) << (result ? "" : result.error().text);
  return std::move(result).value();
}
/// The cause's name, or "ok".
template <typename T>
std::string verdict(const Result<T>& result) {
  return result ? "ok" : name(result.error().cause);
}

/// A request with something in each of its fields.
[[nodiscard]] market::Request example_request();

/// The bundled model with a short context, committed to at 100 bits. Made once.
struct TestModel {
  model_file::Contents contents;
  std::unique_ptr<model::Tokenizer> tokenizer;
  std::unique_ptr<answer_prover::ProvingModel> proving;
};
[[nodiscard]] const TestModel& test_model();

/// A node in between, which changes what another one says, or does not answer.
class LyingNode final : public chain::Endpoint {
 public:
  /// Changes the result of a method that was called with these parameters, or leaves it as it is.
  using Lie = std::function<void(const std::string& method, const chain::Json& params, chain::Json& result)>;
  LyingNode(std::unique_ptr<chain::Endpoint> honest, Lie lie) : honest_(std::move(honest)), lie_(std::move(lie)) {}

  chain::Result<chain::HttpReply> post(const std::string& body, std::size_t most_reply_bytes) override;
  [[nodiscard]] const std::string& name() const override { return honest_->name(); }
  /// From now on there is no answer, or there is one again.
  void set_lost(bool is_lost) { is_lost_ = is_lost; }
  /// Likewise, of one method; none if it is empty.
  void lose(const std::string& method) { lost_method_ = method; }

 private:
  std::unique_ptr<chain::Endpoint> honest_;
  Lie lie_;
  std::atomic<bool> is_lost_ = false;
  std::string lost_method_;
};

/// A local chain with the contracts and the model on it; the first development account is the requester, with tokens,
/// the second the provider.
class TestMarket {
 public:
  TestMarket();

  [[nodiscard]] bool is_good() const { return market_ != nullptr; }
  [[nodiscard]] market::MarketClient& market() { return *market_; }
  [[nodiscard]] const chain::testing::Anvil& anvil() const { return anvil_; }
  [[nodiscard]] const chain::PrivateKey& requester() const { return requester_; }
  [[nodiscard]] const chain::PrivateKey& provider() const { return provider_; }
  /// A session that looks often, keeps its records here, and counts what is told.
  [[nodiscard]] Session session(const RequestBook& book) const;

  void mine(std::uint64_t blocks) const;
  /// Moves the chain's clock on, and makes a block.
  void pass(std::uint64_t seconds) const;
  chain::Receipt send(const chain::PrivateKey& key, const chain::CallRequest& call);
  /// Answers and proves the request in the provider's name.
  [[nodiscard]] market::DeliveredAnswers run(const market::Request& request) const;
  [[nodiscard]] base::Bytes prove(market::DeliveredAnswers& answers) const;
  /// Has it checked and paid, in steps where `most_bytes` of a transaction ask for it; how many transactions.
  std::size_t settle(const market::DeliveredAnswers& answers, const base::Bytes& proof,
                     std::size_t most_bytes = std::size_t{131'072});

 private:
  chain::testing::Anvil anvil_;
  // Sessions have a client of their own: they may be in another thread.
  chain::Client client_, sessions_client_;
  chain::PrivateKey requester_, provider_;
  std::unique_ptr<market::MarketClient> market_, sessions_market_;
};

}  // namespace avow::requester::testing
