// SPDX-License-Identifier: Apache-2.0
#include "market/delivered.hpp"

#include "answer/delivery.hpp"
#include "base/check.hpp"
#include "market/fields.hpp"

namespace avow::market {
namespace {

using base::Bytes;
using base::ByteView;
using chain::Cause;
using chain::Value;

Bytes shown_bytes(const answer::Answer& answer, unsigned id_bytes) {
  Bytes bytes;
  for (const answer::Shown& shown : answer.shown) {
    for (const std::uint32_t half : {shown.last_k, shown.last_p}) {
      bytes.push_back(static_cast<std::uint8_t>(half >> 8));
      bytes.push_back(static_cast<std::uint8_t>(half));
    }
    base::append(bytes, answer::encode_ids({&shown.likeliest, 1}, id_bytes));
  }
  return bytes;
}

std::optional<std::vector<answer::Shown>> shown_of(ByteView bytes, unsigned id_bytes) {
  const std::size_t size = 4 + id_bytes;
  if (bytes.size() % size != 0 || bytes.size() / size > answer::kMostIds) return std::nullopt;
  std::vector<answer::Shown> all;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const std::uint32_t both = base::load_be32(&bytes[at]);
    const auto likeliest = answer::decode_ids(bytes.subspan(at + 4, id_bytes), id_bytes);
    all.push_back({both >> 16, both & 0xffff, (*likeliest)[0]});
  }
  return all;
}

base::Err<chain::Error> no_delivery(const char* why) {
  return chain::fail(Cause::kReply, std::string("no delivery: ") + why);
}

struct AnswerWithRequest {
  answer::Answer answer;
  Request request;
};

chain::Result<AnswerWithRequest> read_answer_value(const Value& value, const Deployment& where, unsigned id_bytes) {
  const auto* members = value.as<Value::List>();
  if (members == nullptr || members->empty()) return no_delivery("an answer is malformed");
  auto request = request_of((*members)[0]);
  if (!request) return base::Err{request.error()};
  FieldReader fields(value);
  (void)fields.nested();
  const auto end = fields.small<std::uint8_t>();
  const Bytes output = fields.bytes(), shown = fields.bytes();
  if (!fields.is_done() || end > 1) return no_delivery("an answer is malformed");
  const base::Digest id = id_of(request.value(), where.chain_id, where.at(Contract::kMarket));
  auto asked_for = asked(request.value(), id, id_bytes);
  auto output_ids = answer::decode_ids(output, id_bytes);
  auto shown_all = shown_of(shown, id_bytes);
  if (!asked_for || asked_for->stop_ids.size() > answer::kMostStopIds || !output_ids || !shown_all ||
      shown_all->size() != output_ids->size()) {
    return no_delivery("a list of ids is none");
  }
  return AnswerWithRequest{{std::move(*asked_for), std::move(*output_ids), std::move(*shown_all), answer::End{end}},
                           std::move(request).value()};
}

}  // namespace

Value to_value(const DeliveredAnswers& answers, unsigned id_bytes) {
  AVOW_CHECK(answers.requests.size() == answers.delivery.answers.size());
  Value::List list;
  for (std::size_t i = 0; i < answers.requests.size(); ++i) {
    const answer::Answer& one = answers.delivery.answers[i];
    list.emplace_back(Value::List{to_value(answers.requests[i]), std::uint64_t{static_cast<std::uint8_t>(one.end)},
                                  answer::encode_ids(one.output, id_bytes), shown_bytes(one, id_bytes)});
  }
  return Value::List{answers.delivery.model_id, answers.verifier, chain::Address{answers.delivery.payee}, Value(list)};
}

chain::Result<DeliveredAnswers> delivery_of(const Value& value, const Deployment& deployment, unsigned id_bytes) {
  DeliveredAnswers all;
  FieldReader fields(value);
  all.delivery.model_id = fields.digest();
  all.verifier = fields.address();
  all.delivery.payee = fields.address().bytes;
  const Value::List list = fields.list();
  if (!fields.is_done()) return no_delivery("it is malformed");
  all.delivery.chain_id = chain::U256(deployment.chain_id).to_bytes();
  all.delivery.market = deployment.at(Contract::kMarket).bytes;
  if (list.empty() || list.size() > compile::kMostRequests) return no_delivery("it has no answers, or too many");
  for (const Value& one : list) {
    auto read = read_answer_value(one, deployment, id_bytes);
    if (!read) return base::Err{read.error()};
    all.delivery.answers.push_back(std::move(read.value().answer));
    all.requests.push_back(std::move(read.value().request));
  }
  return all;
}

}  // namespace avow::market
