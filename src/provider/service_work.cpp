// SPDX-License-Identifier: Apache-2.0
//
// Running models and proving.

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "provider/service.hpp"

namespace avow::provider {
namespace {

using answer_prover::Cause;
using SteadyClock = std::chrono::steady_clock;

// Blocks that what could be proven waits for others whose locks are on their way.
constexpr std::uint64_t kHoldBlocks = 3;

std::uint64_t millis_since(SteadyClock::time_point start) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - start).count());
}

constexpr const char* kNoMemory = "not enough memory";

// What is read: prompt and answer, but its last token.
compile::Lengths lengths_of_answer(std::uint64_t input, std::uint64_t produced) {
  return {1, input + produced - 1, produced};
}

answer::Request example_request(const compile::Plan& plan, const compile::UsualProof& usual) {
  const std::uint64_t tokens = std::min(usual.tokens, plan.context);
  const std::uint64_t read = std::max<std::uint64_t>(tokens / 2, 1);
  answer::Request request;
  for (std::uint64_t i = 0; i < read; ++i) request.input.push_back(static_cast<std::uint32_t>(i % plan.vocabulary));
  request.max_new_tokens = static_cast<std::uint32_t>(std::max<std::uint64_t>(tokens - read, 1));
  return request;
}

}  // namespace

Service::Served* Service::served_of(const base::Digest& model_id) {
  const auto found = served_.find(model_id);
  return found == served_.end() ? nullptr : &found->second;
}

std::optional<answer_prover::Error> Service::check_memory(const Served& served, const compile::Lengths& lengths) const {
  if (options_.memory_bytes == 0) return std::nullopt;
  return answer_prover::check_memory(*served.model.model, compile::instance_lengths(lengths), options_.memory_bytes);
}

JournalProblem Service::learn(Served& served, const Measure& measure) {
  served.estimates.add(measure);
  return journal_->save(served.key().id(), served.estimates.measures().at(measure.places));
}

// One proof of usual size for each model that the journal has none of: prices and times rest on it.
std::optional<ServiceError> Service::calibrate() {
  for (auto& [id, served] : served_) {
    if (!served.estimates.is_empty()) continue;
    const answer::Request request = example_request(served.plan(), served.model.usual);
    answer_prover::RunOptions run;
    run.cancelled = options_.stop;
    const auto start = SteadyClock::now();
    auto answer = answer_prover::run(served.model.model->integers(), request, run);
    Measure measure;
    measure.run_millis = millis_since(start);
    std::optional<answer_prover::Error> error;
    if (answer) {
      answer::Delivery delivery;
      delivery.answers.push_back(std::move(answer).value());
      answer_prover::ProveOptions prove;
      prove.cancelled = options_.stop;
      prove.memory_bytes = options_.memory_bytes;
      const auto began = SteadyClock::now();
      const auto proven = answer_prover::prove(*served.model.model, std::move(delivery), prove);
      measure.prove_millis = millis_since(began);
      if (proven) measure.bytes = proven.value().file.proof.size();
      if (!proven) error = proven.error();
    } else {
      error = answer.error();
    }
    if (error && is_stopping()) return std::nullopt;
    if (error) return ServiceError{ServiceError::Kind::kModel, served.model.name + ": " + error->text};
    const auto lengths = lengths_of_answer(request.input.size(), request.max_new_tokens);
    measure.places = places_of(lengths);
    if (auto problem = learn(served, measure)) {
      return ServiceError{ServiceError::Kind::kEnvironment, problem->text};
    }
    log_->info("model.calibrated", {{"model", id},
                                    {"run_ms", measure.run_millis},
                                    {"prove_ms", measure.prove_millis},
                                    {"proof_bytes", measure.bytes}});
  }
  return std::nullopt;
}

JournalProblem Service::collect() {
  if (work_ == nullptr || !worker_.is_idle()) return std::nullopt;
  const std::unique_ptr<Work> work = std::move(work_);
  work_.reset();
  return work->is_proof ? collect_proof(*work) : collect_answer(*work);
}

