// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "answer_prover/answer_prover.hpp"
#include "chain/anvil_testing.hpp"
#include "market/settlement.hpp"
#include "model/tokenizer_load.hpp"
#include "model_file/model_file.hpp"

// A model to answer with and a market to sell its answers on, for tests.
namespace avow::market::testing {

/// The bundled model, imported and committed to at 100 bits, once for a test program.
struct BundledModel {
  model_file::Contents contents;
  std::optional<model::Tokenizer> tokenizer;
  std::unique_ptr<answer_prover::ProvingModel> proving;
  base::Bytes program;

  [[nodiscard]] const base::Digest& id() const { return proving->key().id(); }
  [[nodiscard]] unsigned id_bytes() const { return answer::id_bytes(contents.model.plan.vocabulary); }
  [[nodiscard]] std::vector<std::uint32_t> encode(const std::string& text) const;
};
[[nodiscard]] const BundledModel& bundled_model();

/// Fast polls, for a chain that makes a block for each transaction.
[[nodiscard]] chain::SendPolicy quick_policy();

/// A local chain with everything deployed by the first development account, to the addresses that this program knows,
/// the bundled model registered, and tokens for the first two development accounts.
class LocalMarket {
 public:
  LocalMarket();

  [[nodiscard]] bool is_good() const { return is_good_; }
  [[nodiscard]] chain::testing::Anvil& anvil() { return anvil_; }
  [[nodiscard]] chain::Client& client() { return client_; }
  [[nodiscard]] MarketClient& market() { return *market_; }
  [[nodiscard]] const Deployment& deployment() const { return market_->deployment(); }
  /// Sends from a development account, 0 or 1.
  [[nodiscard]] chain::Sender sender(std::size_t account);
  [[nodiscard]] chain::Address account(std::size_t which) const { return keys_[which].address(); }
  [[nodiscard]] const chain::PrivateKey& key(std::size_t which) const { return keys_[which]; }

  /// A request of account 0 for the bundled model, at a fixed price of 2 tokens.
  [[nodiscard]] Request draft(const std::string& prompt, std::uint32_t tokens);
  /// The request posted; its id.
  base::Digest post(const Request& request);
  /// The answers of the bundled model, proven, bound to this market and payee.
  [[nodiscard]] std::pair<DeliveredAnswers, base::Bytes> answer(const std::vector<Request>& requests,
                                                                const chain::Address& payee);
  [[nodiscard]] std::uint64_t now();
  void mine(std::uint64_t blocks);

 private:
  chain::testing::Anvil anvil_;
  chain::Client client_;
  std::vector<chain::PrivateKey> keys_;
  chain::ChainProfile profile_;
  std::optional<MarketClient> market_;
  std::uint64_t nonce_ = 0;
  bool is_good_ = false;
};

/// Tests that share such a chain.
class OnLocalMarket : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite() { local().reset(); }
  void SetUp() override;
  static std::unique_ptr<LocalMarket>& local();
};

}  // namespace avow::market::testing
