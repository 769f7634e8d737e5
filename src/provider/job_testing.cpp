// SPDX-License-Identifier: Apache-2.0
#include "provider/job_testing.hpp"

#include "chain/chain_testing.hpp"
#include "market/contracts.hpp"

namespace avow::provider::testing {
namespace {

using chain::testing::good;

// The log that the market makes of a request.
chain::LogBody log_of(const base::Digest& id, const market::Request& request) {
  const auto* event = good(market::interface_of(market::Contract::kMarket).event("Requested"));
  chain::LogBody log;
  log.topics.push_back(chain::topic_of(event->signature));
  std::vector<chain::Field> data_fields;
  const chain::Value::List all{id, request.requester, request.model_id, market::to_value(request)};
  chain::Value::List data;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (event->inputs[i].is_indexed) {
      log.topics.push_back(good(chain::encode_word(event->inputs[i].type, all[i])));
    } else {
      data_fields.push_back(event->inputs[i]);
      data.push_back(all[i]);
    }
  }
  log.data = good(chain::encode_abi(data_fields, data));
  return log;
}

}  // namespace

chain::U256 tokens(std::uint64_t count) { return *multiply(chain::U256(1'000'000'000'000'000'000), count); }

market::Offer offer(const chain::U256& min_price, const chain::U256& max_price) {
  return {min_price, max_price, 1'000, 0, 0, 600, kMoment + 86'400, max_price};
}

base::Digest digest_of(std::uint8_t byte) {
  base::Digest digest;
  digest.fill(byte);
  return digest;
}

chain::Address address_of(std::uint8_t byte) {
  chain::Address address;
  address.bytes.fill(byte);
  return address;
}

Job job_of(std::uint8_t number, const chain::U256& price) {
  Job job;
  job.id = digest_of(number);
  job.request.requester = address_of(0xaa);
  job.request.nonce = number;
  job.request.model_id = digest_of(0xee);
  job.request.verifier = address_of(0xbb);
  job.request.input = {1, 0, 2, 0};
  job.request.max_new_tokens = 10;
  job.request.offer = offer(price, price);
  job.log = log_of(job.id, job.request);
  job.block = {100, digest_of(0x64)};
  job.standing = {market::Status::kOpen, {}, 100};
  return job;
}

}  // namespace avow::provider::testing
