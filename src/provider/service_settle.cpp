// SPDX-License-Identifier: Apache-2.0
//
// From proofs to payments.

#include <algorithm>

#include "provider/service.hpp"

namespace avow::provider {
namespace {

constexpr unsigned kMostPlans = 3;
constexpr std::uint64_t kRetrySecs = 10;
// Proofs whose steps are under way at a time have lanes of their own; lanes are used again, as new storage costs more.
constexpr std::int64_t kLanes = 64;

bool is_refused(const chain::Error& error) {
  return error.cause == chain::Cause::kReverted || error.cause == chain::Cause::kTooManyBytes ||
         error.cause == chain::Cause::kTooMuchGas || error.cause == chain::Cause::kFailed;
}

}  // namespace

std::vector<Job*> Service::jobs_of(std::int64_t proof) {
  std::vector<Job*> all;
  for (auto& [id, job] : jobs_) {
    if (job.proof == proof) all.push_back(&job);
  }
  return all;
}

// All that wait for the proof may be settled.
JournalProblem Service::settle(std::int64_t proof) {
  const auto calls = outbox_->calls_of(proof);
  if (calls.empty()) return plan(proof);
  const bool is_done =
      std::all_of(calls.begin(), calls.end(), [](const Call* call) { return call->state == CallState::kIncluded; });
  if (!is_done) {
    outbox_->release(proof);
    return std::nullopt;
  }
  // Everything is in blocks that were read, and somebody was left out.
  const auto last = std::max_element(calls.begin(), calls.end(),
                                     [](const Call* a, const Call* b) { return a->block.number < b->block.number; });
  if ((*last)->block.number >= head_.ref.number) return std::nullopt;
  return plan_failed(proof, {chain::Cause::kFailed, "the payment has left out an answer"});
}

std::optional<market::DeliveredAnswers> Service::delivered(const StoredProof& proof) {
  const Served* served = served_of(proof.model_id);
  if (served == nullptr) return std::nullopt;
  auto delivery = answer::parse(proof.delivery, served->id_bytes());
  if (!delivery) return std::nullopt;
  market::DeliveredAnswers answers;
  answers.verifier = market_->address(market::Contract::kAnswerVerifier);
  for (const answer::Answer& answer : delivery.value().answers) {
    const auto job = jobs_.find(answer.request.id);
    if (job != jobs_.end()) {
      answers.requests.push_back(job->second.request);
      continue;
    }
    // Over already, but part of what is proven.
    const auto stored = journal_->job(answer.request.id);
    if (!stored || !stored.value()) return std::nullopt;
    answers.requests.push_back(stored.value()->request);
  }
  answers.delivery = std::move(delivery).value();
  return answers;
}

JournalProblem Service::plan(std::int64_t proof) {
  const auto retry = plan_retry_.find(proof);
  if (retry != plan_retry_.end() && wall_time() < retry->second) return std::nullopt;
  const auto stored = journal_->proof(proof);
  if (!stored) return stored.error();
  const auto answers = stored.value() ? delivered(*stored.value()) : std::nullopt;
  if (!answers) return JournalError{JournalCause::kCorrupt, "a proof in the journal is none of its jobs"};
  market::SettlementOptions options;
  options.sender = key_->address();
  options.lane = static_cast<std::uint64_t>(proof % kLanes);
  options.is_batch = answers->requests.size() > 1;
  const answer::ModelKey& key = served_of(stored.value()->model_id)->key();
  const auto planned = market::plan_settlement(*market_, key, *answers, stored.value()->proof, profile_, options);
  if (!planned) {
    if (is_refused(planned.error())) return plan_failed(proof, planned.error());
    trouble(planned.error());
    return std::nullopt;
  }
  std::vector<Call> calls;
  for (const chain::CallRequest& request : planned.value()) {
    Call call;
    call.kind = CallKind::kSettle;
    call.proof = proof;
    call.number = calls.size();
    call.request = request;
    calls.push_back(std::move(call));
  }
  log_->info("proof.planned",
             {{"proof", static_cast<std::uint64_t>(proof)}, {"transactions", std::uint64_t{calls.size()}}});
  if (auto problem = outbox_->add(std::move(calls), Step::kPlanned)) return problem;
  worker_.wake();  // what is to be sent need not wait for the next look
  return std::nullopt;
}

// The chain refuses the payment now. What stands there may be about to be read: it is tried again, but not for ever.
JournalProblem Service::plan_failed(std::int64_t proof, const chain::Error& error) {
  log_->warning("proof.refused", {{"proof", static_cast<std::uint64_t>(proof)}, {"why", name(error.cause)}},
                error.text);
  if (auto problem = outbox_->give_up(proof)) return problem;
  plan_retry_[proof] = wall_time() + kRetrySecs;
  // What was only simulated cost nothing: with a bond at stake it is tried until the deadline, as the node may be ill.
  const std::vector<Job*> waiting = jobs_of(proof);
  const bool has_bond = std::any_of(waiting.begin(), waiting.end(), [&](const Job* job) {
    return job->standing.status == market::Status::kLocked && job->standing.account == key_->address();
  });
  if (has_bond && error.cause != chain::Cause::kFailed) return std::nullopt;
  if (++plan_failures_[proof] < kMostPlans) return std::nullopt;
  for (Job* job : jobs_of(proof)) {
    if (auto problem = end(*job, Stage::kRefused, "settle", error.text)) return problem;
  }
  plan_failures_.erase(proof);
  plan_retry_.erase(proof);
  return std::nullopt;
}

JournalProblem Service::poll_outbox() {
  if (!is_reached_ || options_.is_dry_run) return std::nullopt;
  const auto outcomes = outbox_->poll(wall_time());
  if (!outcomes) return outcomes.error();
  for (const CallOutcome& outcome : outcomes.value()) {
    if (auto problem = take_outcome(outcome)) return problem;
  }
  return std::nullopt;
}

JournalProblem Service::take_outcome(const CallOutcome& outcome) {
  const Call& call = outcome.call;
  has_money_ = false;
  if (call.kind == CallKind::kApprove) {
    outbox_->forget(call.id);
    return std::nullopt;
  }
  if (call.kind == CallKind::kLock) {
    if (outcome.receipt) {
      if (!jobs_.contains(call.job)) outbox_->forget(call.id);
      return std::nullopt;  // its event says the rest
    }
    ++metrics_.locks_lost;
    retry_at_[call.job] = wall_time() + kRetrySecs;
    log_->info("job.lock_lost", {{"id", call.job}, {"why", name(outcome.error->cause)}}, outcome.error->text);
    return std::nullopt;
  }
  if (!call.proof) return std::nullopt;
  if (outcome.error) return plan_failed(*call.proof, *outcome.error);
  const auto calls = outbox_->calls_of(*call.proof);
  std::uint64_t gas = 0;
  for (const Call* one : calls) {
    if (one->state != CallState::kIncluded) return std::nullopt;
    gas += one->gas_used;
  }
  std::vector<std::int64_t> ids;
  for (const Call* one : calls) ids.push_back(one->id);
  if (jobs_of(*call.proof).empty()) {
    for (const std::int64_t id : ids) outbox_->forget(id);
  }
  const auto stored = journal_->proof(*call.proof);
  if (!stored) return stored.error();
  Served* served = stored.value() ? served_of(stored.value()->model_id) : nullptr;
  if (served == nullptr) return std::nullopt;
  Measure measure = stored.value()->measure;
  measure.gas = gas;
  if (measure.bytes == 0) return std::nullopt;
  return learn(*served, measure);
}

// What nobody waits for any more is not sent, unless others wait for the same proof. What has paid the answer may still
// wait for its confirmations.
JournalProblem Service::drop_calls_of(const Job& job) {
  std::vector<std::int64_t> unwanted, included;
  const auto sort = [&](const Call& call) {
    if (call.state == CallState::kIncluded)
      included.push_back(call.id);
    else if (call.state == CallState::kPlanned || job.stage != Stage::kPaid)
      unwanted.push_back(call.id);
  };
  if (const Call* lock = outbox_->lock_of(job.id)) sort(*lock);
  if (job.proof && jobs_of(*job.proof).size() <= 1) {
    for (const Call* call : outbox_->calls_of(*job.proof)) sort(*call);
  }
  for (const std::int64_t id : unwanted) {
    if (auto problem = outbox_->withdraw(id)) return problem;
  }
  for (const std::int64_t id : included) outbox_->forget(id);
  return std::nullopt;
}

// The requests that a call is for; none if that is not known any more.
JournalResult<std::vector<base::Digest>> Service::requests_of(const Call& call) {
  if (call.kind == CallKind::kLock) return std::vector{call.job};
  std::vector<base::Digest> ids;
  if (!call.proof) return ids;
  const auto stored = journal_->proof(*call.proof);
  if (!stored) return base::Err{stored.error()};
  const Served* served = stored.value() ? served_of(stored.value()->model_id) : nullptr;
  if (served == nullptr) return ids;
  const auto delivery = answer::parse(stored.value()->delivery, served->id_bytes());
  if (!delivery) return ids;
  for (const answer::Answer& answer : delivery.value().answers) ids.push_back(answer.request.id);
  return ids;
}

// The outbox knows from the journal what is on its way, not whether it is wanted.
JournalProblem Service::withdraw_unwanted() {
  std::vector<std::int64_t> unwanted;
  for (const Call* call : outbox_->calls()) {
    if (call->state == CallState::kIncluded) continue;
    const auto ids = requests_of(*call);
    if (!ids) return ids.error();
    bool is_wanted = ids.value().empty();
    for (const base::Digest& id : ids.value()) {
      const auto job = journal_->job(id);
      if (!job) return job.error();
      is_wanted = is_wanted || jobs_.contains(id) || !job.value() || job.value()->stage == Stage::kPaid;
    }
    if (!is_wanted) unwanted.push_back(call->id);
  }
  for (const std::int64_t id : unwanted) {
    if (auto problem = outbox_->withdraw(id)) return problem;
  }
  return std::nullopt;
}

}  // namespace avow::provider
