// SPDX-License-Identifier: Apache-2.0
#include "chain/sender.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/hex.hpp"

namespace avow::chain {
namespace {

bool says(const Error& error, const char* text) {
  return error.cause == Cause::kNode && error.text.find(text) != std::string::npos;
}

Transaction transaction_of(const CallRequest& call, const ChainProfile& profile) {
  Transaction transaction;
  transaction.chain_id = profile.chain_id;
  transaction.to = call.to;
  transaction.value = call.value;
  transaction.data = call.data;
  return transaction;
}

// Whether a count is further above another than may be.
bool is_far_above(std::uint64_t count, std::uint64_t other, std::uint64_t most) {
  return count > other && count - other > most;
}

}  // namespace

Result<std::uint64_t> Nonces::next(const NonceCounts& counts, std::uint64_t most_waiting) const {
  const auto& [latest, pending] = counts;
  if (is_far_above(pending, std::max(latest, next_), most_waiting) ||
      is_far_above(latest, std::max(pending, next_), most_waiting)) {
    return fail(Cause::kNonceGap,
                fmt::format("the node counts {} transactions of the account in blocks and {} with those that wait; "
                            "wait until those are included, or ask another node",
                            latest, pending));
  }
  return std::max({latest, pending, next_});
}

Sender::Sender(Client& client, const PrivateKey& key, const ChainProfile& profile, SendPolicy policy, Clock clock)
    : client_(&client), key_(&key), profile_(profile), policy_(policy), clock_(std::move(clock)) {
  if (!policy_.fees.most_priority_fee) policy_.fees.most_priority_fee = profile.most_priority_fee;
}

Result<SignedTransaction> Sender::prepare(const CallRequest& call) {
  CallRequest from_here = call;
  from_here.from = address();
  Transaction transaction = transaction_of(call, profile_);
  // What is too large is refused before a node is asked: not every one would say so.
  if (auto error = check_limits(sign(transaction, *key_), profile_)) return base::Err{std::move(*error)};
  const auto gas = gas_for(from_here);
  if (!gas) return base::Err{gas.error()};
  transaction.gas_limit = gas.value();
  const auto fees = propose_fees(*client_, policy_.fees);
  if (!fees) return base::Err{fees.error()};
  transaction.max_priority_fee = fees.value().max_priority_fee;
  transaction.max_fee = fees.value().max_fee;
  const auto nonce = next_nonce();
  if (!nonce) return base::Err{nonce.error()};
  transaction.nonce = nonce.value();
  SignedTransaction made = sign(transaction, *key_);
  if (auto error = check_limits(made, profile_)) return base::Err{std::move(*error)};
  if (auto error = check_cost(transaction)) return base::Err{std::move(*error)};
  return made;
}

Result<std::uint64_t> Sender::next_nonce() {
  auto pending = client_->transaction_count(address(), BlockId::pending());
  if (!pending) return pending;
  auto latest = client_->transaction_count(address(), BlockId::latest());
  if (!latest) return latest;
  return nonces_.next({latest.value(), pending.value()}, policy_.most_waiting);
}

// Simulates first with all the gas that a transaction may have, as that says why a contract refuses.
Result<std::uint64_t> Sender::gas_for(const CallRequest& call) {
  CallRequest bounded = call;
  bounded.gas_limit = call.gas_limit.value_or(profile_.most_gas);
  const auto simulated = client_->call(bounded, BlockId::pending());
  if (!simulated) return base::Err{simulated.error()};
  if (call.gas_limit) return *call.gas_limit;
  auto estimate = client_->estimate_gas(bounded);
  if (!estimate) return estimate;
  const std::uint64_t least = estimate.value();
  if (least > profile_.most_gas) return least;  // the limits are checked with the rest
  return std::min(least + least * policy_.gas_margin_percent / 100, profile_.most_gas);
}

std::optional<Error> Sender::check_cost(const Transaction& transaction) {
  const Fees fees{transaction.max_priority_fee, transaction.max_fee};
  if (auto error = check_total_fee(fees, transaction.gas_limit, policy_.fees)) return error;
  const auto balance = client_->balance(address(), BlockId::pending());
  if (!balance) return balance.error();
  const auto gas_cost = multiply(transaction.max_fee, transaction.gas_limit);
  const auto cost = gas_cost ? add(*gas_cost, transaction.value) : std::nullopt;
  if (cost && *cost <= balance.value()) return std::nullopt;
  return Error{Cause::kFunds,
               fmt::format("{} has {} wei, and the transaction may take {}; send money to it", to_string(address()),
                           to_decimal(balance.value()), cost ? to_decimal(*cost) : "more than there is")};
}

std::optional<Error> Sender::send(const SignedTransaction& transaction) {
  if (auto error = check_limits(transaction, profile_)) return error;
  const auto hash = client_->send(transaction.bytes);
  if (hash) {
    nonces_.sent(transaction.transaction.nonce);
    return std::nullopt;
  }
  Error error = hash.error();
  if (says(error, "nonce too low")) {
    // It may be this very transaction that used it, sent before.
    const auto receipt = client_->receipt(transaction.hash);
    if (receipt && receipt.value()) return std::nullopt;
    nonces_.forget();
    error.cause = Cause::kNonceUsed;
    error.text += "; another transaction of this account used the nonce, prepare it again";
  } else if (says(error, "replacement transaction underpriced")) {
    error.cause = Cause::kReplacement;
    error.text += "; a transaction of this nonce waits already, replace it with higher fees";
  }
  return error;
}

Result<SignedTransaction> Sender::replace(const SignedTransaction& stuck) {
  AVOW_CHECK(stuck.sender == address());
  auto wanted = propose_fees(*client_, policy_.fees);
  if (!wanted) return base::Err{wanted.error()};
  const Transaction& old = stuck.transaction;
  const auto fees = raise_fees({old.max_priority_fee, old.max_fee}, wanted.value(), policy_.fees);
  if (!fees) return base::Err{fees.error()};
  Transaction transaction = old;
  transaction.max_priority_fee = fees.value().max_priority_fee;
  transaction.max_fee = fees.value().max_fee;
  if (auto error = check_cost(transaction)) return base::Err{std::move(*error)};
  SignedTransaction made = sign(transaction, *key_);
  if (auto error = send(made)) return base::Err{std::move(*error)};
  return made;
}

Result<Receipt> Sender::transact(const CallRequest& call) {
  const auto transaction = prepare(call);
  if (!transaction) return base::Err{transaction.error()};
  if (auto error = send(transaction.value())) return base::Err{std::move(*error)};
  return wait({transaction.value()});
}

}  // namespace avow::chain