JournalProblem Service::collect_answer(Work& work) {
  metrics_.run_millis += work.millis;
  const auto found = jobs_.find(work.jobs.front());
  if (found == jobs_.end()) return std::nullopt;
  Job& job = found->second;
  if (!*work.answer) {
    const answer_prover::Error& error = work.answer->error();
    if (error.cause == Cause::kCancelled) return std::nullopt;
    return end(job, Stage::kRefused, "run", error.text);
  }
  const answer::Answer& answer = work.answer->value();
  job.output =
      Output{market::encode_ids(answer.output, work.served->id_bytes()), static_cast<std::uint8_t>(answer.end)};
  job.stage = Stage::kRan;
  if (auto problem = journal_->save(job, Step::kRan)) return problem;
  log_->info("job.ran", {{"id", job.id}, {"tokens", std::uint64_t{answer.output.size()}}, {"ms", work.millis}});
  return std::nullopt;
}

JournalProblem Service::collect_proof(Work& work) {
  std::vector<Job*> answered;
  for (const base::Digest& id : work.jobs) {
    const auto found = jobs_.find(id);
    if (found != jobs_.end()) answered.push_back(&found->second);
  }
  metrics_.prove_millis += work.millis;
  if (!*work.proven || answered.empty()) {
    ++metrics_.proofs_abandoned;
    if (*work.proven || work.proven->error().cause == Cause::kCancelled) {
      log_->info("proof.abandoned", {{"answers", std::uint64_t{work.jobs.size()}}, {"ms", work.millis}});
      return std::nullopt;
    }
    const std::string& text = work.proven->error().text;
    log_->error("proof.failed", {{"answers", std::uint64_t{work.jobs.size()}}}, text);
    if (work.jobs.size() == 1) return end(*answered.front(), Stage::kRefused, "prove", text);
    // It may be one of them that cannot be proven.
    alone_.insert(work.jobs.begin(), work.jobs.end());
    return std::nullopt;
  }
  answer_prover::Proven& proven = work.proven->value();
  StoredProof stored;
  stored.model_id = work.served->key().id();
  stored.delivery = std::move(proven.file.delivery);
  stored.proof = std::move(proven.file.proof);
  stored.measure = {work.places, 0, work.millis, stored.proof.size(), 0};
  stored.measure.run_millis = work.served->estimates.of(work.places, work.jobs.size(), limits_).run_millis;
  ++metrics_.proofs;
  metrics_.answers_proven += work.jobs.size();
  if (auto problem = journal_->add_proof(stored, answered)) return problem;
  log_->info("proof.made", {{"proof", static_cast<std::uint64_t>(stored.id)},
                            {"answers", std::uint64_t{work.jobs.size()}},
                            {"bytes", std::uint64_t{stored.proof.size()}},
                            {"ms", work.millis}});
  return learn(*work.served, stored.measure);
}

// Answers first, so that more of them can be proven together; but what makes a whole batch is not kept waiting.
JournalProblem Service::begin_work() {
  if (work_ != nullptr || !is_reached_) return std::nullopt;
  const bool is_full = provable_.size() >= options_.policy.most_batch;
  if (!runnable_.empty() && !is_full) {
    const auto job = jobs_.find(runnable_.front());
    if (job != jobs_.end()) start_run(job->second);
    return std::nullopt;
  }
  if (provable_.empty()) {
    held_since_.reset();
    return std::nullopt;
  }
  const std::vector<Job*> batch = next_batch();
  if (batch.size() < options_.policy.most_batch && !batch.empty()) {
    const auto calls = outbox_->calls();
    const bool others_come = std::any_of(calls.begin(), calls.end(), [&](const Call* call) {
      const auto job = jobs_.find(call->job);
      return call->kind == CallKind::kLock && job != jobs_.end() && job->second.stage == Stage::kRan &&
             job->second.standing.status == market::Status::kOpen &&
             job->second.request.model_id == batch.front()->request.model_id;
    });
    if (others_come && !held_since_) held_since_ = SteadyClock::now();
    if (others_come && millis_since(*held_since_) < kHoldBlocks * block_millis_) return std::nullopt;
  }
  held_since_.reset();
  if (!batch.empty()) start_proof(batch);
  return std::nullopt;
}

void Service::start_run(Job& job) {
  Served& served = *served_of(job.request.model_id);
  auto request = market::asked(job.request, job.id, served.id_bytes());
  if (!request) return;  // screened before
  work_ = std::make_unique<Work>();
  work_->jobs = {job.id};
  work_->served = &served;
  work_->expected_millis = outlook_of(job).alone.run_millis;
  work_->start = SteadyClock::now();
  worker_.start([work = work_.get(), request = std::move(*request)](const std::atomic<bool>& cancelled) {
    answer_prover::RunOptions run;
    run.cancelled = &cancelled;
    try {
      work->answer = answer_prover::run(work->served->model.model->integers(), request, run);
    } catch (const std::bad_alloc&) {
      work->answer = base::Err{answer_prover::Error{Cause::kMemory, kNoMemory}};
    }
    work->millis = millis_since(work->start);
  });
}

