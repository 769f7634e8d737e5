// SPDX-License-Identifier: Apache-2.0
//
// What the chain says: events become jobs and where they stand.

#include <algorithm>

#include "provider/screen.hpp"
#include "provider/service.hpp"

namespace avow::provider {
namespace {

constexpr int kMostLooks = 64;                    // a round
constexpr std::size_t kMeasuredBlocks = 32;       // that the time between blocks is taken of
constexpr std::uint64_t kLeastBlockMillis = 200;  // of development chains that make blocks as they like
constexpr std::uint64_t kMostBlockMillis = 60'000;

// What a job goes on with that was over in blocks that the chain has left.
Stage stage_again(const Job& job, bool has_proof) {
  if (has_proof) return Stage::kProven;
  return job.output ? Stage::kRan : Stage::kSeen;
}

bool is_open_again(const Job& job, const chain::Address& account) {
  const market::Status status = job.standing.status;
  const bool may_go_on =
      status == market::Status::kOpen || status == market::Status::kLocked || status == market::Status::kUnknown;
  if (job.stage == Stage::kLost) return may_go_on && job.reason != "deadline";
  const bool is_ours = status == market::Status::kFulfilled && job.standing.account == account;
  return job.stage == Stage::kPaid && !is_ours;
}

}  // namespace

JournalProblem Service::watch() {
  if (std::chrono::steady_clock::now() < next_look_) return std::nullopt;
  JournalProblem problem;
  for (int look = 0; look < kMostLooks && !problem && !is_stopping(); ++look) {
    if (!look_once(problem)) break;
  }
  return problem;
}

// Whether there is more to be read at once.
bool Service::look_once(JournalProblem& problem) {
  auto look = watcher_->look();
  if (!look) {
    trouble(look.error());
    return false;
  }
  changed_.clear();
  steps_.clear();
  if (look.value().left_from || look.value().is_lost) {
    const std::uint64_t from = look.value().left_from.value_or(0);
    ++metrics_.reorganisations;
    log_->warning("chain.reorganised", {{"from", from}, {"head", look.value().head.ref.number}});
    if (auto error = refresh(from, problem)) {
      trouble(*error);
      return false;
    }
    if (problem) return false;
    if (look.value().is_lost) {
      const auto start = Watcher::start(market_->chain(), options_.lookback);
      if (!start) {
        trouble(start.error());
        return false;
      }
      watcher_->restart(start.value());
    }
  }
  for (const Sighting& sighting : look.value().sightings) {
    problem = take(sighting);
    if (problem) return false;
  }
  if (look.value().unread > 0) log_->warning("chain.unread", {{"logs", look.value().unread}});
  const chain::BlockRef& newest = watcher_->known().back();
  if (newest != saved_head_ || !changed_.empty()) problem = journal_->save_blocks(watcher_->known(), changed_, steps_);
  if (problem) return false;
  saved_head_ = newest;
  watcher_->accept();
  measure_blocks(look.value().head);
  is_at_head_ = look.value().is_at_head;
  last_good_ = std::chrono::steady_clock::now();
  if (!is_reached_) log_->info("chain.back", {{"block", head_.ref.number}});
  is_reached_ = true;
  backoff_ = std::chrono::milliseconds(0);
  return !is_at_head_;
}

// Said when it begins; each time is counted.
void Service::trouble(const chain::Error& error) {
  ++metrics_.rpc_errors;
  if (is_reached_) log_->warning("chain.trouble", {{"why", name(error.cause)}}, error.text);
  is_reached_ = false;
  backoff_ = std::clamp(2 * backoff_, options_.poll, options_.most_backoff);
  next_look_ = std::chrono::steady_clock::now() + backoff_;
}

void Service::measure_blocks(const chain::Block& head) {
  head_ = head;
  if (options_.block_millis != 0) return;
  if (block_times_.empty() || block_times_.back().first < head.ref.number) {
    block_times_.emplace_back(head.ref.number, head.timestamp);
  }
  if (block_times_.size() > kMeasuredBlocks) block_times_.pop_front();
  const auto& [first, since] = block_times_.front();
  const auto& [last, until] = block_times_.back();
  if (last == first || until < since) return;
  block_millis_ = std::clamp((until - since) * 1000 / (last - first), kLeastBlockMillis, kMostBlockMillis);
}

// What stood in blocks that the chain has left is asked for: whether the request is there at all, and where it stands.
std::optional<chain::Error> Service::refresh(std::uint64_t from, JournalProblem& problem) {
  problem = outbox_->roll_back(from);
  if (problem) return std::nullopt;
  auto jobs = journal_->jobs_since(from);
  if (!jobs) {
    problem = jobs.error();
    return std::nullopt;
  }
  for (Job& job : jobs.value()) {
    if (job.stage == Stage::kRefused) continue;
    const auto state = market_->state_of(job.id);
    if (!state) return state.error();
    job.standing = standing_of(state.value(), job.request.offer);
    if (is_over(job.stage) && !is_open_again(job, key_->address())) continue;
    if (is_over(job.stage)) {
      bool has_proof = false;
      if (job.proof) {
        const auto proof = journal_->proof(*job.proof);
        if (!proof) {
          problem = proof.error();
          return std::nullopt;
        }
        has_proof = proof.value() && !proof.value()->proof.empty();
      }
      // Those that were over before this process started were not counted.
      if (job.stage == Stage::kPaid && metrics_.paid > 0) --metrics_.paid;
      if (job.stage == Stage::kLost && metrics_.lost > 0) --metrics_.lost;
      job.stage = stage_again(job, has_proof);
      if (!has_proof) job.proof.reset();
      job.reason.clear();
      log_->info("job.again", {{"id", job.id}, {"status", name(job.standing.status)}});
    }
    change(job, std::nullopt);
    if (!jobs_.contains(job.id)) order_.push_back(job.id);
    jobs_[job.id] = std::move(job);
  }
  problem = withdraw_unwanted();
  return std::nullopt;
}

void Service::change(const Job& job, std::optional<Step> step) {
  changed_.push_back(job);
  if (step) steps_.push_back(*step);
}

JournalProblem Service::take(const Sighting& sighting) {
  if (const auto* requested = std::get_if<market::Requested>(&sighting.event))
    return take_new(*requested, sighting.log);
  if (const auto* frozen = std::get_if<market::Frozen>(&sighting.event)) {
    Served* served = served_of(frozen->model_id);
    if (served != nullptr && frozen->verifier == market_->address(market::Contract::kAnswerVerifier)) {
      served->is_frozen = true;
      log_->error("model.frozen", {{"model", frozen->model_id}}, "two proofs contradict each other");
    }
    return std::nullopt;
  }
  const base::Digest* id = market::request_id(sighting.event);
  if (id == nullptr) return std::nullopt;
  const auto found = jobs_.find(*id);
  std::optional<Job> over;
  if (found == jobs_.end()) {
    auto stored = journal_->job(*id);
    if (!stored) return stored.error();
    // Not one of ours, or one that is not worked at.
    if (!stored.value() || stored.value()->stage == Stage::kRefused) return std::nullopt;
    over = std::move(stored).value();
  }
  Job& job = over ? *over : found->second;
  count_event(sighting.event, job);
  const auto* fulfilled = std::get_if<market::Fulfilled>(&sighting.event);
  if (fulfilled != nullptr && fulfilled->payee == key_->address() && job.stage == Stage::kLost) {
    job.stage = Stage::kPaid;  // given up too early
    if (metrics_.lost > 0) --metrics_.lost;
    ++metrics_.paid;
  }
  const auto standing = standing_after(sighting.event, sighting.log.block.number);
  // Events that come after the market's own word on a later block are old.
  if (!standing || standing->since_block < job.standing.since_block) return std::nullopt;
  job.standing = *standing;
  change(job, std::nullopt);
  return std::nullopt;
}

void Service::count_event(const market::Event& event, const Job& job) {
  const chain::Address& account = key_->address();
  if (const auto* locked = std::get_if<market::Locked>(&event)) {
    const bool is_ours = locked->locker == account;
    if (is_ours) ++metrics_.locks_won;
    log_->info(is_ours ? "job.locked" : "job.locked_by_another",
               {{"id", job.id}, {"price", locked->price}, {"until", locked->until}});
  } else if (const auto* fulfilled = std::get_if<market::Fulfilled>(&event)) {
    if (fulfilled->payee != account) return;
    const auto income = subtract(fulfilled->payment, fulfilled->fee).value_or(chain::U256());
    metrics_.earnings = add(metrics_.earnings, income).value_or(metrics_.earnings);
    const auto margin = static_cast<std::int64_t>(last_moment(job, now()) - now().time);
    metrics_.last_margin_secs = margin;
    metrics_.least_margin_secs = std::min(margin, metrics_.least_margin_secs.value_or(margin));
    log_->info("job.income", {{"id", job.id}, {"payment", fulfilled->payment}, {"fee", fulfilled->fee}});
  } else if (const auto* slashed = std::get_if<market::BondSlashed>(&event)) {
    if (slashed->locker != account) return;
    ++metrics_.bonds_slashed;
    log_->error("job.slashed", {{"id", job.id}, {"bond", job.request.offer.bond}}, "the answer was late");
  } else if (const auto* skipped = std::get_if<market::ItemSkipped>(&event)) {
    log_->info("job.skipped", {{"id", job.id}, {"why", name(skipped->reason)}});
  }
}

JournalProblem Service::take_new(const market::Requested& requested, const chain::Log& log) {
  Served* served = served_of(requested.request.model_id);
  if (served == nullptr) {
    ++metrics_.skipped;
    log_->debug("job.skipped", {{"id", requested.id}}, "a model that is not served");
    return std::nullopt;
  }
  auto stored = journal_->job(requested.id);
  if (!stored) return stored.error();
  const auto known = jobs_.find(requested.id);
  if (known != jobs_.end() || stored.value()) {
    Job job = known != jobs_.end() ? known->second : *stored.value();
    if (job.stage == Stage::kRefused) return std::nullopt;
    job.block = log.block;
    if (job.standing.status == market::Status::kUnknown) job.standing = *standing_after(requested, log.block.number);
    if (is_over(job.stage) && is_open_again(job, key_->address())) job.stage = stage_again(job, false);
    if (!is_over(job.stage) && known == jobs_.end()) order_.push_back(job.id);
    change(job, std::nullopt);
    if (!is_over(job.stage)) jobs_[job.id] = std::move(job);
    return std::nullopt;
  }
  Job job;
  job.id = requested.id;
  job.request = requested.request;
  job.log = log.body;
  job.block = log.block;
  job.standing = *standing_after(requested, log.block.number);
  std::optional<Refusal> refusal;
  if (market_->id_of(job.request) != job.id) refusal = Refusal{"id", "an event that names another request's id"};
  const chain::Address& verifier = market_->address(market::Contract::kAnswerVerifier);
  if (!refusal) refusal = screen(job.request, job.id, &served->plan(), verifier, options_.policy);
  if (!refusal && served->is_frozen) refusal = Refusal{"frozen", "a model whose proofs contradict each other"};
  if (!refusal) {
    const std::uint64_t tokens = job.request.input.size() / served->id_bytes() + job.request.max_new_tokens - 1;
    const auto memory = check_memory(*served, {1, tokens, job.request.max_new_tokens});
    if (memory) refusal = Refusal{"memory", memory->text};
  }
  if (refusal) {
    job.stage = Stage::kRefused;
    job.reason = refusal->code;
    ++metrics_.refused;
    log_->info("job.refused", {{"id", job.id}, {"why", refusal->code}}, refusal->text);
    change(job, Step::kRefused);
    return std::nullopt;
  }
  log_->info("job.seen", {{"id", job.id},
                          {"block", log.block.number},
                          {"max_price", job.request.offer.max_price},
                          {"tokens", std::uint64_t{job.request.max_new_tokens}}});
  change(job, Step::kSeen);
  order_.push_back(job.id);
  jobs_.emplace(job.id, std::move(job));
  return std::nullopt;
}

}  // namespace avow::provider
