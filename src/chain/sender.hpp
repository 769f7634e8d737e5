// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "chain/fees.hpp"
#include "chain/profile.hpp"

namespace avow::chain {

/// An account's counts of transactions, as a node says them.
struct NonceCounts {
  std::uint64_t latest = 0;   ///< those in blocks
  std::uint64_t pending = 0;  ///< and those that wait
};

/// The next nonce of an account: what the chain knows of it, and what was sent and the node may not show yet. A nonce
/// is one call's for good: what seems to be lost may still be included.
class Nonces {
 public:
  /// kNonceGap where one count is more than `most_waiting` above the other and all that was sent: a nonce that is too
  /// high waits until those before it are used, and holds up all that come after it.
  [[nodiscard]] Result<std::uint64_t> next(const NonceCounts& counts, std::uint64_t most_waiting) const;
  void sent(std::uint64_t nonce) { next_ = std::max({next_, nonce, nonce + 1}); }  // nonce + 1 may be 0

 private:
  std::uint64_t next_ = 0;
};

/// What deadlines are told by; tests give their own.
using Clock = std::function<std::chrono::steady_clock::time_point()>;

struct SendPolicy {
  FeePolicy fees{};
  /// Transactions of the account that wait without this sender's having sent them; more are not believed. What geth's
  /// nodes promise to keep of an account.
  std::uint64_t most_waiting = 16;
  unsigned gas_margin_percent = 15;  ///< on the estimate: state may change before the transaction is in a block
  std::chrono::milliseconds poll{1'000};
  std::chrono::milliseconds patience{180'000};   ///< for a receipt and its confirmations: of polls, and by the clock
  std::optional<std::uint64_t> confirmations{};  ///< in place of the profile's
};

/// Sends an account's transactions on one chain. Nothing is sent that would fail: a call is simulated first, and
/// refused where it needs more bytes, gas, fees or money than there may be. One thread at a time, and one sender an
/// account.
///
/// No call is made twice where errors with `unsettled` are answered by wait(), replace(), or sending the same
/// transaction again, and only the others by preparing the call again.
///
/// Nodes are believed where nothing contradicts them. One that counts too many of the account's transactions, in blocks
/// as well, makes the sender leave a gap of nonces: kNotIncluded says so, and only transactions of the nonces between
/// close it. kNonceUsed is right where the nodes answer for one chain: receipts that they hide are not found.
class Sender {
 public:
  /// All outlive the sender.
  Sender(Client& client, const PrivateKey& key, const ChainProfile& profile, SendPolicy policy = {},
         Clock clock = std::chrono::steady_clock::now);

  [[nodiscard]] const Address& address() const { return key_->address(); }

  /// The transaction that makes the call, checked and signed; nothing is sent yet. Whoever keeps a journal writes it
  /// down before send(): the hash is known, and sending it again is harmless.
  [[nodiscard]] Result<SignedTransaction> prepare(const CallRequest& call);
  /// kTooManyBytes and kTooMuchGas: nothing was sent. All other errors are `unsettled`: another node may have taken it,
  /// or an earlier attempt. kReplacement where a transaction of its nonce waits, kNotIncluded where one was included
  /// and it is not known which.
  [[nodiscard]] std::optional<Error> send(const SignedTransaction& transaction);
  /// The same call under the same nonce with higher fees than all of these, which are all that were signed of it.
  /// Nothing is sent yet. All errors are `unsettled`.
  [[nodiscard]] Result<SignedTransaction> prepare_replacement(const std::vector<SignedTransaction>& candidates);
  /// A transaction to the account itself that does nothing, under the nonce of these and with higher fees, for calls
  /// that are not wanted any more: one of all of them is included. Nothing is sent yet. All errors are `unsettled`.
  [[nodiscard]] Result<SignedTransaction> prepare_withdrawal(const std::vector<SignedTransaction>& candidates);
  /// Whether it is such a transaction. An account whose calls are all of contracts sends no other ones like it.
  [[nodiscard]] static bool is_withdrawal(const SignedTransaction& candidate);
  /// Prepares a replacement, adds it to the candidates and sends it. For those that have waited too long. Errors are as
  /// those of both, and kIncluded where one of the candidates is in a block. Whatever becomes of it, all candidates are
  /// to be waited for.
  [[nodiscard]] std::optional<Error> replace(std::vector<SignedTransaction>& candidates);
  /// Waits until one of these, which are all that were signed of the same nonce, is in a block with its confirmations.
  /// kFailed if it reverted there; kNonceUsed where another transaction has used the nonce, with as many confirmations,
  /// and none of these has a receipt: in both cases the call may be prepared again. kNotIncluded, with `unsettled`, in
  /// all others when patience ends, which errors of nodes do not end sooner.
  [[nodiscard]] Result<Receipt> wait(const std::vector<SignedTransaction>& candidates);
  /// Whether a node has the receipt of one of these: it is in a block, if not with its confirmations yet.
  [[nodiscard]] bool is_in_block(const std::vector<SignedTransaction>& candidates);
  /// All of it: prepares, sends, and waits where it is not certain that nothing was sent. Whoever wants to replace what
  /// was not included, or to wait on, calls the three.
  [[nodiscard]] Result<Receipt> transact(const CallRequest& call);

 private:
  [[nodiscard]] Result<std::uint64_t> gas_for(const CallRequest& call);
  [[nodiscard]] Result<std::uint64_t> next_nonce();
  [[nodiscard]] Result<SignedTransaction> raised(const std::vector<SignedTransaction>& candidates,
                                                 Transaction transaction);
  [[nodiscard]] std::optional<Error> send_last(std::span<const SignedTransaction> candidates);
  [[nodiscard]] std::optional<Error> find_included(std::span<const SignedTransaction> candidates, Error error);
  [[nodiscard]] std::optional<Error> check_cost(const Transaction& transaction);
  void check_candidates(const std::vector<SignedTransaction>& candidates) const;
  [[nodiscard]] std::uint64_t confirmations() const;
  [[nodiscard]] Result<std::optional<Receipt>> settled(const SignedTransaction& candidate);
  [[nodiscard]] Result<std::optional<Receipt>> settled_of(const std::vector<SignedTransaction>& candidates);
  [[nodiscard]] bool is_nonce_lost(const std::vector<SignedTransaction>& candidates);
  [[nodiscard]] Error why_not_settled(const std::vector<SignedTransaction>& candidates);

  Client* client_;
  const PrivateKey* key_;
  ChainProfile profile_;
  SendPolicy policy_;
  Clock clock_;
  Nonces nonces_;
};

}  // namespace avow::chain
