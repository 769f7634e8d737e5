// SPDX-License-Identifier: Apache-2.0
#include "provider/decide.hpp"

#include <algorithm>

#include "provider/pricing.hpp"

namespace avow::provider {
namespace {

using market::Status;

// Runs start so much before the price is right: knowing the answer takes a moment, and a lock is then not late.
constexpr std::uint64_t kSecondsAhead = 5;
// Blocks until a transaction that is sent now is in one.
constexpr std::uint64_t kBlocksOfTransaction = 2;

constexpr Decision wait(const char* reason, std::uint64_t not_before = 0) { return {Do::kWait, reason, not_before}; }

bool is_own(const Standing& standing, const Now& now) { return standing.account == now.account; }

// What the answer is paid with if it is settled or locked at a moment.
chain::U256 price_then(const Job& job, const Now& now, std::uint64_t time) {
  const Standing& standing = job.standing;
  const bool is_fixed = standing.status == Status::kLocked && is_effective(standing, now);
  return is_fixed ? standing.price : market::price_at(job.request.offer, time);
}

// The moment from which on the answer is worth its cost; nothing if it never is.
std::optional<std::uint64_t> worth_when(const Job& job, const Outlook& outlook, const Policy& policy, const Now& now) {
  // What was done already costs nothing any more.
  const std::uint64_t run = job.stage == Stage::kSeen ? outlook.alone.run_millis : 0;
  const std::uint64_t prove = job.stage == Stage::kProven ? 0 : outlook.alone.prove_millis;
  const chain::U256 cost = cost_of({run + prove, outlook.alone.gas}, policy.prices);
  if (job.standing.status != Status::kLocked || !is_effective(job.standing, now)) {
    return worth_from(job.request, cost, outlook.produced, now.fee_basis_points, now.time);
  }
  const chain::U256 price = price_then(job, now, now.time);
  const bool pays = income_of(job.request, price, outlook.produced, now.fee_basis_points) >= cost;
  return pays ? std::optional(now.time) : std::nullopt;
}

// Whether a lock made now would end too early, or the deadline comes before the payment.
enum class Queue : std::uint8_t { kIgnored, kCounted };
bool is_too_late(const Job& job, Outlook outlook, const Policy& policy, const Now& now, Queue queue) {
  if (queue == Queue::kIgnored) outlook.queue_millis = 0;
  const bool locks = outlook.wants_lock && job.standing.status == Status::kOpen;
  const std::uint64_t needed = seconds_needed(outlook, job.stage, locks, policy, now);
  const std::uint64_t inclusion = locks ? kBlocksOfTransaction * now.block_millis / 1000 + 1 : 0;
  if (locks && job.request.offer.lock_duration < needed) return true;
  return job.request.offer.deadline < now.time || job.request.offer.deadline - now.time < needed + inclusion;
}

// What the chain alone decides; nothing if the job may go on.
std::optional<Decision> decide_by_standing(const Job& job, const Outlook& outlook, const Policy& policy,
                                           const Now& now) {
  const Standing& standing = job.standing;
  const std::uint64_t deadline = job.request.offer.deadline;
  switch (standing.status) {
    case Status::kUnknown:
      return now.head_time > deadline ? Decision{Do::kLose, "rolled back"} : wait("unknown");
    case Status::kFulfilled:
      return is_own(standing, now) ? Decision{Do::kPaid} : Decision{Do::kLose, "fulfilled"};
    case Status::kRefunded:
      return Decision{Do::kLose, "refunded"};
    case Status::kCancelling: {
      const bool can_land = job.stage == Stage::kProven && outlook.transactions == 1 && !is_effective(standing, now);
      return can_land && now.time <= deadline ? Decision{Do::kSettle} : Decision{Do::kLose, "cancelled"};
    }
    case Status::kOpen:
    case Status::kLocked:
      break;
  }
  // Until a block is later than the deadline, the payment may be in one that was not read yet.
  if (now.head_time > deadline) return Decision{Do::kLose, "deadline"};
  if (now.time > deadline) return wait("deadline");
  if (standing.status == Status::kOpen || is_own(standing, now)) return std::nullopt;
  const bool can_land = job.stage == Stage::kProven && outlook.transactions == 1 && !is_effective(standing, now);
  if (can_land) return Decision{Do::kSettle};
  if (!policy.rescues) return Decision{Do::kLose, "locked"};
  if (is_held_by_another(standing, now)) {
    return standing.until >= deadline ? Decision{Do::kLose, "locked"} : wait("locked", standing.until + 1);
  }
  return std::nullopt;
}

Decision decide_seen(const Job& job, const Outlook& outlook, const Policy& policy, const Now& now) {
  if (now.block < job.block.number || now.block - job.block.number + 1 < policy.depth) return wait("depth");
  if (is_too_late(job, outlook, policy, now, Queue::kIgnored)) return {Do::kRefuse, "time"};
  if (outlook.wants_lock && job.standing.status == Status::kOpen && job.request.offer.bond > policy.most_bond) {
    return {Do::kRefuse, "bond"};
  }
  const auto when = worth_when(job, outlook, policy, now);
  if (!when) return {Do::kRefuse, "price"};
  if (*when > now.time + kSecondsAhead) return wait("price", *when - kSecondsAhead);
  return {Do::kRun};
}

Decision decide_ran(const Job& job, const Outlook& outlook, const Policy& policy, const Now& now) {
  const bool is_ours = job.standing.status == Status::kLocked && is_own(job.standing, now);
  if (is_ours) return {Do::kProve};
  if (is_too_late(job, outlook, policy, now, Queue::kIgnored)) return {Do::kRefuse, "time"};
  const auto when = worth_when(job, outlook, policy, now);
  if (!when) return {Do::kRefuse, "price"};
  if (*when > now.time) return wait("price", *when);
  if (is_too_late(job, outlook, policy, now, Queue::kCounted)) return wait("queue");
  if (!outlook.wants_lock || job.standing.status != Status::kOpen) return {Do::kProve};
  if (job.request.offer.bond > policy.most_bond) return {Do::kRefuse, "bond"};
  if (job.request.offer.bond > now.free_bond) return wait("funds");
  return {Do::kLock};
}

Decision decide_proven(const Job& job, const Outlook& outlook, const Policy& policy, const Now& now) {
  if (outlook.transactions <= 1 || job.standing.status == Status::kLocked) {
    // Steps show the answer before they are paid: they wait for the lock to hold.
    const bool may_go = outlook.transactions <= 1 || is_effective(job.standing, now);
    return may_go ? Decision{Do::kSettle} : wait("lock");
  }
  if (policy.lock == LockPolicy::kNever) return {Do::kRefuse, "steps"};
  if (is_too_late(job, outlook, policy, now, Queue::kIgnored)) return {Do::kRefuse, "time"};
  if (job.request.offer.bond > policy.most_bond) return {Do::kRefuse, "bond"};
  if (job.request.offer.bond > now.free_bond) return wait("funds");
  return {Do::kLock};
}

}  // namespace

Decision decide(const Job& job, const Outlook& outlook, const Policy& policy, const Now& now) {
  if (is_over(job.stage)) return wait("over");
  if (const auto decided = decide_by_standing(job, outlook, policy, now)) return *decided;
  switch (job.stage) {
    case Stage::kSeen:
      return decide_seen(job, outlook, policy, now);
    case Stage::kRan:
      return decide_ran(job, outlook, policy, now);
    case Stage::kProven:
      return decide_proven(job, outlook, policy, now);
    case Stage::kPaid:
    case Stage::kLost:
    case Stage::kRefused:
      break;
  }
  return wait("over");
}

bool wants_lock(LockPolicy policy, const Estimate& estimate) {
  return policy == LockPolicy::kAlways || (policy == LockPolicy::kWhenNeeded && estimate.transactions > 1);
}

bool is_effective(const Standing& standing, const Now& now) {
  return now.block + 1 >= standing.since_block + now.delay_blocks;
}

bool is_held_by_another(const Standing& standing, const Now& now) {
  return standing.status == Status::kLocked && !is_own(standing, now) && now.time <= standing.until;
}

std::uint64_t last_moment(const Job& job, const Now& now) {
  const bool is_ours = job.standing.status == Status::kLocked && is_own(job.standing, now);
  const std::uint64_t deadline = job.request.offer.deadline;
  return is_ours ? std::min(deadline, job.standing.until) : deadline;
}

std::uint64_t seconds_needed(const Outlook& outlook, Stage stage, bool is_locking, const Policy& policy,
                             const Now& now) {
  const std::uint64_t run = stage == Stage::kSeen ? outlook.estimate.run_millis : 0;
  const std::uint64_t prove = stage == Stage::kProven ? 0 : outlook.estimate.prove_millis;
  const std::uint64_t work = with_margin(outlook.queue_millis + run + prove, policy.time_margin_percent);
  // Steps wait until the lock holds, which the proof's making may already have waited for.
  const bool has_steps = std::max(outlook.transactions, outlook.estimate.transactions) > 1;
  const std::uint64_t delay = is_locking && has_steps ? now.delay_blocks * now.block_millis : 0;
  const std::uint64_t transactions = std::max(outlook.transactions, outlook.estimate.transactions);
  const std::uint64_t sending =
      with_margin(transactions * kBlocksOfTransaction * now.block_millis, policy.time_margin_percent);
  return (std::max(work, delay) + sending) / 1000 + 1;
}

}  // namespace avow::provider
