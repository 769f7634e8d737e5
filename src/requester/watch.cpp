// SPDX-License-Identifier: Apache-2.0
#include "requester/watch.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace avow::requester {
namespace {

using market::Status;
using Kind = Ending::Kind;

// For the event of an ending, which is waited for as it happens, or was not long ago.
constexpr std::uint64_t kMostSearchedBlocks = 500'000;
// Seconds between two prices that are told.
constexpr std::uint64_t kPriceInterval = 5;

chain::LogFilter steps_by(const market::Deployment& deployment, const chain::Address& sender) {
  const auto event = market::interface_of(market::Contract::kMarket).event("StepVerified");
  AVOW_CHECK(event.ok());
  base::Digest topic{};
  std::copy(sender.bytes.begin(), sender.bytes.end(), topic.end() - static_cast<std::ptrdiff_t>(sender.bytes.size()));
  return {{deployment.at(market::Contract::kMarket)}, {chain::topic_of(event.value()->signature), topic}};
}

template <typename T>
using Found = std::optional<std::pair<T, chain::Log>>;

// The last event of this kind about the request in these blocks.
template <typename T>
Result<Found<T>> event_between(const Session& session, const base::Digest& id, std::uint64_t first,
                               std::uint64_t last) {
  const auto logs = session.chain().logs(market::events_about(session.market->deployment(), id), first, last);
  if (!logs) return fail("the request's events are not known", logs.error());
  Found<T> last_one;
  for (const chain::Log& log : logs.value().logs) {
    const auto event = market::event_of(log);
    if (!event) return fail("the request's events are not known", event.error());
    const T* found = event.value() ? std::get_if<T>(&*event.value()) : nullptr;
    if (found != nullptr && found->id == id) last_one.emplace(*found, log);
  }
  return last_one;
}

// The one event of this kind about the request: in the block that the contract names, or, where that is another
// chain's, back from the head.
template <typename T>
Result<std::pair<T, chain::Log>> event_in(const Session& session, const base::Digest& id, std::uint64_t block,
                                          std::uint64_t head) {
  auto found = event_between<T>(session, id, block, block);
  if (!found) return base::Err{found.error()};
  constexpr std::uint64_t kRange = chain::Client::kMostLogRange;
  for (std::uint64_t end = head, searched = 0; !found.value() && searched < kMostSearchedBlocks; searched += kRange) {
    const std::uint64_t first = end >= kRange ? end - kRange + 1 : 0;
    found = event_between<T>(session, id, first, end);
    if (!found) return base::Err{found.error()};
    if (first <= block) break;  // contracts count this chain's blocks, or fewer
    end = first - 1;
  }
  if (found.value()) return *found.value();
  return fail("the request's events are not known",
              {chain::Cause::kBehind, "the node does not have the event of what the contract says has happened"});
}

bool is_same_place(const market::RequestState& a, const market::RequestState& b) {
  return a.status == b.status && a.account == b.account && a.since_block == b.since_block;
}

}  // namespace

RequestWatch::RequestWatch(const Session& session, const market::Request& request, std::uint64_t delay_blocks)
    : session_(&session), request_(request), delay_blocks_(delay_blocks), id_(session.market->id_of(request)) {}

Update RequestWatch::update(UpdateKind kind) const {
  return {.kind = kind, .id = id_, .block = head_.ref.number, .timestamp = head_.timestamp};
}

Result<std::optional<Ending>> RequestWatch::look() {
  const auto head = head_of(*session_);
  if (!head) return base::Err{head.error()};
  const auto state = session_->market->state_of(id_, chain::BlockId(head.value().ref.number));
  if (!state) return fail("the market does not say where the request stands", state.error());
  const market::RequestState before = state_;
  std::uint64_t counted = head.value().ref.number;
  if (state.value().status == Status::kLocked || state.value().status == Status::kCancelling) {
    const auto number = session_->market->number_in_contracts(chain::BlockId(counted));
    if (!number) return fail("the number of the latest block is not known", number.error());
    counted = number.value();
  }
  head_ = head.value();
  state_ = state.value();
  counted_ = counted;
  if (!is_same_place(before, state_)) tell_change(before);
  if (state_.status == Status::kOpen) tell_price();
  if (state_.status == Status::kLocked) {
    tell_lock();
    if (auto error = tell_steps()) return base::Err{std::move(*error)};
  }
  return ending();
}

