// SPDX-License-Identifier: Apache-2.0
#include "requester/take_back.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hex.hpp"

namespace avow::requester {
namespace {

using market::Status;

Possible nothing(const char* why) { return {Way::kNothing, why, 0, 0}; }

Possible wait_for_deadline(const market::Offer& offer, const std::string& why) {
  return {Way::kWait,
          why + fmt::format("; its money can be taken back after the deadline, timestamp {}", offer.deadline), 0,
          offer.deadline};
}

Result<chain::Receipt> send_about(const Session& session, const chain::PrivateKey& key, Record& record,
                                  const char* what, const chain::CallRequest& call) {
  auto lock = lock_account(session, record.chain_id, key.address());
  if (!lock) return base::Err{lock.error()};
  // Whoever had the lock may have written more into it.
  if (auto current = session.book->read(record.id)) record = std::move(current).value();
  chain::Sender sender = session.sender(key);
  const auto write_down = [&](const chain::SignedTransaction& made) -> std::optional<Error> {
    record.transactions.push_back({what, made.hash, made.bytes});
    if (auto error = session.book->write(record)) return error;
    session.tell({.kind = UpdateKind::kSending, .id = record.id, .transaction = made.hash, .text = what});
    return std::nullopt;
  };
  return send(session.sending_by(sender, write_down), call);
}

// The event of the request's posting, from a block back.
Result<market::Request> posted_request(const Session& session, const base::Digest& id, std::uint64_t last) {
  const auto filter = market::events_about(session.market->deployment(), id);
  constexpr std::uint64_t kRange = chain::Client::kMostLogRange;
  for (std::uint64_t end = last;;) {
    if (is_set(session.cancelled)) return fail(Cause::kCancelled, "the search for the request's posting was ended");
    const std::uint64_t first = end >= kRange ? end - kRange + 1 : 0;
    const auto logs = session.chain().logs(filter, first, end);
    if (!logs) return fail("the request's events are not known", logs.error());
    for (const chain::Log& log : logs.value().logs) {
      const auto event = market::event_of(log);
      if (!event) return fail("the request's events are not known", event.error());
      const auto* found = event.value() ? std::get_if<market::Requested>(&*event.value()) : nullptr;
      // The id says what was asked, whatever the node says.
      if (found != nullptr && session.market->id_of(found->request) == id) return found->request;
    }
    if (first == 0) break;
    end = first - 1;
  }
  return fail(Cause::kUnknown, fmt::format("the posting of request {} was not found on the chain", base::to_hex(id)));
}

}  // namespace

Possible what_is_possible(const market::RequestState& state, const market::Offer& offer, const Surroundings& around) {
  switch (state.status) {
    case Status::kUnknown:
      return nothing("it is not on this chain, and holds no money; what was sent may still get there");
    case Status::kFulfilled:
      return nothing("it was answered and paid");
    case Status::kRefunded:
      return nothing("its money came back already");
    default:
      break;
  }
  if (around.is_frozen) return {Way::kRefund, "the model is frozen, and all money goes back", 0, 0};
  if (around.now > offer.deadline) return {Way::kExpire, "the deadline has passed", 0, 0};
  if (state.status == Status::kOpen) return {Way::kCancel, "it is open", 0, 0};
  if (state.status == Status::kLocked) {
    return wait_for_deadline(offer, fmt::format("{} has locked it and may answer it", to_string(state.account)));
  }
  const std::uint64_t effective = state.since_block + around.delay_blocks;
  if (around.head + 1 >= effective) return {Way::kRefund, "its cancellation has taken effect", 0, 0};
  return {Way::kWait,
          fmt::format("its cancellation takes effect in block {}, and the chain has {}", effective, around.head),
          effective, 0};
}

Result<Possible> what_is_possible(const Session& session, const market::Request& request) {
  const auto terms = session.market->terms();
  if (!terms) return fail("the market does not say its terms", terms.error());
  const auto head = head_of(session);
  if (!head) return base::Err{head.error()};
  const auto state = session.market->state_of(session.market->id_of(request));
  if (!state) return fail("the market does not say where the request stands", state.error());
  const auto frozen = session.market->is_frozen(request.verifier, request.model_id);
  if (!frozen) return fail("the market does not say whether the model is frozen", frozen.error());
  const auto number = session.market->number_in_contracts(chain::BlockId::latest());
  if (!number) return fail("the number of the latest block is not known", number.error());
  return what_is_possible(
      state.value(), request.offer,
      {number.value(), next_moment(session, head.value()), terms.value().delay_blocks, frozen.value()});
}

Result<chain::Receipt> cancel(const Session& session, const chain::PrivateKey& key, Record record) {
  const auto possible = what_is_possible(session, record.request);
  if (!possible) return base::Err{possible.error()};
  if (possible.value().way != Way::kCancel) {
    const bool can_refund = possible.value().way == Way::kRefund || possible.value().way == Way::kExpire;
    return fail(Cause::kState, "the request cannot be cancelled: " + possible.value().text +
                                   (can_refund ? "; `avow request refund` gets its money back" : ""));
  }
  if (key.address() != record.request.requester) {
    return fail(Cause::kState, "only its requester can cancel it: " + to_string(record.request.requester));
  }
  return send_about(session, key, record, "cancel", session.market->cancel(record.request));
}

Result<chain::Receipt> refund(const Session& session, const chain::PrivateKey& key, Record record) {
  const auto possible = what_is_possible(session, record.request);
  if (!possible) return base::Err{possible.error()};
  switch (possible.value().way) {
    case Way::kRefund:
      return send_about(session, key, record, "refund", session.market->refund(record.request));
    case Way::kExpire:
      return send_about(session, key, record, "expire", session.market->expire(record.request));
    case Way::kCancel:
      return fail(Cause::kState, "the request is open: take it back first, by `avow request cancel`");
    case Way::kWait:
    case Way::kNothing:
      break;
  }
  return fail(Cause::kState, "nothing can be taken back: " + possible.value().text);
}

Result<Record> find_request(const Session& session, const base::Digest& id) {
  auto record = session.book->read(id);
  const auto& deployment = session.market->deployment();
  if (record) {
    const bool is_here = record.value().chain_id == deployment.chain_id &&
                         record.value().market == session.market->address(market::Contract::kMarket);
    if (is_here) return record;
    return fail(Cause::kUnknown,
                fmt::format("request {} was posted on chain {} to the market {}: name it with --rpc and --deployment",
                            base::to_hex(id), record.value().chain_id, to_string(record.value().market)));
  }
  // A file that was damaged keeps nobody from taking money back: the chain has the request, too.
  const bool is_damaged = record.error().cause != Cause::kUnknown;
  const auto state = session.market->state_of(id);
  if (!state) return fail("the market does not say where the request stands", state.error());
  if (state.value().status == Status::kUnknown) {
    if (is_damaged) return record;
    return fail(Cause::kUnknown, fmt::format("nobody has posted request {} on this chain, and this machine has no "
                                             "record of it",
                                             base::to_hex(id)));
  }
  const auto head = head_of(session);
  if (!head) return base::Err{head.error()};
  const std::uint64_t last = head.value().ref.number;
  const auto counted = session.market->number_in_contracts(chain::BlockId(last));
  if (!counted) return fail("the number of the latest block is not known", counted.error());
  // The contract's word is of no use where it counts another chain's blocks.
  auto request = posted_request(session, id, counted.value() == last ? state.value().since_block : last);
  if (!request) return base::Err{request.error()};
  Record found;
  found.id = id;
  found.chain_id = deployment.chain_id;
  found.market = session.market->address(market::Contract::kMarket);
  found.request = std::move(request).value();
  found.from_block = 0;
  return found;
}

}  // namespace avow::requester
