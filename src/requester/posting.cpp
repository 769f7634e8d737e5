// SPDX-License-Identifier: Apache-2.0
#include "requester/posting.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "answer/delivery.hpp"
#include "requester/wallet.hpp"

namespace avow::requester {
namespace {

constexpr std::uint64_t kPermitSecs = 3'600;
constexpr std::uint64_t kMostAheadSecs = 900;

// Moments of an offer, and how long a permit is good, follow from the latest block's, which is a node's word: one far
// ahead would have tokens held for up to a year by whoever locks the request.
std::optional<Error> check_moment(const Session& session, const chain::Block& head) {
  const std::uint64_t now = session.now();
  if (head.timestamp <= now || head.timestamp - now <= kMostAheadSecs) return std::nullopt;
  if (session.profile.chain_id == kDevelopmentChain) return std::nullopt;  // whose clock is moved on for tests
  return fail("the latest block",
              {chain::Cause::kReply,
               fmt::format("is {} s ahead of this machine's clock; set that one, or ask another node",
                           head.timestamp - now)})
      .error;
}

// What market or token revert with where neither allowance nor permit covers the price.
bool is_allowance_too_low(const Error& error) {
  const auto says = [&](const char* text) { return error.chain->text.find(text) != std::string::npos; };
  return error.chain && error.chain->cause == chain::Cause::kReverted &&
         (says("AllowanceTooLow") || says("InsufficientAllowance"));
}

}  // namespace

Result<Posted> Poster::post(const KnownModel& model, const Question& question, const OfferTerms& terms,
                            const std::optional<base::Digest>& replaced) {
  record_.reset();
  std::optional<FileLock> lock;
  {
    auto taken = lock_account(*session_, session_->market->deployment().chain_id, key_->address());
    if (!taken) return base::Err{taken.error()};
    lock = std::move(taken).value();
  }
  const auto request = make(model, question, terms);
  if (!request) return base::Err{request.error()};
  if (auto error = check(model, request.value())) return base::Err{std::move(*error)};
  const auto head = head_of(*session_);
  if (!head) return base::Err{head.error()};
  record_ = Record{session_->market->id_of(request.value()),
                   session_->market->deployment().chain_id,
                   session_->market->address(market::Contract::kMarket),
                   request.value(),
                   session_->now(),
                   head.value().ref.number,
                   {},
                   question.model_name,
                   question.prompt,
                   replaced};
  bool uses_permit = false;
  auto call = call_of(request.value(), uses_permit);
  if (!call) return base::Err{call.error()};
  // Whether it stays on the chain is for whoever waits for its end to see.
  Session quick = *session_;
  quick.sending.confirmations = 1;
  chain::Sender sender = quick.sender(*key_);
  const Sending sending = session_->sending_by(
      sender, [this](const chain::SignedTransaction& made) { return write_down("request", made); });
  Candidates candidates;
  auto error = start(sending, call.value(), candidates);
  if (error && candidates.empty() && is_allowance_too_low(*error)) {
    if (auto refused = approve(request.value())) return base::Err{std::move(*refused)};
    uses_permit = false;
    error = start(sending, session_->market->request(request.value()), candidates);
  }
  if (error && candidates.empty()) return base::Err{std::move(*error)};
  // Permits are of a nonce of the token's that the next one must not find unused. Else the next request need not wait.
  if (!uses_permit) lock.reset();
  auto receipt = finish(sending, candidates);
  if (!receipt) return base::Err{receipt.error()};
  return Posted{*record_, std::move(receipt).value()};
}

Result<market::Request> Poster::make(const KnownModel& model, const Question& question, const OfferTerms& terms) {
  const auto market_terms = session_->market->terms();
  if (!market_terms) return fail("the market does not say its terms", market_terms.error());
  const auto head = head_of(*session_);
  if (!head) return base::Err{head.error()};
  if (auto error = check_moment(*session_, head.value())) return base::Err{std::move(*error)};
  auto offer = make_offer(terms, next_moment(*session_, head.value()), market_terms.value().delay_blocks);
  if (!offer) return base::Err{offer.error()};
  auto nonce = free_nonce();
  if (!nonce) return base::Err{nonce.error()};
  answer::Request asked;
  asked.input = question.input;
  asked.max_new_tokens = question.max_new_tokens;
  asked.sampling = question.sampling;
  asked.stop_ids = question.stop_ids;
  if (const auto rejection = answer::check(asked, model.key.info().plan)) {
    std::string text = to_string(*rejection);
    if (rejection->check == answer::Check::kContext) {
      text += fmt::format(": {} tokens are asked and {} to be answered, and prompt and answer have {} together",
                          asked.input.size(), asked.max_new_tokens, model.key.info().plan.context);
    }
    return fail(Cause::kQuestion, std::move(text));
  }
  market::Request request;
  request.requester = key_->address();
  request.nonce = nonce.value();
  request.model_id = model.key.id();
  request.verifier = session_->market->address(market::Contract::kAnswerVerifier);
  request.input = answer::encode_ids(question.input, model.id_bytes);
  request.max_new_tokens = question.max_new_tokens;
  request.sampling = question.sampling;
  request.stop_ids = answer::encode_ids(question.stop_ids, model.id_bytes);
  request.offer = offer.value();
  return request;
}

std::optional<Error> Poster::check(const KnownModel& model, const market::Request& request) {
  const auto frozen = session_->market->is_frozen(request.verifier, model.key.id());
  if (!frozen) return fail("the market does not say whether the model is frozen", frozen.error()).error;
  if (frozen.value()) {
    return Error{
        Cause::kFrozen, "the verifier has contradicted itself on this model: no answer of it is paid any more", {}};
  }
  const auto balance = session_->market->balance_of(key_->address());
  if (!balance) return fail("the token does not say the account's balance", balance.error()).error;
  if (balance.value() >= request.offer.max_price) return std::nullopt;
  return Error{Cause::kTokens,
               fmt::format("{} has {}, and the request holds {} until it is answered: `avow wallet` says how to get "
                           "tokens",
                           to_string(key_->address()), to_tokens(balance.value()), to_tokens(request.offer.max_price)),
               {}};
}

// One after the other, so that they share the chain's words: a nonce in a word of its own costs more gas. Those that
// were given away by this machine count as used; what others used is skipped in steps that double.
Result<chain::U256> Poster::free_nonce() {
  const auto highest = session_->book->highest_nonce(key_->address(), session_->market->deployment());
  if (!highest) return base::Err{highest.error()};
  std::uint64_t first = 0;
  if (highest.value()) first = highest.value()->to_u64().value_or(0) + 1;
  const auto is_used = [&](std::uint64_t nonce) { return session_->market->is_nonce_used(key_->address(), nonce); };
  std::uint64_t used = 0, step = 0;
  for (std::uint64_t nonce = first;; nonce = first + step) {
    const auto known = is_used(nonce);
    if (!known) return fail("the market does not say which nonces are used", known.error());
    if (!known.value() && step <= 1) return chain::U256(nonce);
    if (!known.value()) break;
    used = nonce;
    step = step == 0 ? 1 : 2 * step;
    constexpr std::uint64_t kMostStep = std::uint64_t{1} << 40;
    if (step > kMostStep) return fail(Cause::kState, "no unused nonce was found");
  }
  std::uint64_t unused = first + step;
  while (unused - used > 1) {
    const std::uint64_t middle = used + (unused - used) / 2;
    const auto known = is_used(middle);
    if (!known) return fail("the market does not say which nonces are used", known.error());
    (known.value() ? used : unused) = middle;
  }
  return chain::U256(unused);
}

// Without a permit where an allowance is there.
Result<chain::CallRequest> Poster::call_of(const market::Request& request, bool& uses_permit) {
  const auto allowance = session_->market->allowance_of(key_->address());
  if (!allowance) return fail("the token does not say the market's allowance", allowance.error());
  uses_permit = allowance.value() < request.offer.max_price;
  if (!uses_permit) return session_->market->request(request);
  const auto permit = session_->market->sign_permit(
      *key_, request.offer.max_price, std::min(request.offer.deadline, request.offer.ramp_start + kPermitSecs));
  // A token that has no permits has no nonces for them, either.
  if (!permit) return session_->market->request(request);
  return session_->market->request_for(request, {}, permit.value());
}

std::optional<Error> Poster::approve(const market::Request& request) {
  session_->tell({.kind = UpdateKind::kApproving, .id = record_->id, .amount = request.offer.max_price});
  chain::Sender sender = session_->sender(*key_);
  const Sending sending = session_->sending_by(
      sender, [this](const chain::SignedTransaction& made) { return write_down("approve", made); });
  const auto receipt = send(sending, session_->market->approve(request.offer.max_price));
  if (receipt) return std::nullopt;
  return receipt.error();
}

std::optional<Error> Poster::write_down(const char* what, const chain::SignedTransaction& transaction) {
  record_->transactions.push_back({what, transaction.hash, transaction.bytes});
  if (auto error = session_->book->write(*record_)) return error;
  session_->tell({.kind = UpdateKind::kSending, .id = record_->id, .transaction = transaction.hash, .text = what});
  return std::nullopt;
}

void post_again(const Session& session, const Record& record) {
  for (const SentTransaction& sent : record.transactions) {
    if (sent.what == "request") (void)session.chain().send(sent.bytes);
  }
}

}  // namespace avow::requester