// The jobs that are proven together next, oldest first.
std::vector<Job*> Service::next_batch() {
  std::vector<Waiting> waiting;
  const Now at = now();
  for (const base::Digest& id : provable_) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || !found->second.output) continue;
    const Job& job = found->second;
    const unsigned width = served_.at(job.request.model_id).id_bytes();
    const compile::Lengths lengths =
        lengths_of_answer(job.request.input.size() / width, job.output->ids.size() / width);
    const bool is_ours = job.standing.status == market::Status::kLocked && job.standing.account == key_->address();
    // One that could not be proven with others is of a model of its own here.
    base::Digest model_id = job.request.model_id;
    if (alone_.contains(id) && !waiting.empty()) continue;
    if (alone_.contains(id)) model_id = {};
    waiting.push_back({id, model_id, lengths.tokens, lengths.steps, last_moment(job, at), is_ours});
  }
  if (waiting.empty()) return {};
  Served& served = *served_of(jobs_.at(waiting.front().id).request.model_id);
  BatchLimits limits;
  limits.most = options_.policy.most_batch;
  limits.transaction = limits_;
  limits.policy = &options_.policy;
  limits.now = at;
  std::vector<std::size_t> chosen = choose_batch(waiting, served.estimates, limits);
  const auto longest = [&] {
    compile::Lengths lengths{chosen.size(), 1, 1};
    for (const std::size_t place : chosen) {
      lengths.tokens = std::max(lengths.tokens, waiting[place].tokens);
      lengths.steps = std::max(lengths.steps, waiting[place].steps);
    }
    return lengths;
  };
  while (chosen.size() > 1 && check_memory(served, longest())) chosen.resize(chosen.size() / 2);
  std::vector<Job*> batch;
  for (const std::size_t place : chosen) batch.push_back(&jobs_.at(waiting[place].id));
  return batch;
}

void Service::start_proof(const std::vector<Job*>& jobs) {
  Served& served = *served_of(jobs.front()->request.model_id);
  answer::Delivery delivery;
  const base::Digest chain_id = chain::U256(market_->deployment().chain_id).to_bytes();
  delivery.chain_id = chain_id;
  delivery.market = market_->address(market::Contract::kMarket).bytes;
  delivery.payee = key_->address().bytes;
  auto work = std::make_unique<Work>();
  compile::Lengths lengths{jobs.size(), 1, 1};
  for (const Job* job : jobs) {
    auto request = market::asked(job->request, job->id, served.id_bytes());
    auto output = market::decode_ids(job->output->ids, served.id_bytes());
    if (!request || !output) continue;  // the journal's rows were made from what could be read
    const compile::Lengths one = lengths_of_answer(request->input.size(), output->size());
    lengths.tokens = std::max(lengths.tokens, one.tokens);
    lengths.steps = std::max(lengths.steps, one.steps);
    delivery.answers.push_back({std::move(*request),
                                std::move(*output),
                                {},
                                job->output->end == 0 ? answer::End::kLength : answer::End::kStop});
    work->jobs.push_back(job->id);
  }
  if (delivery.answers.empty()) return;
  work->is_proof = true;
  work->served = &served;
  work->places = places_of(lengths);
  work->expected_millis = served.estimates.of(work->places, work->jobs.size(), limits_).prove_millis;
  work->start = SteadyClock::now();
  work_ = std::move(work);
  log_->info("proof.started",
             {{"answers", std::uint64_t{work_->jobs.size()}}, {"expected_ms", work_->expected_millis}});
  worker_.start([work = work_.get(), delivery = std::move(delivery),
                 memory = options_.memory_bytes](const std::atomic<bool>& cancelled) mutable {
    answer_prover::ProveOptions prove;
    prove.cancelled = &cancelled;
    prove.memory_bytes = memory;
    try {
      work->proven = answer_prover::prove(*work->served->model.model, std::move(delivery), prove);
    } catch (const std::bad_alloc&) {
      work->proven = base::Err{answer_prover::Error{Cause::kMemory, kNoMemory}};
    }
    work->millis = millis_since(work->start);
  });
}

}  // namespace avow::provider
