// SPDX-License-Identifier: Apache-2.0
//
// What to do about each request, and the bonds that it takes.

#include <algorithm>

#include "provider/pricing.hpp"
#include "provider/service.hpp"

namespace avow::provider {
namespace {

// A lock that is not included by then is not wanted any more: the price would not be the one that was decided on.
constexpr std::uint64_t kLockValidSecs = 120;

chain::U256 sum_of(const chain::U256& a, const chain::U256& b) { return add(a, b).value_or(chain::U256::max()); }
chain::U256 rest_of(const chain::U256& a, const chain::U256& b) { return subtract(a, b).value_or(chain::U256()); }

bool may_be_batched(const Job& job, const chain::Address& account) {
  const bool is_early = job.stage == Stage::kSeen || job.stage == Stage::kRan;
  const market::Status status = job.standing.status;
  const bool is_ours = status == market::Status::kLocked && job.standing.account == account;
  return is_early && (status == market::Status::kOpen || is_ours);
}

}  // namespace

Now Service::now() const {
  Now now;
  now.time = std::max(head_.timestamp, wall_time());
  now.head_time = head_.timestamp;
  now.block = head_.ref.number;
  now.block_millis = block_millis_;
  now.delay_blocks = terms_.delay_blocks;
  now.fee_basis_points = terms_.fee_basis_points;
  now.account = key_->address();
  const chain::U256 in_flight = bonds_in_flight();
  const chain::U256 allowed = rest_of(options_.policy.most_bonds, sum_of(bonds_at_risk(), in_flight));
  now.free_bond = std::min(allowed, rest_of(balance_, in_flight));
  return now;
}

// Deposited, as far as is known.
chain::U256 Service::bonds_at_risk() const {
  chain::U256 sum;
  for (const auto& [id, job] : jobs_) {
    const bool is_ours = job.standing.status == market::Status::kLocked && job.standing.account == key_->address();
    if (is_ours) sum = sum_of(sum, job.request.offer.bond);
  }
  return sum;
}

// Of locks that are on their way.
chain::U256 Service::bonds_in_flight() const {
  chain::U256 sum;
  for (const Call* call : outbox_->calls()) {
    if (call->kind != CallKind::kLock) continue;
    const auto job = jobs_.find(call->job);
    if (job == jobs_.end() || job->second.standing.status != market::Status::kOpen) continue;
    sum = sum_of(sum, job->second.request.offer.bond);
  }
  return sum;
}

void Service::update_money() {
  if (has_money_ && money_block_ == head_.ref.number) return;
  const auto balance = market_->balance_of(key_->address());
  if (!balance) return trouble(balance.error());
  const auto allowance = market_->allowance_of(key_->address());
  if (!allowance) return trouble(allowance.error());
  balance_ = balance.value();
  allowance_ = allowance.value();
  money_block_ = head_.ref.number;
  has_money_ = true;
}

// Of what was taken on and has to be in time: what is under way, and what is locked, or is to be, and not proven.
std::uint64_t Service::queue_millis() const {
  std::uint64_t sum = 0;
  if (work_ != nullptr) {
    const auto spent = std::chrono::steady_clock::now() - work_->start;
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(spent).count();
    sum += work_->expected_millis - std::min(work_->expected_millis, static_cast<std::uint64_t>(millis));
  }
  for (const auto& [id, served] : served_) {
    if (served.committed == 0 || served.estimates.is_empty()) continue;
    const std::uint64_t together = std::min<std::uint64_t>(served.committed, options_.policy.most_batch);
    const std::uint64_t proofs = (served.committed + together - 1) / together;
    const std::uint64_t places = places_of(together, served.model.usual.tokens);
    sum += proofs * served.estimates.of(places, together, limits_).prove_millis;
  }
  return sum;
}

// Of each model, what may come into one proof, and what has to be in time.
void Service::count_waiting() {
  for (auto& [id, served] : served_) served.waiting = served.committed = 0;
  for (const auto& [id, job] : jobs_) {
    Served* served = served_of(job.request.model_id);
    if (served == nullptr || !may_be_batched(job, key_->address())) continue;
    ++served->waiting;
    const bool is_ours = job.standing.status == market::Status::kLocked;
    if (job.stage == Stage::kRan && (is_ours || outbox_->lock_of(id) != nullptr)) ++served->committed;
  }
}

Outlook Service::outlook_of(const Job& job) {
  const Served& served = served_.at(job.request.model_id);
  Outlook outlook;
  const unsigned width = served.id_bytes();
  outlook.produced = job.request.max_new_tokens;
  if (job.output) outlook.produced = static_cast<std::uint32_t>(job.output->ids.size() / width);
  const std::uint64_t tokens = job.request.input.size() / width + outlook.produced - 1;
  outlook.alone = served.estimates.of(places_of(1, tokens), 1, limits_);
  outlook.estimate = outlook.alone;
  outlook.wants_lock = wants_lock(options_.policy.lock, outlook.alone);
  const std::uint64_t together = std::min<std::uint64_t>(served.waiting, options_.policy.most_batch);
  if (together > 1 && !alone_.contains(job.id)) {
    outlook.estimate = served.estimates.of(places_of(together, tokens), together, limits_);
    outlook.wants_lock = wants_lock(options_.policy.lock, outlook.estimate);
  }
  if (job.proof) outlook.transactions = outbox_->calls_of(*job.proof).size();
  return outlook;
}

JournalProblem Service::consider() {
  runnable_.clear();
  provable_.clear();
  payable_.clear();
  held_.clear();
  // Of what is not known nothing is decided.
  if (!is_reached_ || head_.timestamp == 0) return std::nullopt;
  update_money();
  count_waiting();
  // Jobs that end leave the list.
  const std::vector<base::Digest> order = order_;
  for (const base::Digest& id : order) {
    const auto job = jobs_.find(id);
    if (job == jobs_.end()) continue;
    if (auto problem = consider(job->second)) return problem;
  }
  for (const std::int64_t proof : payable_) {
    if (held_.contains(proof)) continue;
    if (auto problem = settle(proof)) return problem;
  }
  return std::nullopt;
}

JournalProblem Service::consider(Job& job) {
  const Served* served = served_of(job.request.model_id);
  // A journal may be opened without one of its models: its jobs wait for it, or for their end.
  if (served == nullptr || served->estimates.is_empty()) {
    return head_.timestamp > job.request.offer.deadline ? end(job, Stage::kLost, "deadline") : std::nullopt;
  }
  Outlook outlook = outlook_of(job);
  outlook.queue_millis = queue_millis();
  const Now at = now();
  Decision decision = decide(job, outlook, options_.policy, at);
  const std::string_view why = decision.reason;
  if (decision.what == Do::kRefuse && (why == "time" || why == "bond") && served->waiting > 1) {
    // What cannot wait for others may go alone.
    outlook.estimate = outlook.alone;
    outlook.wants_lock = wants_lock(options_.policy.lock, outlook.alone);
    decision = decide(job, outlook, options_.policy, at);
    if (decision.what != Do::kRefuse) alone_.insert(job.id);
  }
  const bool is_locking = decision.what == Do::kLock || decision.reason == std::string_view("lock") ||
                          decision.reason == std::string_view("funds");
  if (is_locking && job.proof) held_.insert(*job.proof);
  switch (decision.what) {
    case Do::kWait:
      return std::nullopt;
    case Do::kRun:
      runnable_.push_back(job.id);
      return std::nullopt;
    case Do::kProve:
      if (options_.is_dry_run) return say_dry(job, decision);
      provable_.push_back(job.id);
      return std::nullopt;
    case Do::kLock:
      if (options_.is_dry_run) return say_dry(job, decision);
      return lock(job);
    case Do::kSettle:
      if (job.proof) payable_.insert(*job.proof);
      return std::nullopt;
    case Do::kPaid:
      return end(job, Stage::kPaid, decision.reason);
    case Do::kLose:
      return end(job, Stage::kLost, decision.reason);
    case Do::kRefuse:
      return end(job, Stage::kRefused, decision.reason);
  }
  return std::nullopt;
}

JournalProblem Service::say_dry(Job& job, const Decision& decision) {
  const chain::U256 price = market::price_at(job.request.offer, now().time);
  const std::string_view what = decision.what == Do::kLock ? "would lock" : "would answer";
  log_->info("job.dry_run", {{"id", job.id}, {"what", what}, {"price", price}, {"bond", job.request.offer.bond}});
  order_.erase(std::find(order_.begin(), order_.end(), job.id));
  jobs_.erase(base::Digest(job.id));
  return std::nullopt;
}

JournalProblem Service::lock(Job& job) {
  if (is_stopping() || outbox_->lock_of(job.id) != nullptr) return std::nullopt;
  const auto retry = retry_at_.find(job.id);
  if (retry != retry_at_.end() && wall_time() < retry->second) return std::nullopt;
  const chain::U256 needed = sum_of(bonds_in_flight(), job.request.offer.bond);
  if (allowance_ < needed) return approve();
  const std::uint64_t deadline = job.request.offer.deadline;
  const std::uint64_t time = now().time;
  Call call;
  call.kind = CallKind::kLock;
  call.job = job.id;
  call.request = market_->lock(job.request, std::min(deadline, time + kLockValidSecs));
  ++served_of(job.request.model_id)->committed;
  log_->info("job.locking", {{"id", job.id},
                             {"price", market::price_at(job.request.offer, time)},
                             {"bond", job.request.offer.bond},
                             {"deadline", deadline}});
  return outbox_->add({std::move(call)}, std::nullopt);
}

// The market takes bonds from the account; it is allowed to take as many as may be at risk, not more.
JournalProblem Service::approve() {
  const auto calls = outbox_->calls();
  const bool is_under_way =
      std::any_of(calls.begin(), calls.end(), [](const Call* call) { return call->kind == CallKind::kApprove; });
  if (is_under_way || !has_money_) return std::nullopt;
  Call call;
  call.kind = CallKind::kApprove;
  call.request = market_->approve(options_.policy.most_bonds);
  log_->info("account.approving", {{"amount", options_.policy.most_bonds}});
  return outbox_->add({std::move(call)}, std::nullopt);
}

JournalProblem Service::end(Job& job, Stage stage, const char* reason, std::string_view text) {
  job.stage = stage;
  job.reason = reason;
  const bool is_paid = stage == Stage::kPaid, is_lost = stage == Stage::kLost;
  if (auto problem = drop_calls_of(job)) return problem;
  // Said before it is written down: afterwards nobody would say it again.
  const char* code = is_paid ? "job.paid" : is_lost ? "job.lost" : "job.refused";
  log_->info(code, {{"id", job.id}, {"why", is_paid ? "answered" : reason}}, text);
  if (auto problem = journal_->save(job, is_paid ? Step::kPaid : is_lost ? Step::kLost : Step::kRefused))
    return problem;
  ++(is_paid ? metrics_.paid : is_lost ? metrics_.lost : metrics_.refused);
  const base::Digest id = job.id;
  std::erase(order_, id);
  jobs_.erase(id);
  retry_at_.erase(id);
  alone_.erase(id);
  // Nobody waits any more for what is under way.
  if (work_ == nullptr || work_->is_unwanted) return std::nullopt;
  const auto is_wanted = [&](const base::Digest& one) { return jobs_.contains(one); };
  if (std::any_of(work_->jobs.begin(), work_->jobs.end(), is_wanted)) return std::nullopt;
  work_->is_unwanted = true;
  worker_.cancel();
  return std::nullopt;
}

}  // namespace avow::provider
