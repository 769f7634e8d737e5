// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "provider/estimates.hpp"
#include "provider/job.hpp"
#include "provider/policy.hpp"

/// What to do with a request next: decided from what is known, without asking or changing anything.
namespace avow::provider {

enum class Do : std::uint8_t {
  kWait,    ///< for the chain, or for `not_before`
  kRun,     ///< the model, which tells the answer
  kLock,    ///< deposit the bond
  kProve,   ///< alone or with others that wait
  kSettle,  ///< send the proof
  kPaid,    ///< it is over, well
  kLose,    ///< it is over: `reason`
  kRefuse,  ///< it is not taken on: `reason`
};

struct Decision {
  Do what = Do::kWait;
  const char* reason = "";
  std::uint64_t not_before = 0;  ///< kWait: a moment on the chain; 0: until something changes there
  friend bool operator==(const Decision& a, const Decision& b) {
    return a.what == b.what && std::string_view(a.reason) == b.reason && a.not_before == b.not_before;
  }
};

/// The chain and the provider's account at a moment.
struct Now {
  std::uint64_t time = 0;       ///< of the chain or this machine, whichever is later, seconds
  std::uint64_t head_time = 0;  ///< of the newest block
  std::uint64_t block = 0;      ///< its newest
  std::uint64_t block_millis = 1'000;
  std::uint64_t delay_blocks = 2;
  std::uint64_t fee_basis_points = 0;
  chain::Address account{};
  chain::U256 free_bond{};  ///< what can be deposited now
};

/// What a job is judged by.
struct Outlook {
  Estimate alone;                  ///< of a proof of its own: what its price has to cover
  Estimate estimate;               ///< of the proof that it would be in, with others that wait: the time it takes
  std::uint32_t produced = 0;      ///< tokens of its answer; the most before it ran
  bool wants_lock = false;         ///< see wants_lock()
  std::uint64_t queue_millis = 0;  ///< work that comes before it
  std::uint64_t transactions = 0;  ///< of its settlement, once that is planned
};

[[nodiscard]] Decision decide(const Job& job, const Outlook& outlook, const Policy& policy, const Now& now);

/// Whether a request is to be locked whose proof is expected to take this.
[[nodiscard]] bool wants_lock(LockPolicy policy, const Estimate& estimate);

/// Whether a lock holds for transactions of the next block.
[[nodiscard]] bool is_effective(const Standing& standing, const Now& now);
/// Whether answers are paid to nobody but somebody else, in the next block and as far as is known.
[[nodiscard]] bool is_held_by_another(const Standing& standing, const Now& now);
/// The last moment at which the whole payment comes to this account: the deadline, or the end of its own lock.
[[nodiscard]] std::uint64_t last_moment(const Job& job, const Now& now);

/// Seconds from the start of an answer's proof to its payment, the margin included.
[[nodiscard]] std::uint64_t seconds_needed(const Outlook& outlook, Stage stage, bool is_locking, const Policy& policy,
                                           const Now& now);

}  // namespace avow::provider
