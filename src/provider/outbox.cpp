// SPDX-License-Identifier: Apache-2.0
#include "provider/outbox.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"

namespace avow::provider {
namespace {

constexpr std::array kSentSteps = {Step::kApproveSent, Step::kLockSent, Step::kSettleSent};
constexpr std::array kIncludedSteps = {Step::kApproveIncluded, Step::kLockIncluded, Step::kSettleIncluded};
constexpr std::array kKindNames = {"approve", "lock", "settle"};

std::size_t place_of(CallKind kind) { return static_cast<std::size_t>(kind); }

bool is_waiting(CallState state) { return state == CallState::kPrepared || state == CallState::kSent; }

// The receipt is asked for once each time: who waits is the service, which has other things to do meanwhile.
chain::SendPolicy without_patience(chain::SendPolicy policy) {
  policy.patience = std::chrono::milliseconds(0);
  return policy;
}

// Whether the contract or the chain's limits refuse the call, so that asking again would not help.
bool is_refusal(const chain::Error& error) {
  return error.cause == chain::Cause::kReverted || error.cause == chain::Cause::kTooManyBytes ||
         error.cause == chain::Cause::kTooMuchGas;
}

}  // namespace

Outbox::Outbox(Journal& journal, chain::Client& client, const chain::PrivateKey& key,
               const chain::ChainProfile& profile, const OutboxSettings& settings, const Log& log, Metrics& metrics)
    : journal_(&journal),
      sender_(client, key, profile, without_patience(settings.send)),
      settings_(settings),
      log_(&log),
      metrics_(&metrics) {}

JournalProblem Outbox::load() {
  auto calls = journal_->calls();
  if (!calls) return calls.error();
  for (Call& call : calls.value()) {
    Entry entry{std::move(call), {}, 0};
    for (const base::Bytes& bytes : entry.call.candidates) {
      auto parsed = chain::parse_transaction(bytes);
      if (!parsed || parsed.value().sender != sender_.address()) {
        return JournalError{JournalCause::kCorrupt, "a transaction in the journal is none of this account"};
      }
      entry.candidates.push_back(std::move(parsed).value());
    }
    if (is_waiting(entry.call.state) && entry.candidates.empty()) {
      return JournalError{JournalCause::kCorrupt, "a call in the journal was sent, but not signed"};
    }
    // Whether it was sent is not known: it is, now, so that nothing else gets its nonce.
    if (is_waiting(entry.call.state)) entry.call.state = CallState::kPrepared;
    entries_.push_back(std::move(entry));
  }
  return std::nullopt;
}

JournalProblem Outbox::add(std::vector<Call> calls, std::optional<Step> step) {
  if (auto problem = journal_->add_calls(calls, step)) return problem;
  for (Call& call : calls) entries_.push_back({std::move(call), {}, 0});
  return std::nullopt;
}

JournalProblem Outbox::withdraw(std::int64_t id) {
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return one.call.id == id; });
  if (entry == entries_.end()) return std::nullopt;
  entry->is_unwanted = is_waiting(entry->call.state);
  if (entry->call.state != CallState::kPlanned) return std::nullopt;
  entry->call.state = CallState::kOver;
  auto problem = journal_->save(entry->call, std::nullopt);
  if (!problem) entries_.erase(entry);
  return problem;
}

void Outbox::forget(std::int64_t id) {
  std::erase_if(entries_,
                [&](const Entry& entry) { return entry.call.id == id && entry.call.state == CallState::kIncluded; });
}

JournalProblem Outbox::give_up(std::int64_t proof) {
  for (Entry& entry : entries_) {
    if (entry.call.kind != CallKind::kSettle || entry.call.proof != proof || is_waiting(entry.call.state)) continue;
    entry.call.state = CallState::kOver;
    if (auto problem = journal_->save(entry.call, std::nullopt)) return problem;
  }
  std::erase_if(entries_, [](const Entry& entry) { return entry.call.state == CallState::kOver; });
  return std::nullopt;
}

JournalProblem Outbox::roll_back(std::uint64_t first) {
  entries_.clear();
  if (auto problem = load()) return problem;
  for (Entry& entry : entries_) {
    if (entry.call.state != CallState::kIncluded || entry.call.block.number < first) continue;
    entry.call.state = CallState::kPrepared;
    if (auto problem = journal_->save(entry.call, std::nullopt)) return problem;
  }
  return std::nullopt;
}

std::vector<const Call*> Outbox::calls() const {
  std::vector<const Call*> all;
  for (const Entry& entry : entries_) all.push_back(&entry.call);
  return all;
}