void RequestWatch::tell_change(const market::RequestState& before) {
  told_proving_ = told_late_ = told_ending_ = false;
  sessions_.clear();
  const bool was_ended = before.status == Status::kFulfilled || before.status == Status::kRefunded;
  const bool went_back = is_known_ && (state_.status < before.status || was_ended ||
                                       (state_.status == before.status && state_.status != Status::kUnknown));
  if (went_back) session_->tell(update(UpdateKind::kReorganised));
  if (state_.status == Status::kUnknown) return;
  is_known_ = true;
  Update said = update(UpdateKind::kOpen);
  switch (state_.status) {
    case Status::kOpen:
      said.until = request_.offer.deadline;
      told_price_.reset();
      session_->tell(said);
      break;
    case Status::kLocked:
      said.kind = UpdateKind::kLocked;
      said.account = state_.account;
      said.amount = market::price_at(request_.offer, state_.since);
      said.until = state_.since + request_.offer.lock_duration;
      steps_from_ = counted_ == head_.ref.number ? state_.since_block : head_.ref.number;
      session_->tell(said);
      break;
    case Status::kCancelling:
      said.kind = UpdateKind::kCancelling;
      said.until = state_.since_block + delay_blocks_;
      session_->tell(said);
      break;
    default:  // endings are told with what is in their events
      break;
  }
}

void RequestWatch::tell_price() {
  const chain::U256 price = market::price_at(request_.offer, head_.timestamp);
  if (told_price_ == price) return;
  const bool is_last = price == request_.offer.max_price;
  if (told_price_ && !is_last && head_.timestamp < told_price_at_ + kPriceInterval) return;
  told_price_ = price;
  told_price_at_ = head_.timestamp;
  Update said = update(UpdateKind::kPrice);
  said.amount = price;
  session_->tell(said);
}

void RequestWatch::tell_lock() {
  if (!told_proving_ && is_effective()) {
    told_proving_ = true;
    session_->tell(update(UpdateKind::kProving));
  }
  const std::uint64_t until = state_.since + request_.offer.lock_duration;
  if (!told_late_ && head_.timestamp > until && head_.timestamp <= request_.offer.deadline) {
    told_late_ = true;
    session_->tell(update(UpdateKind::kLockOver));
  }
}

// Steps of the locker's proofs; of which request one is, its first step's delivery says.
std::optional<Error> RequestWatch::tell_steps() {
  if (steps_from_ > head_.ref.number) return std::nullopt;
  const auto filter = steps_by(session_->market->deployment(), state_.account);
  const auto logs = session_->chain().logs(filter, steps_from_, head_.ref.number);
  if (!logs) return fail("the steps of the proof are not known", logs.error()).error;
  for (const chain::Log& log : logs.value().logs) {
    const auto event = market::interface_of(market::Contract::kMarket).decode_log(log.body);
    if (!event) return fail("the steps of the proof are not known", event.error()).error;
    const chain::Value* value = event.value().value("number");
    const auto* number = value == nullptr ? nullptr : value->as<chain::U256>();
    const base::Digest& proof = log.body.topics.at(2);
    if (number == nullptr) continue;
    if (*number == chain::U256() && is_ours(log)) sessions_.insert(proof);
    if (!sessions_.contains(proof)) continue;
    Update said = update(UpdateKind::kStep);
    said.number = number->to_u64().value_or(0) + 1;
    said.transaction = log.transaction;
    session_->tell(said);
  }
  steps_from_ = logs.value().upto + 1;
  return std::nullopt;
}

