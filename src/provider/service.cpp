// SPDX-License-Identifier: Apache-2.0
#include "provider/service.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hex.hpp"

namespace avow::provider {
namespace {

using Kind = ServiceError::Kind;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kHistory = 1'000;  // blocks for which what is over is kept whole

ServiceError error_from(const JournalError& error) {
  return {Kind::kEnvironment, fmt::format("{}: {}", name(error.cause), error.text)};
}
ServiceError error_from(const chain::Error& error) { return {Kind::kEnvironment, to_string(error)}; }

// What a transaction of this chain has place for besides calldata: its own fields, and a margin for gas.
TransactionLimits limits_of(const chain::ChainProfile& profile) {
  constexpr std::uint64_t kEnvelopeBytes = 300;
  return {profile.most_bytes - kEnvelopeBytes, profile.most_gas / 100 * 95};
}

}  // namespace

Service::Service(market::MarketClient& market, const chain::PrivateKey& key, const chain::ChainProfile& profile,
                 ServiceOptions options, const Log& log, Monitor* monitor)
    : market_(&market),
      key_(&key),
      profile_(profile),
      options_(std::move(options)),
      log_(&log),
      monitor_(monitor),
      limits_(limits_of(profile)),
      last_good_(Clock::now()),
      next_look_(Clock::now()) {}

Service::~Service() = default;

base::Result<std::unique_ptr<Service>, ServiceError> Service::create(
    market::MarketClient& market, const chain::PrivateKey& key, const chain::ChainProfile& profile,
    std::vector<ServedModel> models, ServiceOptions options, const Log& log, Monitor* monitor) {
  if (options.is_dry_run) options.journal = ":memory:";
  std::unique_ptr<Service> service(new Service(market, key, profile, std::move(options), log, monitor));
  if (auto error = service->start(std::move(models))) return base::Err{std::move(*error)};
  return service;
}

std::optional<ServiceError> Service::start(std::vector<ServedModel> models) {
  // Whoever worked for a verifier that accepts other things would not be paid.
  if (auto error = market::check_deployment(market_->chain(), market_->deployment())) {
    const bool is_other = error->cause == chain::Cause::kReply;
    return ServiceError{is_other ? Kind::kModel : Kind::kEnvironment, to_string(*error)};
  }
  const auto terms = market_->terms();
  if (!terms) return error_from(terms.error());
  terms_ = terms.value();
  // No market was deployed with others, whatever a node says.
  if (terms_.fee_basis_points > 10'000 || terms_.delay_blocks == 0 || terms_.delay_blocks > 1'000) {
    return ServiceError{Kind::kModel, "the node names terms of the market that no market has"};
  }
  if (auto error = check_models(std::move(models))) return error;
  return read_journal();
}

std::optional<ServiceError> Service::check_models(std::vector<ServedModel> models) {
  for (ServedModel& model : models) {
    const base::Digest& id = model.model->key().id();
    const auto registered = market_->model_of(id);
    if (!registered) return error_from(registered.error());
    if (!registered.value()) {
      return ServiceError{Kind::kModel, fmt::format("{}: no model of the id {} is registered on this chain; register "
                                                    "it, or serve it at the level that it was registered with",
                                                    model.name, base::to_hex(id))};
    }
    const auto frozen = market_->is_frozen(market_->address(market::Contract::kAnswerVerifier), id);
    if (!frozen) return error_from(frozen.error());
    if (frozen.value()) {
      return ServiceError{Kind::kModel, fmt::format("{}: proofs of it contradicted each other on this chain, where "
                                                    "nothing about it is paid any more",
                                                    model.name)};
    }
    log_->info("model.served", {{"model", id}, {"name", model.name}});
    served_[id].model = std::move(model);
  }
  return std::nullopt;
}

std::optional<ServiceError> Service::read_journal() {
  const Identity identity{market_->deployment().chain_id, market_->address(market::Contract::kMarket), key_->address()};
  auto journal = Journal::open(options_.journal, identity, options_.on_step);
  if (!journal) return error_from(journal.error());
  journal_ = std::move(journal).value();
  auto jobs = journal_->jobs();
  if (!jobs) return error_from(jobs.error());
  for (Job& job : jobs.value()) {
    order_.push_back(job.id);
    jobs_.emplace(job.id, std::move(job));
  }
  for (auto& [id, served] : served_) {
    const auto measures = journal_->measures(id);
    if (!measures) return error_from(measures.error());
    for (const Measure& measure : measures.value()) served.estimates.add(measure);
  }
  outbox_.emplace(*journal_, market_->chain(), *key_, profile_, options_.outbox, *log_, metrics_);
  if (auto problem = outbox_->load()) return error_from(*problem);
  if (auto problem = withdraw_unwanted()) return error_from(*problem);
  auto blocks = journal_->blocks();
  if (!blocks) return error_from(blocks.error());
  if (blocks.value().empty()) {
    const auto first = Watcher::start(market_->chain(), options_.lookback);
    if (!first) return error_from(first.error());
    blocks.value().push_back(first.value());
  }
  watcher_.emplace(market_->chain(), market_->deployment(), blocks.value());
  if (options_.block_millis != 0) block_millis_ = options_.block_millis;
  log_->info("service.start", {{"account", to_string(key_->address())},
                               {"chain", identity.chain_id},
                               {"market", to_string(identity.market)},
                               {"journal", options_.journal},
                               {"block", blocks.value().back().number},
                               {"jobs", std::uint64_t{jobs_.size()}}});
  return std::nullopt;
}

std::uint64_t Service::wall_time() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

std::optional<ServiceError> Service::run() {
  if (auto error = calibrate()) return error;
  bool is_ready = false;
  while (!is_stopping()) {
    if (auto error = round()) return error;
    if (is_stopping()) break;
    if (!is_ready && is_at_head_) log_->info("service.ready", {{"block", head_.ref.number}});
    is_ready = is_ready || is_at_head_;
    worker_.wait(is_at_head_ || !is_reached_ ? options_.poll : std::chrono::milliseconds(1));
  }
  log_->info("service.stopping", {{"jobs", std::uint64_t{jobs_.size()}}});
  if (auto error = wait_for_end()) return error;
  log_->info("service.stopped", {{"jobs", std::uint64_t{jobs_.size()}}});
  return std::nullopt;
}

std::optional<ServiceError> Service::round() {
  JournalProblem problem = watch();
  if (!problem) problem = collect();
  if (!problem) problem = consider();
  if (!problem) problem = poll_outbox();
  if (!problem) problem = forget_old();
  if (!problem && !is_stopping()) problem = begin_work();
  publish();
  if (!problem) return std::nullopt;
  worker_.cancel();
  log_->error("service.journal", {{"why", name(problem->cause)}}, problem->text);
  return error_from(*problem);
}

JournalProblem Service::forget_old() {
  const std::uint64_t number = head_.ref.number;
  if (number < forgot_at_ + kHistory) return std::nullopt;
  forgot_at_ = number;
  return journal_->forget(number - kHistory);
}

// A proof that is nearly done is not thrown away.
std::optional<ServiceError> Service::wait_for_end() {
  constexpr std::chrono::milliseconds kLook{100};
  while (work_ != nullptr && !worker_.is_idle()) {
    const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - work_->start).count();
    const std::uint64_t done = static_cast<std::uint64_t>(spent);
    const std::uint64_t left = work_->expected_millis - std::min(done, work_->expected_millis);
    const bool is_long =
        left > options_.finish_secs * 1000 || done > work_->expected_millis + options_.finish_secs * 1000;
    if (is_long || !work_->is_proof) worker_.cancel();
    worker_.wait(kLook);
  }
  if (auto problem = collect()) return error_from(*problem);
  return std::nullopt;
}

void Service::publish() {
  metrics_.jobs_by_stage.fill(0);
  for (const auto& [id, job] : jobs_) ++metrics_.jobs_by_stage[static_cast<std::size_t>(job.stage)];
  metrics_.jobs_by_stage[static_cast<std::size_t>(Stage::kPaid)] = metrics_.paid;
  metrics_.jobs_by_stage[static_cast<std::size_t>(Stage::kLost)] = metrics_.lost;
  metrics_.jobs_by_stage[static_cast<std::size_t>(Stage::kRefused)] = metrics_.refused;
  metrics_.bond_at_risk = bonds_at_risk();
  metrics_.head_block = head_.ref.number;
  metrics_.head_time = head_.timestamp;
  metrics_.is_working = work_ != nullptr;
  if (monitor_ == nullptr) return;
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - last_good_).count();
  std::string problem;
  if (static_cast<std::uint64_t>(age) > options_.health_secs) {
    problem = fmt::format("the chain was not read for {} s", age);
  }
  const auto poll = static_cast<std::uint64_t>(options_.poll.count());
  monitor_->tell(to_text(metrics_), std::move(problem), options_.health_secs * 1000 + poll);
}

}  // namespace avow::provider
