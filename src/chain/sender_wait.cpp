// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/hex.hpp"
#include "chain/sender.hpp"

namespace avow::chain {
namespace {

// What a node says of a transaction that cannot be; null if nothing.
const char* contradiction(const Receipt& receipt, const SignedTransaction& made) {
  const Transaction& transaction = made.transaction;
  if (receipt.gas_used > transaction.gas_limit) return "more gas than it may use";
  if (receipt.gas_price > transaction.max_fee) return "a higher price of gas than it pays";
  std::optional<Address> created;
  if (!transaction.to) created = created_address(made.sender, transaction.nonce);
  // Some nodes name no contract where its creation failed.
  const bool may_be_left_out = !receipt.succeeded && !receipt.created;
  return receipt.created == created || may_be_left_out ? nullptr : "another contract than it creates";
}

// Of a transaction that is settled.
Result<Receipt> outcome(const Receipt& receipt) {
  if (receipt.succeeded) return receipt;
  return fail(Cause::kFailed, fmt::format("transaction 0x{} is in block {}, where it reverted; the state had changed "
                                          "since it was simulated",
                                          base::to_hex(receipt.transaction), receipt.block.number));
}

}  // namespace

std::uint64_t Sender::confirmations() const {
  return std::max<std::uint64_t>(policy_.confirmations.value_or(profile_.confirmations), 1);
}

// The receipt of one that is in a block of the chain with its confirmations.
Result<std::optional<Receipt>> Sender::settled(const SignedTransaction& candidate) {
  auto receipt = client_->receipt(candidate.hash);
  if (!receipt || !receipt.value()) return receipt;
  const BlockRef& in = receipt.value()->block;
  const auto head = client_->block_number();
  if (!head) return base::Err{head.error()};
  if (head.value() < in.number || head.value() - in.number < confirmations() - 1) return std::optional<Receipt>();
  // A node may remember a receipt of a block that the chain has left.
  const auto block = client_->block(in.number);
  if (!block) return base::Err{block.error()};
  if (!block.value() || block.value()->ref != in) return std::optional<Receipt>();
  if (const char* what = contradiction(*receipt.value(), candidate)) {
    return fail(Cause::kReply, fmt::format("the receipt of {} names {}", to_string(candidate), what));
  }
  return receipt;
}

// What is said of one, stale receipts and errors, hides no other that is settled.
Result<std::optional<Receipt>> Sender::settled_of(const std::vector<SignedTransaction>& candidates) {
  std::optional<Error> trouble;
  for (const SignedTransaction& candidate : candidates) {
    auto receipt = settled(candidate);
    if (receipt && receipt.value()) return receipt;
    if (!receipt) trouble = receipt.error();
  }
  if (trouble) return base::Err{std::move(*trouble)};
  return std::optional<Receipt>();
}

Result<Receipt> Sender::wait(const std::vector<SignedTransaction>& candidates) {
  check_candidates(candidates);
  using std::chrono::milliseconds;
  const auto start = clock_();
  for (milliseconds waited{0};; waited += policy_.poll) {
    const auto receipt = settled_of(candidates);
    if (receipt && receipt.value()) return outcome(*receipt.value());
    waited = std::max(waited, std::chrono::duration_cast<milliseconds>(clock_() - start));
    if (waited >= policy_.patience) {
      Error error = why_not_settled(candidates);
      if (!receipt) error.text += "; the last answer was " + to_string(receipt.error());
      return base::Err{std::move(error)};
    }
    client_->sleep()(policy_.poll);
  }
}

bool Sender::is_in_block(const std::vector<SignedTransaction>& candidates) {
  return std::any_of(candidates.begin(), candidates.end(), [&](const SignedTransaction& candidate) {
    const auto receipt = client_->receipt(candidate.hash);
    return receipt && receipt.value();
  });
}

// Whether another transaction than these has used the nonce, as surely as they would be settled, and a block earlier:
// nodes show a block's state before they have all of its receipts. Receipts are asked for after the count, as one may
// have come meanwhile; one that is not where it should be contradicts the count.
bool Sender::is_nonce_lost(const std::vector<SignedTransaction>& candidates) {
  const auto head = client_->block_number();
  if (!head || head.value() < confirmations()) return false;
  const auto used = client_->transaction_count(address(), head.value() - confirmations());
  if (!used || used.value() <= candidates.back().transaction.nonce) return false;
  return std::all_of(candidates.begin(), candidates.end(), [&](const SignedTransaction& candidate) {
    const auto receipt = client_->receipt(candidate.hash);
    return receipt && !receipt.value();
  });
}

Error Sender::why_not_settled(const std::vector<SignedTransaction>& candidates) {
  const SignedTransaction& last = candidates.back();
  const std::uint64_t nonce = last.transaction.nonce;
  if (is_nonce_lost(candidates)) {
    return {Cause::kNonceUsed,
            fmt::format("another than {} has used its nonce; prepare the call again", to_string(last))};
  }
  Error error{Cause::kNotIncluded,
              fmt::format("{} has not got its confirmations in {} s; wait on, or replace it with higher fees",
                          to_string(last), policy_.patience.count() / 1000)};
  error.unsettled = {nonce, last.hash};
  const auto latest = client_->transaction_count(address(), BlockId::latest());
  if (latest && latest.value() < nonce) {
    error.text += fmt::format(
        "; it waits for the account's nonces from {} on: if their transactions are lost, send "
        "them again",
        latest.value());
  }
  return error;
}

}  // namespace avow::chain
