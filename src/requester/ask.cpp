// SPDX-License-Identifier: Apache-2.0
#include "requester/ask.hpp"

#include <fmt/format.h>

#include "requester/take_back.hpp"

namespace avow::requester {
namespace {

using Kind = Ending::Kind;

// Of what need not be asked at each look.
constexpr std::uint64_t kLooksBetween = 16;

// Whether the next look says what to do: the request stands elsewhere than it did a moment ago, so that the contract
// refuses the call, or it was not sent, or not settled in time.
bool is_for_the_next_look(const Error& error) {
  if (error.cause == Cause::kState) return true;
  if (error.cause != Cause::kChain || !error.chain) return false;
  switch (error.chain->cause) {
    case chain::Cause::kFunds:
    case chain::Cause::kFeeCap:
    case chain::Cause::kTooManyBytes:
    case chain::Cause::kTooMuchGas:
    case chain::Cause::kChainId:
    case chain::Cause::kNonceGap:
      return false;
    default:
      return true;
  }
}

}  // namespace

Result<Outcome> Asker::ask(const KnownModel& model, const Question& question, const AskOptions& options) {
  receipts_.clear();
  OfferTerms terms = options.terms;
  std::optional<base::Digest> replaced;
  for (;;) {
    is_bumping_ = false;
    auto posted = poster_.post(model, question, terms, replaced);
    if (!posted) return base::Err{posted.error()};
    const Record record = posted.value().record;
    if (posted.value().receipt) receipts_.push_back(*posted.value().receipt);
    const auto next = bumped(terms, options.bump);
    auto ending = see_through(record, options, next.has_value());
    if (!ending) return base::Err{ending.error()};
    if (ending.value().kind != Kind::kRefunded || !is_bumping_)
      return Outcome{record, std::move(ending).value(), receipts_};
    // One deadline for all of them. Taking this one back may have taken longer than there was time for.
    const std::uint64_t deadline = record.request.offer.deadline, now = moment();
    if (deadline <= now || deadline - now < next->ramp_secs)
      return Outcome{record, std::move(ending).value(), receipts_};
    if (auto error = confirm_return(record.id, options)) return base::Err{std::move(*error)};
    terms = *next;
    terms.lifetime_secs = deadline - now;
    replaced = record.id;
    session_->tell({.kind = UpdateKind::kRaising, .id = record.id, .amount = terms.max_price});
  }
}

// Nodes that are behind are waited for.
std::optional<Error> Asker::confirm_return(const base::Digest& id, const AskOptions& options) const {
  const std::uint64_t start = session_->now();
  for (chain::Client* witness : options.witnesses) {
    market::MarketClient market(*witness, session_->market->deployment());
    for (;;) {
      if (is_set(session_->cancelled)) return fail(Cause::kCancelled, "waiting was ended").error;
      const auto state = market.state_of(id);
      if (state && state.value().status == market::Status::kRefunded) break;
      if (session_->now() >= start + static_cast<std::uint64_t>(session_->outage.count())) {
        const std::string what = "the request is not posted anew, as nodes disagree whether its money is back";
        if (!state) return fail(what, state.error()).error;
        return fail(what, {chain::Cause::kReply, fmt::format("one says that it is {}", name(state.value().status))})
            .error;
      }
      session_->chain().sleep()(session_->poll);
    }
  }
  return std::nullopt;
}

// Of the chain, if it says it.
std::uint64_t Asker::moment() const {
  const auto head = head_of(*session_);
  return head ? next_moment(*session_, head.value()) : session_->now();
}

// Until it is answered or its money is back. Each look may find that it is time for the next transaction; that a
// transaction comes too late, because somebody answered or locked, shows at the next look.
Result<Ending> Asker::see_through(const Record& record, const AskOptions& options, bool can_bump) {
  const auto market_terms = session_->market->terms();
  if (!market_terms) return fail("the market does not say its terms", market_terms.error());
  RequestWatch watch(*session_, record.request, market_terms.value().delay_blocks);
  for (;;) {
    auto ending = watch.look_patiently();
    if (!ending) return base::Err{ending.error()};
    if (ending.value() && (ending.value()->kind != Kind::kExpired || !options.takes_back)) {
      return std::move(*ending.value());
    }
    ++looks_;
    auto error = ending.value() ? end_taking_back(record) : next_step(watch, record, options, can_bump);
    if (error) return base::Err{std::move(*error)};
    session_->chain().sleep()(session_->poll);
  }
}

// What is to be done where the request stands, if anything.
std::optional<Error> Asker::next_step(const RequestWatch& watch, const Record& record, const AskOptions& options,
                                      bool can_bump) {
  using market::Status;
  const bool is_now_and_then = looks_ % kLooksBetween == 0;
  switch (watch.state().status) {
    case Status::kUnknown:
      if (is_now_and_then) post_again(*session_, record);
      break;
    case Status::kOpen:
      if (can_bump && is_unwanted(watch, options, record.request.offer)) return begin_taking_back(record);
      [[fallthrough]];
    case Status::kLocked:
      if (is_now_and_then && is_frozen(record)) return end_taking_back(record);
      break;
    case Status::kCancelling:
      if (watch.is_effective()) return end_taking_back(record);
      break;
    default:
      break;
  }
  return std::nullopt;
}

bool Asker::is_frozen(const Record& record) const {
  const auto frozen = session_->market->is_frozen(record.request.verifier, record.request.model_id);
  return frozen && frozen.value();
}

// At its highest price for long enough, and early enough for another request: with the time that the price takes to
// rise, and that it takes to take this one back.
bool Asker::is_unwanted(const RequestWatch& watch, const AskOptions& options, const market::Offer& offer) const {
  const std::uint64_t now = watch.head().timestamp;
  const std::uint64_t needed =
      options.terms.ramp_secs + options.bump.after_secs + kSecsPerBlock * (watch.delay_blocks() + 1);
  return now >= offer.ramp_start + offer.ramp_length + options.bump.after_secs && now + needed <= offer.deadline;
}

std::optional<Error> Asker::begin_taking_back(const Record& record) {
  auto receipt = cancel(*session_, *key_, latest(record));
  if (receipt) {
    is_bumping_ = true;
    receipts_.push_back(receipt.value());
    return std::nullopt;
  }
  if (is_for_the_next_look(receipt.error())) return std::nullopt;
  return receipt.error();
}

std::optional<Error> Asker::end_taking_back(const Record& record) {
  auto receipt = refund(*session_, *key_, latest(record));
  if (receipt) {
    receipts_.push_back(receipt.value());
    return std::nullopt;
  }
  if (is_for_the_next_look(receipt.error())) return std::nullopt;
  return receipt.error();
}

// With the transactions that were written down since.
Record Asker::latest(const Record& record) const {
  auto current = session_->book->read(record.id);
  return current ? std::move(current).value() : record;
}

}  // namespace avow::requester