const Call* Outbox::lock_of(const base::Digest& job) const {
  for (const Entry& entry : entries_) {
    if (entry.call.kind == CallKind::kLock && entry.call.job == job) return &entry.call;
  }
  return nullptr;
}

std::vector<const Call*> Outbox::calls_of(std::int64_t proof) const {
  std::vector<const Call*> all;
  for (const Entry& entry : entries_) {
    if (entry.call.kind == CallKind::kSettle && entry.call.proof == proof) all.push_back(&entry.call);
  }
  return all;
}

std::size_t Outbox::waiting() const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) { return is_waiting(entry.call.state); }));
}

// A step is simulated on what the one before it has left.
bool Outbox::may_go(const Call& call) const {
  if (call.state != CallState::kPlanned || waiting() >= settings_.most_waiting) return false;
  if (call.kind != CallKind::kSettle) return true;
  if (std::find(released_.begin(), released_.end(), call.proof) == released_.end()) return false;
  return std::all_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    const bool is_before =
        entry.call.kind == CallKind::kSettle && entry.call.proof == call.proof && entry.call.number < call.number;
    return !is_before || entry.call.state == CallState::kIncluded;
  });
}

JournalResult<std::vector<CallOutcome>> Outbox::poll(std::uint64_t time) {
  std::vector<CallOutcome> outcomes;
  // First what may have been signed by a process that died: nothing else gets its nonce then.
  for (Entry& entry : entries_) {
    if (entry.call.state != CallState::kPrepared) continue;
    const auto is_withdrawn = withdraw(entry, time);
    if (!is_withdrawn) return base::Err{is_withdrawn.error()};
    if (is_withdrawn.value()) continue;
    if (auto problem = send_prepared(entry, time)) return base::Err{std::move(*problem)};
  }
  for (Entry& entry : entries_) {
    if (entry.call.state != CallState::kSent) continue;
    if (auto problem = look_at_sent(entry, time, outcomes)) return base::Err{std::move(*problem)};
  }
  for (Entry& entry : entries_) {
    if (!may_go(entry.call)) continue;
    if (auto problem = prepare(entry, time, outcomes)) return base::Err{std::move(*problem)};
  }
  std::erase_if(entries_,
                [](const Entry& entry) { return entry.call.state == CallState::kOver || entry.is_withdrawn; });
  released_.clear();
  return outcomes;
}

// Whatever a node says to it, it may be on its way: what becomes of it is asked for from now on.
JournalProblem Outbox::send_prepared(Entry& entry, std::uint64_t time) {
  if (const auto error = sender_.send(entry.candidates.back())) note(entry.call, *error);
  ++metrics_->transactions_sent;
  entry.call.state = CallState::kSent;
  entry.call.sent_at = time;
  const Step step = kSentSteps.at(place_of(entry.call.kind));
  if (auto problem = journal_->save(entry.call, step)) return problem;
  log_->info("transaction.sent", {{"call", kKindNames.at(place_of(entry.call.kind))},
                                  {"hash", entry.candidates.back().hash},
                                  {"nonce", entry.candidates.back().transaction.nonce}});
  return std::nullopt;
}

JournalProblem Outbox::look_at_sent(Entry& entry, std::uint64_t time, std::vector<CallOutcome>& outcomes) {
  const auto receipt = sender_.wait(entry.candidates);
  if (receipt) return settle(entry, receipt.value(), outcomes);
  const chain::Error& error = receipt.error();
  if (error.cause == chain::Cause::kFailed) {
    ++metrics_->transactions_failed;
    return end(entry, error, outcomes);
  }
  if (error.cause != chain::Cause::kNonceUsed) return wait_on(entry, time);
  // Not by this process: the call was not made, and is made anew.
  note(entry.call, error);
  entry.call.state = entry.is_unwanted ? CallState::kOver : CallState::kPlanned;
  entry.call.candidates.clear();
  entry.candidates.clear();
  return journal_->save(entry.call, std::nullopt);
}

