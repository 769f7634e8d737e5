// SPDX-License-Identifier: Apache-2.0
#include "requester/wallet.hpp"

#include <fmt/format.h>

#include "base/check.hpp"
#include "base/hex.hpp"

namespace avow::requester {
namespace {

// The first account of every chain that anvil or hardhat make for development: its key is printed by both, and worth
// nothing anywhere else.
constexpr const char* kWellKnownDevelopmentKey = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
constexpr unsigned kMostDrips = 1'000;

chain::PrivateKey development_key_of_all() {
  const auto bytes = base::from_hex(kWellKnownDevelopmentKey);
  AVOW_CHECK(bytes.has_value());
  auto key = chain::PrivateKey::from_bytes(*bytes);
  AVOW_CHECK(key.ok());
  return std::move(key).value();
}

Result<chain::U256> allocation_of(const Session& session, const chain::Address& account) {
  const auto result = session.market->view(market::Contract::kGenesis, "allocationOf", {account});
  if (!result) return fail("the genesis does not say what is allocated", result.error());
  const auto* amount = result.value().size() == 1 ? result.value()[0].as<chain::U256>() : nullptr;
  AVOW_CHECK(amount != nullptr);  // it was decoded by its type
  return *amount;
}

}  // namespace

Result<chain::Receipt> send_as(const Session& session, const chain::PrivateKey& key, const chain::CallRequest& call) {
  auto lock = lock_account(session, session.profile.chain_id, key.address());
  if (!lock) return base::Err{lock.error()};
  chain::Sender sender = session.sender(key);
  const auto tell = [&](const chain::SignedTransaction& made) -> std::optional<Error> {
    session.tell({.kind = UpdateKind::kSending, .transaction = made.hash, .text = "transaction"});
    return std::nullopt;
  };
  return send(session.sending_by(sender, tell), call);
}

Result<Holdings> holdings_of(const Session& session, const chain::Address& account) {
  Holdings holdings;
  const auto take = [](auto& into, const auto& result) {
    if (result) into = result.value();
    return result.ok() ? std::nullopt : std::optional(fail("the account's balances are not known", result.error()));
  };
  if (auto error = take(holdings.coins, session.chain().balance(account))) return *error;
  if (auto error = take(holdings.tokens, session.market->balance_of(account))) return *error;
  if (auto error = take(holdings.allowance, session.market->allowance_of(account))) return *error;
  if (auto error = take(holdings.credit, session.market->credit_of(account))) return *error;
  if (auto error = take(holdings.epochs, session.market->claimable(account, kMostEpochs))) return *error;
  if (auto error = take(holdings.nonce, session.chain().transaction_count(account, chain::BlockId::latest()))) {
    return *error;
  }
  const auto allocated = allocation_of(session, account);
  if (!allocated) return base::Err{allocated.error()};
  holdings.allocated = allocated.value();
  return holdings;
}

Result<std::vector<Claimed>> claim_all(const Session& session, const chain::PrivateKey& key) {
  const auto holdings = holdings_of(session, key.address());
  if (!holdings) return base::Err{holdings.error()};
  std::vector<std::pair<std::string, chain::CallRequest>> calls;
  if (holdings.value().allocated != chain::U256()) {
    calls.emplace_back("genesis", session.market->release(key.address()));
  }
  for (const std::uint64_t epoch : holdings.value().epochs) {
    calls.emplace_back(fmt::format("epoch {}", epoch), session.market->claim(epoch, key.address()));
  }
  if (holdings.value().credit != chain::U256()) calls.emplace_back("credit", session.market->withdraw(key.address()));
  std::vector<Claimed> claimed;
  for (const auto& [what, call] : calls) {
    auto receipt = send_as(session, key, call);
    if (!receipt) return base::Err{receipt.error()};
    claimed.push_back({what, std::move(receipt).value()});
  }
  return claimed;
}

Result<Holdings> fund(const Session& session, const chain::Address& account, const FundOptions& options) {
  if (session.profile.chain_id != kDevelopmentChain) {
    return fail(Cause::kState, fmt::format("there is a faucet on development chains ({}) only, and this is chain {}",
                                           kDevelopmentChain, session.profile.chain_id));
  }
  const chain::PrivateKey rich = development_key_of_all();
  const auto coins = session.chain().balance(account);
  if (!coins) return fail("the account's balance is not known", coins.error());
  if (const auto missing = subtract(options.coins, coins.value()); missing && *missing != chain::U256()) {
    chain::CallRequest gift;
    gift.to = account;
    gift.value = *missing;
    const auto receipt = send_as(session, rich, gift);
    if (!receipt) return base::Err{receipt.error()};
  }
  for (unsigned drips = 0; drips < kMostDrips; ++drips) {
    const auto tokens = session.market->balance_of(account);
    if (!tokens) return fail("the account's tokens are not known", tokens.error());
    if (tokens.value() >= options.tokens) break;
    const auto receipt = send_as(session, rich, session.market->drip(account));
    if (!receipt) return base::Err{receipt.error()};
  }
  return holdings_of(session, account);
}

}  // namespace avow::requester
