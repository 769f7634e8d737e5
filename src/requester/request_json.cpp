// SPDX-License-Identifier: Apache-2.0
#include "requester/request_json.hpp"

#include <limits>

#include "requester/json_fields.hpp"

namespace avow::requester {
namespace {

template <typename T>
T number_field(JsonFields& fields, const char* key) {
  return static_cast<T>(fields.number(key, std::numeric_limits<T>::max()));
}

market::Offer parse_offer(JsonFields& parent, const nlohmann::json& json) {
  JsonFields fields(json);
  market::Offer offer;
  offer.min_price = fields.amount("minPrice");
  offer.max_price = fields.amount("maxPrice");
  offer.base_permille = number_field<std::uint16_t>(fields, "basePermille");
  offer.ramp_start = number_field<std::uint64_t>(fields, "rampStart");
  offer.ramp_length = number_field<std::uint32_t>(fields, "rampLength");
  offer.lock_duration = number_field<std::uint32_t>(fields, "lockDuration");
  offer.deadline = number_field<std::uint64_t>(fields, "deadline");
  offer.bond = fields.amount("bond");
  fields.expect_nothing_else();
  if (!fields.bad().empty()) parent.refuse("offer: " + fields.bad());
  return offer;
}

answer::Sampling parse_sampling(JsonFields& parent, const nlohmann::json& json) {
  JsonFields fields(json);
  answer::Sampling sampling;
  sampling.tau = number_field<std::uint32_t>(fields, "tau");
  sampling.top_k = number_field<std::uint32_t>(fields, "topK");
  sampling.portion = number_field<std::uint32_t>(fields, "portion");
  sampling.seed = fields.digest("seed");
  fields.expect_nothing_else();
  if (!fields.bad().empty()) parent.refuse("sampling: " + fields.bad());
  return sampling;
}

}  // namespace

nlohmann::ordered_json to_json(const market::Offer& offer) {
  return {{"minPrice", to_decimal(offer.min_price)},
          {"maxPrice", to_decimal(offer.max_price)},
          {"basePermille", offer.base_permille},
          {"rampStart", offer.ramp_start},
          {"rampLength", offer.ramp_length},
          {"lockDuration", offer.lock_duration},
          {"deadline", offer.deadline},
          {"bond", to_decimal(offer.bond)}};
}

nlohmann::ordered_json to_json(const market::Request& request) {
  const answer::Sampling& sampling = request.sampling;
  return {{"requester", to_string(request.requester)},
          {"nonce", to_decimal(request.nonce)},
          {"modelId", base::to_hex(request.model_id)},
          {"verifier", to_string(request.verifier)},
          {"input", base::to_hex(request.input)},
          {"maxNewTokens", request.max_new_tokens},
          {"sampling",
           {{"tau", sampling.tau},
            {"topK", sampling.top_k},
            {"portion", sampling.portion},
            {"seed", base::to_hex(sampling.seed)}}},
          {"stopIds", base::to_hex(request.stop_ids)},
          {"offer", to_json(request.offer)},
          {"mode", request.mode},
          {"inputCommitment", base::to_hex(request.input_commitment)}};
}

Result<market::Request> parse_request(const nlohmann::json& json) {
  JsonFields fields(json);
  market::Request request;
  request.requester = fields.address("requester");
  request.nonce = fields.amount("nonce");
  request.model_id = fields.digest("modelId");
  request.verifier = fields.address("verifier");
  request.input = fields.bytes("input");
  request.max_new_tokens = number_field<std::uint32_t>(fields, "maxNewTokens");
  request.sampling = parse_sampling(fields, fields.object("sampling"));
  request.stop_ids = fields.bytes("stopIds");
  request.offer = parse_offer(fields, fields.object("offer"));
  request.mode = number_field<std::uint8_t>(fields, "mode");
  request.input_commitment = fields.digest("inputCommitment");
  fields.expect_nothing_else();
  if (fields.bad().empty()) return request;
  return fail(Cause::kRecord, "a request in JSON is not as it should be: " + fields.bad());
}

}  // namespace avow::requester
