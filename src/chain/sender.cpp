// SPDX-License-Identifier: Apache-2.0
#include "chain/sender.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/hex.hpp"

namespace avow::chain {
namespace {

// Nodes have their own capitals. `text` is in small letters.
bool says(const Error& error, std::string_view text) {
  const auto is_same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; };
  return error.cause == Cause::kNode &&
         std::search(error.text.begin(), error.text.end(), text.begin(), text.end(), is_same) != error.text.end();
}

Error unsettled_by(Error error, const SignedTransaction& transaction) {
  error.unsettled = {transaction.transaction.nonce, transaction.hash};
  return error;
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

std::optional<Error> Sender::send(const SignedTransaction& transaction) { return send_last({&transaction, 1}); }

// Sends the last of the candidates.
std::optional<Error> Sender::send_last(std::span<const SignedTransaction> candidates) {
  const SignedTransaction& transaction = candidates.back();
  if (auto error = check_limits(transaction, profile_)) return error;
  // Before it is known how that went, as a reply may be lost on its way.
  nonces_.sent(transaction.transaction.nonce);
  const auto hash = client_->send(transaction.bytes);
  if (hash) return std::nullopt;
  Error error = unsettled_by(hash.error(), transaction);
  if (says(error, "nonce too low")) return find_included(candidates, std::move(error));
  if (says(error, "replacement transaction underpriced")) {
    error.cause = Cause::kReplacement;
    error.text += "; a transaction of its nonce waits already, replace it with higher fees";
  }
  error.text +=
      fmt::format("; {} may be on its way all the same: wait for it, or send it again", to_string(transaction));
  return error;
}

// What is to be said where their nonce was used; nothing if the last one did, sent before. A receipt that is not found
// proves nothing: nodes know the account's count before they give receipts.
std::optional<Error> Sender::find_included(std::span<const SignedTransaction> candidates, Error error) {
  const SignedTransaction& last = candidates.back();
  for (const SignedTransaction& candidate : candidates) {
    const auto receipt = client_->receipt(candidate.hash);
    if (!receipt || !receipt.value()) continue;
    if (candidate.hash == last.hash) return std::nullopt;
    const std::string text =
        fmt::format("{} is in block {}; wait for it", to_string(candidate), receipt.value()->block.number);
    return unsettled_by({Cause::kIncluded, text}, candidate);
  }
  error.cause = Cause::kNotIncluded;
  error.text += fmt::format("; {}, or another of its nonce, may be included: wait for all of them", to_string(last));
  return error;
}

Result<SignedTransaction> Sender::prepare_replacement(const std::vector<SignedTransaction>& candidates) {
  check_candidates(candidates);
  auto made = raised(candidates, candidates.back().transaction);
  if (!made) return base::Err{unsettled_by(made.error(), candidates.back())};
  return made;
}

Result<SignedTransaction> Sender::prepare_withdrawal(const std::vector<SignedTransaction>& candidates) {
  check_candidates(candidates);
  CallRequest nothing;
  nothing.from = address();
  nothing.to = address();
  Transaction transaction = transaction_of(nothing, profile_);
  transaction.nonce = candidates.back().transaction.nonce;
  // Not 21,000 on every chain: rollups count what posting it costs as gas, too.
  const auto gas = gas_for(nothing);
  if (!gas) return base::Err{unsettled_by(gas.error(), candidates.back())};
  transaction.gas_limit = gas.value();
  auto made = raised(candidates, std::move(transaction));
  if (!made) return base::Err{unsettled_by(made.error(), candidates.back())};
  return made;
}

bool Sender::is_withdrawal(const SignedTransaction& candidate) {
  return candidate.transaction.to == candidate.sender && candidate.transaction.data.empty();
}

Result<SignedTransaction> Sender::raised(const std::vector<SignedTransaction>& candidates, Transaction transaction) {
  const auto wanted = propose_fees(*client_, policy_.fees);
  if (!wanted) return base::Err{wanted.error()};
  Fees paid{};
  for (const SignedTransaction& candidate : candidates) {
    paid.max_priority_fee = std::max(paid.max_priority_fee, candidate.transaction.max_priority_fee);
    paid.max_fee = std::max(paid.max_fee, candidate.transaction.max_fee);
  }
  const auto fees = raise_fees(paid, wanted.value(), policy_.fees);
  if (!fees) return base::Err{fees.error()};
  transaction.max_priority_fee = fees.value().max_priority_fee;
  transaction.max_fee = fees.value().max_fee;
  if (auto error = check_cost(transaction)) return base::Err{std::move(*error)};
  SignedTransaction made = sign(transaction, *key_);
  // Higher fees may be a byte more.
  if (auto error = check_limits(made, profile_)) return base::Err{std::move(*error)};
  return made;
}

std::optional<Error> Sender::replace(std::vector<SignedTransaction>& candidates) {
  auto made = prepare_replacement(candidates);
  if (!made) return made.error();
  candidates.push_back(std::move(made).value());
  return send_last(candidates);
}

void Sender::check_candidates(const std::vector<SignedTransaction>& candidates) const {
  AVOW_CHECK(!candidates.empty());
  for (const SignedTransaction& candidate : candidates) {
    AVOW_CHECK(candidate.sender == address() && candidate.transaction.nonce == candidates.back().transaction.nonce);
  }
}

Result<Receipt> Sender::transact(const CallRequest& call) {
  const auto transaction = prepare(call);
  if (!transaction) return base::Err{transaction.error()};
  const auto error = send(transaction.value());
  if (error && !error->unsettled) return base::Err{*error};
  auto receipt = wait({transaction.value()});
  if (receipt || !error) return receipt;
  Error both = receipt.error();
  both.text += "; sending it gave " + to_string(*error);
  return base::Err{std::move(both)};
}

}  // namespace avow::chain
