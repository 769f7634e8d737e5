// SPDX-License-Identifier: Apache-2.0
// spec/vectors/answers.json, made again: a request's id on a chain, deliveries with their instances, a key's
// application bytes, a proof file. AVOW_WRITE_VECTORS=1 writes the file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string_view>

#include <nlohmann/json.hpp>

#include "answer/answers_testing.hpp"
#include "answer/proof_file.hpp"
#include "base/hex.hpp"
#include "compile/plan_bytes.hpp"
#include "hash/keccak.hpp"

namespace avow::answer {
namespace {

using base::to_hex;
using Json = nlohmann::ordered_json;

// EIP-712, as spec/answer.md section 1 has it.
constexpr std::string_view kRequestType =
    "Request(address requester,uint256 nonce,bytes32 modelId,address verifier,bytes input,uint32 maxNewTokens,"
    "Sampling sampling,bytes stopIds,Offer offer,uint8 mode,bytes32 inputCommitment)";
constexpr std::string_view kOfferType =
    "Offer(uint256 minPrice,uint256 maxPrice,uint16 basePermille,uint64 rampStart,uint32 rampLength,"
    "uint32 lockDuration,uint64 deadline,uint256 bond)";
constexpr std::string_view kSamplingType = "Sampling(uint32 tau,uint32 topK,uint32 portion,bytes32 seed)";
constexpr std::string_view kDomainType =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";

base::Digest hash_text(std::string_view text) {
  return hash::keccak256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// Words of 32 bytes.
class Words {
 public:
  Words& number(std::uint64_t value) {
    bytes_.resize(bytes_.size() + 24);
    base::append_be64(bytes_, value);
    return *this;
  }
  Words& address(const Address& value) {
    bytes_.resize(bytes_.size() + 12);
    base::append(bytes_, value);
    return *this;
  }
  Words& word(const base::Digest& value) {
    base::append(bytes_, value);
    return *this;
  }
  [[nodiscard]] base::Digest hash() const { return hash::keccak256(bytes_); }

 private:
  base::Bytes bytes_;
};

base::Bytes two_byte_ids(const std::vector<std::uint32_t>& ids) {
  base::Bytes bytes;
  for (const std::uint32_t id : ids) {
    bytes.push_back(static_cast<std::uint8_t>(id));
    bytes.push_back(static_cast<std::uint8_t>(id >> 8));
  }
  return bytes;
}

// The request of the example's second answer, with an offer; gives the delivery the request's id.
Json make_request(Delivery& delivery) {
  delivery.chain_id = {};
  base::store_be64(&delivery.chain_id[24], 31337);
  Request& request = delivery.answers[1].request;
  const Sampling& sampling = request.sampling;
  Address requester{}, verifier{};
  requester.fill(0xaa), verifier.fill(0xbb);
  const std::string request_type = std::string(kRequestType) + std::string(kOfferType) + std::string(kSamplingType);
  const base::Digest sampling_hash = Words()
                                         .word(hash_text(kSamplingType))
                                         .number(sampling.tau)
                                         .number(sampling.top_k)
                                         .number(sampling.portion)
                                         .word(sampling.seed)
                                         .hash();
  const base::Digest offer_hash = Words()
                                      .word(hash_text(kOfferType))
                                      .number(1000)
                                      .number(2000)
                                      .number(100)
                                      .number(1800000000)
                                      .number(60)
                                      .number(600)
                                      .number(1800003600)
                                      .number(3000)
                                      .hash();
  const base::Bytes input = two_byte_ids(request.input), stop_ids = two_byte_ids(request.stop_ids);
  const base::Digest request_hash = Words()
                                        .word(hash_text(request_type))
                                        .address(requester)
                                        .number(7)
                                        .word(delivery.model_id)
                                        .address(verifier)
                                        .word(hash::keccak256(input))
                                        .number(request.max_new_tokens)
                                        .word(sampling_hash)
                                        .word(hash::keccak256(stop_ids))
                                        .word(offer_hash)
                                        .number(0)
                                        .word({})
                                        .hash();
  const base::Digest domain = Words()
                                  .word(hash_text(kDomainType))
                                  .word(hash_text("Avow Market"))
                                  .word(hash_text("1"))
                                  .word(delivery.chain_id)
                                  .address(delivery.market)
                                  .hash();
  base::Bytes message = {0x19, 0x01};
  base::append(message, domain);
  base::append(message, request_hash);
  request.id = hash::keccak256(message);
  return {{"type", request_type},
          {"type_hash", to_hex(hash_text(request_type))},
          {"domain_type", kDomainType},
          {"domain_name", "Avow Market"},
          {"domain_version", "1"},
          {"chain_id", 31337},
          {"market", to_hex(delivery.market)},
          {"domain_separator", to_hex(domain)},
          {"requester", to_hex(requester)},
          {"nonce", 7},
          {"model_id", to_hex(delivery.model_id)},
          {"verifier", to_hex(verifier)},
          {"input", to_hex(input)},
          {"max_new_tokens", request.max_new_tokens},
          {"sampling", {sampling.tau, sampling.top_k, sampling.portion, to_hex(sampling.seed)}},
          {"stop_ids", to_hex(stop_ids)},
          {"offer", {1000, 2000, 100, 1800000000, 60, 600, 1800003600, 3000}},
          {"mode", 0},
          {"input_commitment", to_hex(base::Digest{})},
          {"id", to_hex(request.id)}};
}

Json answer_json(const Answer& answer) {
  const Request& request = answer.request;
  Json shown = Json::array();
  for (const Shown& of_step : answer.shown) shown.push_back({of_step.last_k, of_step.last_p, of_step.likeliest});
  return {{"id", to_hex(request.id)},
          {"max_new_tokens", request.max_new_tokens},
          {"tau", request.sampling.tau},
          {"top_k", request.sampling.top_k},
          {"portion", request.sampling.portion},
          {"seed", to_hex(request.sampling.seed)},
          {"stop_ids", request.stop_ids},
          {"input", request.input},
          {"output", answer.output},
          {"shown", shown},
          {"end", static_cast<unsigned>(answer.end)}};
}

Json delivery_json(std::string_view name, const Delivery& delivery, const compile::Plan& plan) {
  EXPECT_EQ(testing::verdict(check(delivery, plan)), "accepted");
  const unsigned width = id_bytes(plan.vocabulary);
  const auto instance = instance_of(delivery, plan);
  Json answers = Json::array();
  for (const Answer& answer : delivery.answers) answers.push_back(answer_json(answer));
  return {{"name", name},
          {"vocabulary", plan.vocabulary},
          {"id_bytes", width},
          {"model_id", to_hex(delivery.model_id)},
          {"chain_id", to_hex(delivery.chain_id)},
          {"market", to_hex(delivery.market)},
          {"payee", to_hex(delivery.payee)},
          {"answers", answers},
          {"bytes", to_hex(encode(delivery, width))},
          {"lengths", instance.lengths},
          {"values", instance.values}};
}

TEST(Vectors, AreMadeAgain) {
  Delivery on_chain = testing::example_delivery();
  const Json request = make_request(on_chain);
  Delivery off_chain{on_chain.model_id, {}, {}, {}, {on_chain.answers[2]}};
  off_chain.answers[0].request.input = {0x010203, 0x0fff};
  compile::Plan large = testing::small_plan();
  large.vocabulary = 1 << 17;
  ModelInfo info{testing::small_plan(), {}, {}};
  info.tokenizer.fill(0x66), info.content.fill(0x77);
  const ProofFile file{{1, 2, 3}, encode(off_chain, 3), {4, 5}};
  const Json made = {
      {"version", 1},
      {"request", request},
      {"deliveries",
       {delivery_json("on_chain", on_chain, testing::small_plan()), delivery_json("off_chain", off_chain, large)}},
      {"application",
       {{"tokenizer", to_hex(info.tokenizer)},
        {"content", to_hex(info.content)},
        {"plan", to_hex(compile::to_bytes(info.plan))},
        {"bytes", to_hex(application_bytes(info))}}},
      {"proof_file",
       {{"key", to_hex(file.key)},
        {"delivery", to_hex(file.delivery)},
        {"proof", to_hex(file.proof)},
        {"bytes", to_hex(encode(file))}}}};
  const std::string path = AVOW_SOURCE_DIR "/spec/vectors/answers.json";
  if (std::getenv("AVOW_WRITE_VECTORS") != nullptr) std::ofstream(path) << made.dump(1) << "\n";
  std::ifstream stored(path);
  ASSERT_TRUE(stored) << path;
  EXPECT_EQ(Json::parse(stored), made);
}

}  // namespace
}  // namespace avow::answer
