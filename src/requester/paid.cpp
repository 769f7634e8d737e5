// SPDX-License-Identifier: Apache-2.0
#include "requester/paid.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "answer/delivery.hpp"
#include "market/paid_proof.hpp"
#include "verifier/security.hpp"
#include "verifier/verify.hpp"

namespace avow::requester {
namespace {

// What the client says is the chain's trouble; what it makes of calldata is about the payment.
base::Err<Error> payment_error(const std::string& what, const chain::Error& error) {
  switch (error.cause) {
    case chain::Cause::kTransport:
    case chain::Cause::kHttp:
    case chain::Cause::kNode:
    case chain::Cause::kReplySize:
    case chain::Cause::kBehind:
    case chain::Cause::kReorganised:
    case chain::Cause::kChainId:
      return fail(what, error);
    default:
      return {{Cause::kPayment, what + ": " + to_string(error), error}};
  }
}

Result<base::Bytes> calldata_of(const Session& session, const base::Digest& transaction) {
  auto call = session.chain().calldata(transaction);
  if (!call) return fail("a transaction of the proof is not known", call.error());
  if (call.value()) return std::move(call.value()->data);
  return fail("a transaction of the proof is not known",
              {chain::Cause::kBehind, "the node does not have it; ask another one"});
}

Result<market::PaidProof> fetch(const Session& session, const KnownModel& model, const PaidAnswer& paid,
                                std::size_t most_bytes, std::size_t& transactions) {
  const auto payment = session.chain().calldata(paid.transaction);
  if (!payment) return fail("the payment is not known", payment.error());
  if (!payment.value()) {
    return fail("the payment is not known", {chain::Cause::kBehind, "the node does not have the transaction"});
  }
  const auto hashes =
      market::transactions_of_payment(*session.market, *payment.value(), paid.block.number, model.id_bytes);
  if (!hashes) return payment_error("the transactions of the proof were not found", hashes.error());
  std::vector<base::Bytes> calldata;
  std::size_t size = 0;
  for (const base::Digest& hash : hashes.value()) {
    auto data = calldata_of(session, hash);
    if (!data) return base::Err{data.error()};
    size += data.value().size();
    if (size > most_bytes) return fail(Cause::kPayment, "the transactions have more bytes than those of any proof");
    calldata.push_back(std::move(data).value());
  }
  transactions = calldata.size();
  auto proof = market::proof_in(calldata, session.market->deployment(), model.id_bytes);
  if (!proof) return payment_error("there is no proof in the transactions that paid", proof.error());
  return std::move(proof).value();
}

base::Err<Error> does_not_hold(std::string text) { return fail(Cause::kProof, std::move(text)); }

// Whether what is proven is about this request, and is what the contract said.
Result<std::size_t> place_of(const Session& session, const KnownModel& model, const market::Request& request,
                             const PaidAnswer& paid, const market::DeliveredAnswers& delivered) {
  const answer::Delivery& delivery = delivered.delivery;
  if (delivery.model_id != model.key.id()) return does_not_hold("the proof is of another model than was asked");
  if (delivery.chain_id != chain::U256(session.market->deployment().chain_id).to_bytes() ||
      delivery.market != session.market->address(market::Contract::kMarket).bytes) {
    return does_not_hold("the proof is for another chain or market");
  }
  if (delivery.payee != paid.payee.bytes) return does_not_hold("the proof names another payee than was paid");
  const base::Digest id = session.market->id_of(request);
  for (std::size_t i = 0; i < delivery.answers.size(); ++i) {
    const answer::Answer& given = delivery.answers[i];
    if (given.request.id != id) continue;
    const auto asked = market::asked(request, id, model.id_bytes);
    if (!asked || *asked != given.request) return does_not_hold("the proof answers another prompt than was asked");
    if (answer::encode_ids(given.output, model.id_bytes) != paid.output ||
        static_cast<std::uint8_t>(given.end) != paid.end) {
      return does_not_hold("the contract says another answer than is proven");
    }
    return i;
  }
  return does_not_hold("the proof that was paid is not about this request");
}

std::uint32_t bits_of(const KnownModel& model, const answer::Delivery& delivery) {
  const auto made =
      verifier::Verifier::make(model.key.key(), model.key.id(), answer::instance_of(delivery, model.key.info().plan));
  return made ? verifier::security_bits(made.value().setting()) : 0;
}

}  // namespace

std::optional<answer::Answer> claimed_answer(const market::Request& request, const base::Digest& id,
                                             const PaidAnswer& paid, unsigned id_bytes) {
  auto asked = market::asked(request, id, id_bytes);
  auto output = answer::decode_ids(paid.output, id_bytes);
  if (!asked || !output || output->empty() || paid.end > 1) return std::nullopt;
  return answer::Answer{std::move(*asked), std::move(*output), {}, answer::End{paid.end}};
}

Result<CheckedAnswer> check_paid(const Session& session, const KnownModel& model, const market::Request& request,
                                 const PaidAnswer& paid, std::size_t most_bytes) {
  CheckedAnswer checked;
  const auto found = fetch(session, model, paid, most_bytes, checked.transactions);
  if (!found) return base::Err{found.error()};
  const answer::Delivery& delivery = found.value().answers.delivery;
  // Before anything is encoded: ids that fit, lists within their limits.
  if (const auto rejection = answer::check(delivery, model.key.info().plan)) {
    return does_not_hold("what was delivered is refused: " + to_string(*rejection));
  }
  const auto place = place_of(session, model, request, paid, found.value().answers);
  if (!place) return base::Err{place.error()};
  const auto rejection = model.key.verify(answer::encode(delivery, model.id_bytes), found.value().proof);
  if (rejection) return does_not_hold("the proof does not hold: " + to_string(*rejection));
  checked.answer = delivery.answers[place.value()];
  checked.delivery = delivery;
  checked.proof_bytes = found.value().proof.size();
  checked.bits = bits_of(model, delivery);
  return checked;
}

}  // namespace avow::requester
