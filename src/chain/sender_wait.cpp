// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/check.hpp"
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
    return fail(Cause::kReply,
                fmt::format("the receipt of transaction 0x{} names {}", base::to_hex(candidate.hash), what));
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
  AVOW_CHECK(!candidates.empty());
  for (std::chrono::milliseconds waited{0};; waited += policy_.poll) {
    auto receipt = settled_of(candidates);
    if (!receipt) return base::Err{receipt.error()};
    if (receipt.value()) {
      if (receipt.value()->succeeded) return std::move(*receipt.value());
      return fail(Cause::kFailed,
                  fmt::format("transaction 0x{} is in block {}, where it reverted; the state had changed "
                              "since it was simulated",
                              base::to_hex(receipt.value()->transaction), receipt.value()->block.number));
    }
    if (waited >= policy_.patience) break;
    client_->sleep()(policy_.poll);
  }
  const SignedTransaction& last = candidates.back();
  const auto used = client_->transaction_count(address(), BlockId::latest());
  bool is_there = false;
  for (const SignedTransaction& candidate : candidates) {
    const auto receipt = client_->receipt(candidate.hash);
    is_there = is_there || !receipt || receipt.value();
  }
  if (used && used.value() > last.transaction.nonce && !is_there) {
    nonces_.forget();
    return fail(Cause::kNonceUsed,
                fmt::format("nonce {} was used by another transaction of this account; prepare it again",
                            last.transaction.nonce));
  }
  std::string text =
      fmt::format("transaction 0x{} has not got its confirmations in {} s; wait on, or replace it with higher fees",
                  base::to_hex(last.hash), policy_.patience.count() / 1000);
  if (const auto latest = client_->transaction_count(address(), BlockId::latest());
      latest && latest.value() < last.transaction.nonce) {
    text += fmt::format("; it has nonce {}, and waits for those from {} on: if they are lost, send them again",
                        last.transaction.nonce, latest.value());
  }
  return fail(Cause::kNotIncluded, text);
}

}  // namespace avow::chain