bool RequestWatch::is_ours(const chain::Log& first_step) {
  const auto call = session_->chain().calldata(first_step.transaction);
  if (!call || !call.value()) return false;
  const base::Bytes& data = call.value()->data;
  return std::search(data.begin(), data.end(), id_.begin(), id_.end()) != data.end();
}

bool RequestWatch::is_confirmed(std::uint64_t block) const {
  const std::uint64_t wanted =
      std::max<std::uint64_t>(session_->sending.confirmations.value_or(session_->profile.confirmations), 1);
  return head_.ref.number >= block && head_.ref.number - block >= wanted - 1;
}

Result<std::optional<Ending>> RequestWatch::ending() {
  if (state_.status == Status::kFulfilled) return fulfilled();
  if (state_.status == Status::kRefunded) return refunded();
  if (head_.timestamp <= request_.offer.deadline) return std::optional<Ending>();
  if (state_.status == Status::kUnknown) return std::optional<Ending>(Ending{Kind::kUnposted, {}, {}});
  if (!told_expired_) session_->tell(update(UpdateKind::kExpired));
  told_expired_ = true;
  return std::optional<Ending>(Ending{Kind::kExpired, {}, {}});
}

Result<std::optional<Ending>> RequestWatch::fulfilled() {
  const auto found = event_in<market::Fulfilled>(*session_, id_, state_.since_block, head_.ref.number);
  if (!found) return base::Err{found.error()};
  const auto& [event, log] = found.value();
  const auto receipt = session_->chain().receipt(log.transaction);
  if (!receipt) return fail("the payment's receipt is not known", receipt.error());
  PaidAnswer paid{event.payee, event.payment, event.fee, event.end, event.output, log.transaction, log.block, 0};
  if (receipt.value()) paid.gas_used = receipt.value()->gas_used;
  if (!told_ending_) {
    Update said = update(UpdateKind::kFulfilled);
    said.account = paid.payee;
    said.amount = paid.payment;
    said.number = paid.gas_used;
    said.transaction = paid.transaction;
    session_->tell(said);
    told_ending_ = true;
  }
  if (!is_confirmed(log.block.number)) return std::optional<Ending>();
  return std::optional<Ending>(Ending{Kind::kFulfilled, std::move(paid), {}});
}

Result<std::optional<Ending>> RequestWatch::refunded() {
  const auto found = event_in<market::Refunded>(*session_, id_, state_.since_block, head_.ref.number);
  if (!found) return base::Err{found.error()};
  const auto& [event, log] = found.value();
  if (!told_ending_) {
    Update said = update(UpdateKind::kRefunded);
    said.amount = event.amount;
    said.transaction = log.transaction;
    session_->tell(said);
    told_ending_ = true;
  }
  if (!is_confirmed(log.block.number)) return std::optional<Ending>();
  return std::optional<Ending>(Ending{Kind::kRefunded, {}, event.amount});
}

Result<std::optional<Ending>> RequestWatch::look_patiently() {
  if (is_set(session_->cancelled)) return fail(Cause::kCancelled, "waiting was ended");
  auto ending = look();
  if (ending) {
    if (lost_since_) session_->tell(update(UpdateKind::kNodeBack));
    lost_since_.reset();
    return ending;
  }
  if (ending.error().cause != Cause::kChain) return ending;
  const std::uint64_t now = session_->now();
  if (!lost_since_) {
    Update said = update(UpdateKind::kNodeLost);
    said.text = ending.error().text;
    session_->tell(said);
    lost_since_ = now;
  }
  if (now >= *lost_since_ + static_cast<std::uint64_t>(session_->outage.count())) return ending;
  return std::optional<Ending>();
}

Result<Ending> RequestWatch::wait() {
  for (;;) {
    auto ending = look_patiently();
    if (!ending) return base::Err{ending.error()};
    if (ending.value()) return std::move(*ending.value());
    session_->chain().sleep()(session_->poll);
  }
}

}  // namespace avow::requester
