// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "chain/sender.hpp"
#include "provider/journal.hpp"
#include "provider/log.hpp"
#include "provider/metrics.hpp"

namespace avow::provider {

struct OutboxSettings {
  chain::SendPolicy send;
  std::uint64_t resend_secs = 15;  ///< a transaction that is in no block is sent again: nodes forget
  std::uint64_t stuck_secs = 90;   ///< and with higher fees
  std::size_t most_waiting = 16;   ///< transactions at a time
};

/// What became of a call.
struct CallOutcome {
  Call call;
  std::optional<chain::Receipt> receipt{};  ///< it is in a block, with its confirmations
  std::optional<chain::Error> error{};      ///< it is over without
};

/// Brings calls onto the chain, each once, whenever the process may die: what is signed is in the journal before it is
/// sent, and is sent again until a transaction of its nonce is in a block. One thread at a time, and the only one that
/// sends the account's transactions.
class Outbox {
 public:
  /// All must outlive it.
  Outbox(Journal& journal, chain::Client& client, const chain::PrivateKey& key, const chain::ChainProfile& profile,
         const OutboxSettings& settings, const Log& log, Metrics& metrics);

  /// What the journal has.
  [[nodiscard]] JournalProblem load();
  /// Writes calls down; they are signed when they may go.
  [[nodiscard]] JournalProblem add(std::vector<Call> calls, std::optional<Step> step);
  /// A proof's calls may go, one after the other, or may not yet. Others always may.
  void release(std::int64_t proof) { released_.push_back(proof); }
  /// A call is not wanted any more. One that was signed and is in no block gives its nonce to a transaction that does
  /// nothing, which costs less than a call that is refused; where it is included all the same, that is said as of
  /// others.
  [[nodiscard]] JournalProblem withdraw(std::int64_t id);
  /// One that is in a block: it is not looked at any more, unless roll_back() brings it back.
  void forget(std::int64_t id);
  /// All calls of a proof are over, but those that wait to be included: it is to be settled anew.
  [[nodiscard]] JournalProblem give_up(std::int64_t proof);

  /// Sends what is to be sent and asks what became of the rest; `time` is that of this machine. Errors are of the
  /// journal alone: nodes that do not answer are asked again the next time.
  [[nodiscard]] JournalResult<std::vector<CallOutcome>> poll(std::uint64_t time);
  /// The chain has left the blocks from this one on: what was in them is sent again.
  [[nodiscard]] JournalProblem roll_back(std::uint64_t first);

  [[nodiscard]] std::vector<const Call*> calls() const;
  [[nodiscard]] const Call* lock_of(const base::Digest& job) const;
  [[nodiscard]] std::vector<const Call*> calls_of(std::int64_t proof) const;

 private:
  struct Entry {
    Call call;
    std::vector<chain::SignedTransaction> candidates;
    std::uint64_t resent_at = 0;
    bool is_unwanted = false;
    bool is_withdrawn = false;  // which is in a block
  };
  [[nodiscard]] JournalProblem send_prepared(Entry& entry, std::uint64_t time);
  [[nodiscard]] JournalProblem look_at_sent(Entry& entry, std::uint64_t time, std::vector<CallOutcome>& outcomes);
  [[nodiscard]] JournalProblem settle(Entry& entry, const chain::Receipt& receipt, std::vector<CallOutcome>& outcomes);
  [[nodiscard]] JournalResult<bool> withdraw(Entry& entry, std::uint64_t time);
  [[nodiscard]] JournalProblem add_candidate(Entry& entry, chain::SignedTransaction candidate, std::uint64_t time);
  [[nodiscard]] JournalProblem wait_on(Entry& entry, std::uint64_t time);
  [[nodiscard]] JournalProblem prepare(Entry& entry, std::uint64_t time, std::vector<CallOutcome>& outcomes);
  [[nodiscard]] JournalProblem end(Entry& entry, chain::Error error, std::vector<CallOutcome>& outcomes);
  [[nodiscard]] bool may_go(const Call& call) const;
  [[nodiscard]] std::size_t waiting() const;
  void note(const Call& call, const chain::Error& error);

  Journal* journal_;
  chain::Sender sender_;
  OutboxSettings settings_;
  const Log* log_;
  Metrics* metrics_;
  std::vector<Entry> entries_;
  std::vector<std::int64_t> released_;
  std::string last_trouble_;  // which is said once
};

}  // namespace avow::provider
