// SPDX-License-Identifier: Apache-2.0
#include "market/request.hpp"

#include "base/check.hpp"
#include "chain/typed_data.hpp"
#include "hash/keccak.hpp"
#include "market/contracts.hpp"
#include "market/fields.hpp"

namespace avow::market {
namespace {

using chain::Type;
using chain::Value;

Value sampling_value(const answer::Sampling& sampling) {
  return Value::List{std::uint64_t{sampling.tau}, std::uint64_t{sampling.top_k}, std::uint64_t{sampling.portion},
                     sampling.seed};
}

Value offer_value(const Offer& offer) {
  return Value::List{offer.min_price,
                     offer.max_price,
                     std::uint64_t{offer.base_permille},
                     offer.ramp_start,
                     std::uint64_t{offer.ramp_length},
                     std::uint64_t{offer.lock_duration},
                     offer.deadline,
                     offer.bond};
}

Offer read_offer(FieldReader& from) {
  Offer offer;
  FieldReader fields = from.nested();
  offer.min_price = fields.number();
  offer.max_price = fields.number();
  offer.base_permille = fields.small<std::uint16_t>();
  offer.ramp_start = fields.small<std::uint64_t>();
  offer.ramp_length = fields.small<std::uint32_t>();
  offer.lock_duration = fields.small<std::uint32_t>();
  offer.deadline = fields.small<std::uint64_t>();
  offer.bond = fields.number();
  from.join(fields);
  return offer;
}

answer::Sampling read_sampling(FieldReader& from) {
  answer::Sampling sampling;
  FieldReader fields = from.nested();
  sampling.tau = fields.small<std::uint32_t>();
  sampling.top_k = fields.small<std::uint32_t>();
  sampling.portion = fields.small<std::uint32_t>();
  sampling.seed = fields.digest();
  from.join(fields);
  return sampling;
}

// The struct as the market's ABI has it, names of nested structs included: its EIP-712 type is not written down again.
const Type& request_type() {
  static const Type& type = [&]() -> const Type& {
    const auto function = interface_of(Contract::kMarket).function("request");
    AVOW_CHECK(function.ok());
    return function.value()->inputs[0].type;
  }();
  return type;
}

base::Digest sampling_hash(const answer::Sampling& sampling) {
  for (const chain::Field& field : request_type().parts) {
    if (field.name != "sampling") continue;
    const auto hash = chain::hash_struct(field.type, sampling_value(sampling));
    AVOW_CHECK(hash.ok());
    return hash.value();
  }
  AVOW_CHECK(false);
  return {};
}

}  // namespace

Value to_value(const Request& request) {
  return Value::List{request.requester,
                     request.nonce,
                     request.model_id,
                     request.verifier,
                     request.input,
                     std::uint64_t{request.max_new_tokens},
                     sampling_value(request.sampling),
                     request.stop_ids,
                     offer_value(request.offer),
                     std::uint64_t{request.mode},
                     request.input_commitment};
}

chain::Result<Request> request_of(const Value& value) {
  FieldReader fields(value);
  Request request;
  request.requester = fields.address();
  request.nonce = fields.number();
  request.model_id = fields.digest();
  request.verifier = fields.address();
  request.input = fields.bytes();
  request.max_new_tokens = fields.small<std::uint32_t>();
  request.sampling = read_sampling(fields);
  request.stop_ids = fields.bytes();
  request.offer = read_offer(fields);
  request.mode = fields.small<std::uint8_t>();
  request.input_commitment = fields.digest();
  if (!fields.is_done()) return chain::fail(chain::Cause::kReply, "a request with other fields than the market's");
  return request;
}

Value terms_of(const Request& request) {
  return Value::List{request.requester,
                     request.nonce,
                     request.model_id,
                     request.verifier,
                     hash::keccak256(request.input),
                     std::uint64_t{request.max_new_tokens},
                     sampling_hash(request.sampling),
                     hash::keccak256(request.stop_ids),
                     offer_value(request.offer),
                     std::uint64_t{request.mode},
                     request.input_commitment};
}

base::Digest id_of(const Request& request, std::uint64_t chain_id, const chain::Address& market) {
  const auto hash = chain::hash_struct(request_type(), to_value(request));
  AVOW_CHECK(hash.ok());
  const chain::Domain domain{"Avow Market", "1", chain_id, market, {}};
  return chain::typed_data_digest(chain::domain_separator(domain), hash.value());
}

std::optional<answer::Request> asked(const Request& request, const base::Digest& id, unsigned id_bytes) {
  auto input = decode_ids(request.input, id_bytes);
  auto stop_ids = decode_ids(request.stop_ids, id_bytes);
  if (!input || !stop_ids) return std::nullopt;
  return answer::Request{id, std::move(*input), request.max_new_tokens, request.sampling, std::move(*stop_ids)};
}

chain::U256 price_at(const Offer& offer, std::uint64_t timestamp) {
  if (offer.ramp_length == 0) return offer.max_price;
  if (timestamp <= offer.ramp_start) return offer.min_price;
  const std::uint64_t passed = timestamp - offer.ramp_start;
  const auto range = subtract(offer.max_price, offer.min_price);
  if (passed >= offer.ramp_length || !range) return offer.max_price;
  const auto product = multiply(*range, passed);
  return product ? *add(offer.min_price, divide(*product, offer.ramp_length)) : chain::U256();
}

chain::U256 payment_of(const chain::U256& price, std::uint16_t base_permille, std::uint32_t produced,
                       std::uint32_t max_new_tokens) {
  if (max_new_tokens == 0 || base_permille > 1000) return {};
  const std::uint64_t parts =
      std::uint64_t{base_permille} * max_new_tokens + std::uint64_t{1000U - base_permille} * produced;
  const auto product = multiply(price, parts);
  return product ? divide(*product, std::uint64_t{1000} * max_new_tokens) : chain::U256();
}

}  // namespace avow::market
