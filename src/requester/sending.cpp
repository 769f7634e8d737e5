// SPDX-License-Identifier: Apache-2.0
#include "requester/sending.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hex.hpp"

namespace avow::requester {
namespace {

// Whether nothing is wrong but that it is not settled yet.
bool is_waiting(const chain::Error& error) { return error.cause == chain::Cause::kNotIncluded; }

base::Err<Error> interrupted(const Candidates& candidates) {
  return fail(Cause::kCancelled,
              fmt::format("{} was sent and may be included at any time", to_string(candidates.back())));
}

// Whether one of them waits for nothing but its confirmations.
bool is_in_a_block(const Sending& sending, const Candidates& candidates) {
  return std::any_of(candidates.begin(), candidates.end(), [&](const chain::SignedTransaction& candidate) {
    const auto receipt = sending.chain->receipt(candidate.hash);
    return receipt && receipt.value();
  });
}

// A replacement that is written down before it is sent. That there is none does no harm: the others are waited for.
std::optional<Error> raise_fees_of(const Sending& sending, Candidates& candidates) {
  auto made = sending.sender->prepare_replacement(candidates);
  if (!made) return std::nullopt;
  if (sending.before_send) {
    if (auto error = sending.before_send(made.value())) return error;
  }
  candidates.push_back(std::move(made).value());
  (void)sending.sender->send(candidates.back());
  return std::nullopt;
}

}  // namespace

std::optional<Error> start(const Sending& sending, const chain::CallRequest& call, Candidates& candidates) {
  auto made = sending.sender->prepare(call);
  if (!made) return fail("the transaction cannot be made", made.error()).error;
  if (sending.before_send) {
    if (auto error = sending.before_send(made.value())) return error;
  }
  candidates.push_back(std::move(made).value());
  const auto error = sending.sender->send(candidates.back());
  if (!error) return std::nullopt;
  if (!error->unsettled) candidates.clear();
  return fail("the transaction was not sent", *error).error;
}

Result<chain::Receipt> finish(const Sending& sending, Candidates& candidates) {
  unsigned replacements = 0, parts = 0;
  for (;;) {
    if (is_set(sending.cancelled)) return interrupted(candidates);
    auto receipt = sending.sender->wait(candidates);
    if (receipt) return std::move(receipt).value();
    if (is_set(sending.cancelled)) return interrupted(candidates);
    if (!is_waiting(receipt.error())) return fail("the transaction is not settled", receipt.error());
    if (++parts < sending.parts) continue;
    if (replacements == sending.most_replacements) return fail("the transaction is not settled", receipt.error());
    ++replacements;
    parts = 0;
    if (is_in_a_block(sending, candidates)) continue;
    if (auto error = raise_fees_of(sending, candidates)) return base::Err{std::move(*error)};
  }
}

Result<chain::Receipt> send(const Sending& sending, const chain::CallRequest& call) {
  Candidates candidates;
  const auto error = start(sending, call, candidates);
  if (error && candidates.empty()) return base::Err{*error};
  auto receipt = finish(sending, candidates);
  if (receipt || !error) return receipt;
  Error both = receipt.error();
  both.text += "; " + error->text;
  return base::Err{std::move(both)};
}

}  // namespace avow::requester
