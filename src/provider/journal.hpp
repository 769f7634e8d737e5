// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>

#include "chain/client.hpp"
#include "provider/database.hpp"
#include "provider/estimates.hpp"
#include "provider/job.hpp"

namespace avow::provider {

/// What is written down, in the order in which a job usually comes to it. A process may die after each, and goes on.
enum class Step : std::uint8_t {
  kSeen,
  kRan,
  kApprovePrepared,  ///< the market is allowed to take bonds
  kApproveSent,
  kApproveIncluded,
  kLockPrepared,
  kLockSent,
  kLockIncluded,
  kProven,
  kPlanned,  ///< the transactions that settle a proof
  kSettlePrepared,
  kSettleSent,
  kSettleIncluded,
  kPaid,
  kLost,
  kRefused,
};
inline constexpr std::size_t kSteps = 16;
/// "settle-sent".
[[nodiscard]] const char* name(Step step) noexcept;
[[nodiscard]] std::optional<Step> step_named(std::string_view text);

/// Whose journal it is. What was signed for one is not for another.
struct Identity {
  std::uint64_t chain_id = 0;
  chain::Address market, account;
};

enum class CallKind : std::uint8_t { kApprove, kLock, kSettle };
enum class CallState : std::uint8_t {
  kPlanned,   ///< not signed yet
  kPrepared,  ///< signed; it may have been sent
  kSent,
  kIncluded,  ///< in a block, with its confirmations
  kOver,      ///< failed, or not wanted any more
};

/// A call of a contract that is to be in a block once, with all transactions that were signed to get it there.
struct Call {
  std::int64_t id = 0;
  CallKind kind = CallKind::kApprove;
  base::Digest job{};                   ///< of a lock
  std::optional<std::int64_t> proof{};  ///< of a settlement
  std::uint64_t number = 0;             ///< of a settlement's calls, from 0
  chain::CallRequest request;
  CallState state = CallState::kPlanned;
  std::vector<base::Bytes> candidates;  ///< signed, of one nonce; the last one has the highest fees
  std::uint64_t sent_at = 0;            ///< the last one, seconds since 1970
  chain::BlockRef block;                ///< kIncluded
  std::uint64_t gas_used = 0;           ///< kIncluded
};

/// Answers and the proof of them.
struct StoredProof {
  std::int64_t id = 0;
  base::Digest model_id{};
  base::Bytes delivery;  ///< answer::encode's
  base::Bytes proof;
  Measure measure;
};

/// All that a provider has to know after it was stopped at any moment: an SQLite file in WAL mode. Whatever returns
/// nothing is on the disk. One thread at a time.
class Journal {
 public:
  /// Told of each step when it is on the disk.
  using OnStep = std::function<void(Step)>;

  /// Makes the file if there is none, and changes one of an earlier version. ":memory:" keeps nothing. Other processes
  /// are kept from it as long as it is open.
  [[nodiscard]] static JournalResult<std::unique_ptr<Journal>> open(const std::string& path, const Identity& identity,
                                                                    OnStep on_step = {});
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // The chain, as far as it was read: blocks, oldest first.
  [[nodiscard]] JournalResult<std::vector<chain::BlockRef>> blocks();
  /// With the jobs that changed in these blocks. Steps are those of new jobs: seen, or refused.
  [[nodiscard]] JournalProblem save_blocks(const std::deque<chain::BlockRef>& blocks, const std::vector<Job>& changed,
                                           const std::vector<Step>& steps);

  /// All but those that are over; or all.
  enum class Which : std::uint8_t { kOpen, kAll };
  [[nodiscard]] JournalResult<std::vector<Job>> jobs(Which which = Which::kOpen);
  /// Those, over or not, whose standing is of this block or a later one.
  [[nodiscard]] JournalResult<std::vector<Job>> jobs_since(std::uint64_t block);
  [[nodiscard]] JournalResult<std::optional<Job>> job(const base::Digest& id);
  [[nodiscard]] JournalProblem save(const Job& job, std::optional<Step> step);

  /// Stores a proof, and with it the jobs that it answers, whose `proof` it sets.
  [[nodiscard]] JournalProblem add_proof(StoredProof& proof, std::vector<Job*> answered);
  [[nodiscard]] JournalResult<std::optional<StoredProof>> proof(std::int64_t id);
  /// Takes away proofs and calls that nobody needs, whose jobs are over since before this block.
  [[nodiscard]] JournalProblem forget(std::uint64_t before);

  /// Calls that are not over: those included stay until forget().
  [[nodiscard]] JournalResult<std::vector<Call>> calls();
  /// Sets their ids.
  [[nodiscard]] JournalProblem add_calls(std::vector<Call>& calls, std::optional<Step> step);
  /// Writes down another transaction of the call, which is the last of its candidates, before it is sent.
  [[nodiscard]] JournalProblem add_candidate(const Call& call);
  [[nodiscard]] JournalProblem save(const Call& call, std::optional<Step> step);

  [[nodiscard]] JournalProblem save(const base::Digest& model_id, const Measure& measure);
  [[nodiscard]] JournalResult<std::vector<Measure>> measures(const base::Digest& model_id);

  static constexpr std::uint64_t kVersion = 2;

 private:
  Journal(Database database, int lock, OnStep on_step);
  [[nodiscard]] JournalProblem migrate();
  [[nodiscard]] JournalProblem check_identity(const Identity& identity);
  [[nodiscard]] JournalProblem write(const Job& job);
  [[nodiscard]] JournalProblem write(const Call& call);
  [[nodiscard]] static JournalResult<std::vector<Job>> read_jobs(Query query);
  void tell(std::optional<Step> step) const {
    if (step && on_step_) on_step_(*step);
  }

  Database database_;
  int lock_;
  OnStep on_step_;
};

}  // namespace avow::provider