JournalProblem Outbox::settle(Entry& entry, const chain::Receipt& receipt, std::vector<CallOutcome>& outcomes) {
  entry.call.state = CallState::kIncluded;
  entry.call.block = receipt.block;
  entry.call.gas_used = receipt.gas_used;
  metrics_->gas_used += receipt.gas_used;
  const auto wei = multiply(receipt.gas_price, receipt.gas_used);
  if (wei) metrics_->wei_spent = chain::add(metrics_->wei_spent, *wei).value_or(metrics_->wei_spent);
  for (const chain::SignedTransaction& candidate : entry.candidates) {
    entry.is_withdrawn =
        entry.is_withdrawn || (candidate.hash == receipt.transaction && chain::Sender::is_withdrawal(candidate));
  }
  if (entry.is_withdrawn) return journal_->save(entry.call, std::nullopt);
  if (auto problem = journal_->save(entry.call, kIncludedSteps.at(place_of(entry.call.kind)))) return problem;
  log_->info("transaction.included", {{"call", kKindNames.at(place_of(entry.call.kind))},
                                      {"hash", receipt.transaction},
                                      {"block", receipt.block.number},
                                      {"gas_used", receipt.gas_used}});
  outcomes.push_back({entry.call, receipt});
  return std::nullopt;
}

// Whether it is withdrawn now. If not, the call goes on its way, as its nonce has to be used by something.
JournalResult<bool> Outbox::withdraw(Entry& entry, std::uint64_t time) {
  if (!entry.is_unwanted || chain::Sender::is_withdrawal(entry.candidates.back())) return false;
  if (sender_.is_in_block(entry.candidates)) return false;
  auto made = sender_.prepare_withdrawal(entry.candidates);
  if (!made) {
    note(entry.call, made.error());
    return false;
  }
  log_->info("transaction.withdrawn",
             {{"call", kKindNames.at(place_of(entry.call.kind))}, {"hash", entry.candidates.back().hash}});
  if (auto problem = add_candidate(entry, std::move(made).value(), time)) return base::Err{std::move(*problem)};
  return true;
}

// Written down before it is sent.
JournalProblem Outbox::add_candidate(Entry& entry, chain::SignedTransaction candidate, std::uint64_t time) {
  entry.call.candidates.push_back(candidate.bytes);
  entry.call.state = CallState::kPrepared;
  if (auto problem = journal_->add_candidate(entry.call)) return problem;
  entry.candidates.push_back(std::move(candidate));
  return send_prepared(entry, time);
}

// Without its confirmations: if it is in no block, it is sent again, with higher fees if it has waited for long.
JournalProblem Outbox::wait_on(Entry& entry, std::uint64_t time) {
  const auto is_withdrawn = withdraw(entry, time);
  if (!is_withdrawn) return is_withdrawn.error();
  if (is_withdrawn.value()) return std::nullopt;
  const std::uint64_t waited = time - std::min(time, entry.call.sent_at);
  if (waited < settings_.resend_secs || sender_.is_in_block(entry.candidates)) return std::nullopt;
  if (waited >= settings_.stuck_secs) {
    auto raised = sender_.prepare_replacement(entry.candidates);
    if (raised) {
      ++metrics_->transactions_replaced;
      log_->warning("transaction.replaced",
                    {{"call", kKindNames.at(place_of(entry.call.kind))}, {"hash", raised.value().hash}});
      return add_candidate(entry, std::move(raised).value(), time);
    }
    note(entry.call, raised.error());
  }
  if (time - std::min(time, entry.resent_at) < settings_.resend_secs) return std::nullopt;
  entry.resent_at = time;
  if (const auto error = sender_.send(entry.candidates.back())) note(entry.call, *error);
  return std::nullopt;
}

JournalProblem Outbox::prepare(Entry& entry, std::uint64_t time, std::vector<CallOutcome>& outcomes) {
  auto made = sender_.prepare(entry.call.request);
  if (!made && is_refusal(made.error())) return end(entry, made.error(), outcomes);
  if (!made) {
    note(entry.call, made.error());
    return std::nullopt;
  }
  last_trouble_.clear();
  return add_candidate(entry, std::move(made).value(), time);
}

JournalProblem Outbox::end(Entry& entry, chain::Error error, std::vector<CallOutcome>& outcomes) {
  log_->warning("transaction.failed", {{"call", kKindNames.at(place_of(entry.call.kind))}, {"why", name(error.cause)}},
                error.text);
  entry.call.state = CallState::kOver;
  outcomes.push_back({entry.call, std::nullopt, std::move(error)});
  return journal_->save(entry.call, std::nullopt);
}

// The same trouble is said once.
void Outbox::note(const Call& call, const chain::Error& error) {
  const std::string trouble = std::string(kKindNames.at(place_of(call.kind))) + name(error.cause);
  if (trouble == last_trouble_) return;
  last_trouble_ = trouble;
  log_->warning("transaction.trouble", {{"call", kKindNames.at(place_of(call.kind))}, {"why", name(error.cause)}},
                error.text);
}

}  // namespace avow::provider
