// SPDX-License-Identifier: Apache-2.0
#include "market/paid_proof.hpp"

#include <fmt/format.h>

#include "answer/delivery.hpp"
#include "base/check.hpp"
#include "hash/keccak.hpp"
#include "market/fields.hpp"

namespace avow::market {
namespace {

using base::Bytes;
using base::ByteView;
using base::Digest;
using chain::Cause;
using chain::Value;

// A call of the market as its calldata has it.
struct DecodedCall {
  std::string function;
  Value::List arguments;
};

chain::Result<DecodedCall> decode_call(ByteView data) {
  for (const char* function : {"fulfil", "fulfilBatch", "fulfilSteps", "verifyStep"}) {
    const auto entry = interface_of(Contract::kMarket).function(function);
    AVOW_CHECK(entry.ok());
    const auto selector = chain::selector_of(entry.value()->signature);
    if (data.size() < selector.size() || !std::equal(selector.begin(), selector.end(), data.begin())) continue;
    auto arguments = chain::decode_abi(entry.value()->inputs, data.subspan(selector.size()));
    if (!arguments) return base::Err{arguments.error()};
    return DecodedCall{function, std::move(arguments).value()};
  }
  return chain::fail(Cause::kReply, "a transaction that pays nothing: it calls another function of the market");
}

struct StepFields {
  Digest proof_hash{};
  std::uint64_t number = 0;
  Bytes part;
};

std::optional<StepFields> read_step(const Value& value) {
  FieldReader fields(value);
  StepFields step;
  step.proof_hash = fields.digest();
  step.number = fields.small<std::uint64_t>();
  (void)fields.bytes();
  step.part = fields.bytes();
  (void)fields.digest();
  if (!fields.is_done()) return std::nullopt;
  return step;
}

// The events of the steps of a proof by a sender.
chain::LogFilter steps_of(const MarketClient& market, const chain::Address& from, const DeliveredAnswers& answers,
                          const Digest& proof_hash, unsigned id_bytes) {
  Bytes session;
  base::append(session, Digest{});  // the verifier's address as a word
  std::copy(answers.verifier.bytes.begin(), answers.verifier.bytes.end(), session.begin() + 12);
  base::append(session, answers.delivery.model_id);
  base::append(session, hash::keccak256(answer::encode(answers.delivery, id_bytes)));
  base::append(session, proof_hash);
  Digest sender{};
  std::copy(from.bytes.begin(), from.bytes.end(), sender.begin() + 12);
  const auto event = interface_of(Contract::kMarket).event("StepVerified");
  AVOW_CHECK(event.ok());
  return {{market.address(Contract::kMarket)},
          {chain::topic_of(event.value()->signature), sender, hash::keccak256(session)}};
}

}  // namespace

chain::Result<PaidProof> proof_in(std::span<const Bytes> calldata, const Deployment& deployment, unsigned id_bytes) {
  if (calldata.empty()) return chain::fail(Cause::kReply, "there is no transaction to find a proof in");
  const auto payment = decode_call(calldata.back());
  if (!payment) return base::Err{payment.error()};
  const bool in_steps = payment.value().function == "fulfilSteps";
  if (payment.value().function == "verifyStep") return chain::fail(Cause::kReply, "the last transaction pays nothing");
  const auto& arguments = payment.value().arguments;
  auto answers = delivery_of(arguments[in_steps ? 1 : 0], deployment, id_bytes);
  if (!answers) return base::Err{answers.error()};
  PaidProof paid{std::move(answers).value(), {}};
  if (!in_steps) {
    const Bytes* proof = arguments[1].as<Bytes>();
    if (calldata.size() != 1 || proof == nullptr)
      return chain::fail(Cause::kReply, "more transactions than the payment's");
    paid.proof = *proof;
    return paid;
  }
  const auto last = read_step(arguments[2]);
  if (!last || last->number + 1 != calldata.size()) return chain::fail(Cause::kReply, "steps are missing, or too many");
  for (std::size_t i = 0; i < calldata.size(); ++i) {
    const bool is_payment = i + 1 == calldata.size();
    const auto call = is_payment ? payment : decode_call(calldata[i]);
    if (!call) return base::Err{call.error()};
    if (!is_payment && call.value().function != "verifyStep")
      return chain::fail(Cause::kReply, "a step is another call");
    const auto step = read_step(call.value().arguments[is_payment ? 2 : 5]);
    if (!step || step->number != i || step->proof_hash != last->proof_hash) {
      return chain::fail(Cause::kReply, "a step is missing, or of another proof");
    }
    base::append(paid.proof, step->part);
  }
  return paid;
}

chain::Result<std::vector<Digest>> transactions_of_payment(MarketClient& market, const chain::CallData& payment,
                                                           std::uint64_t block, unsigned id_bytes,
                                                           std::uint64_t most_blocks) {
  const auto call = decode_call(payment.data);
  if (!call) return base::Err{call.error()};
  if (call.value().function != "fulfilSteps") return std::vector<Digest>{payment.transaction};
  const auto answers = delivery_of(call.value().arguments[1], market.deployment(), id_bytes);
  if (!answers) return base::Err{answers.error()};
  const auto last = read_step(call.value().arguments[2]);
  if (!last) return chain::fail(Cause::kReply, "the payment's step is malformed");
  const chain::LogFilter filter = steps_of(market, payment.from, answers.value(), last->proof_hash, id_bytes);
  const std::uint64_t first = block > most_blocks ? block - most_blocks : 0;
  const auto logs = market.chain().logs(filter, first, block);
  if (!logs) return base::Err{logs.error()};
  // A proof may have been begun more than once: the last transaction of each number counts.
  std::vector<std::optional<Digest>> found(static_cast<std::size_t>(std::min<std::uint64_t>(last->number, 1024)));
  for (const chain::Log& log : logs.value().logs) {
    const auto decoded = interface_of(Contract::kMarket).decode_log(log.body);
    if (!decoded) return base::Err{decoded.error()};
    const chain::Value* value = decoded.value().value("number");
    const auto number =
        value == nullptr || value->as<chain::U256>() == nullptr ? std::nullopt : value->as<chain::U256>()->to_u64();
    if (number && *number < found.size()) found[static_cast<std::size_t>(*number)] = log.transaction;
  }
  std::vector<Digest> transactions;
  for (const auto& one : found) {
    if (!one) return chain::fail(Cause::kReply, fmt::format("step {} of the proof was not found", transactions.size()));
    transactions.push_back(*one);
  }
  if (transactions.size() != last->number) return chain::fail(Cause::kReply, "more steps than a proof has");
  transactions.push_back(payment.transaction);
  return transactions;
}

}  // namespace avow::market
