// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/hex.hpp"
#include "chain/chain_testing.hpp"
#include "market/contracts.hpp"
#include "market/request.hpp"

namespace avow::market {
namespace {

using chain::U256;
using chain::testing::digest;
using chain::testing::good;
using chain::testing::hex;
using chain::testing::verdict;

nlohmann::json stored_request() {
  std::ifstream file(std::string(AVOW_SOURCE_DIR) + "/spec/vectors/answers.json");
  return nlohmann::json::parse(file)["request"];
}

chain::Address address_in(const nlohmann::json& json) {
  return good(chain::parse_address("0x" + json.get<std::string>()));
}

Request example(const nlohmann::json& json) {
  Request request;
  request.requester = address_in(json["requester"]);
  request.nonce = json["nonce"].get<std::uint64_t>();
  request.model_id = digest(json["model_id"]);
  request.verifier = address_in(json["verifier"]);
  request.input = hex(json["input"]);
  request.max_new_tokens = json["max_new_tokens"];
  const auto& sampling = json["sampling"];
  request.sampling = {sampling[0], sampling[1], sampling[2], digest(sampling[3])};
  request.stop_ids = hex(json["stop_ids"]);
  const auto& offer = json["offer"];
  request.offer = {
      offer[0].get<std::uint64_t>(), offer[1].get<std::uint64_t>(), offer[2], offer[3], offer[4], offer[5], offer[6],
      offer[7].get<std::uint64_t>()};
  request.mode = json["mode"];
  request.input_commitment = digest(json["input_commitment"]);
  return request;
}

TEST(Request, HasTheIdOfTheSpecification) {
  const auto json = stored_request();
  const auto id = id_of(example(json), json["chain_id"], address_in(json["market"]));
  EXPECT_EQ(base::to_hex(id), json["id"].get<std::string>());
}

TEST(Request, ComesBackFromItsValue) {
  const Request request = example(stored_request());
  EXPECT_EQ(good(request_of(to_value(request))), request);
  // Through the bytes of a call, too.
  const auto& market = interface_of(Contract::kMarket);
  const auto data = good(market.encode_call("request", {to_value(request)}));
  const auto values =
      good(chain::decode_abi(good(market.function("request"))->inputs, base::ByteView(data).subspan(4)));
  EXPECT_EQ(good(request_of(values[0])), request);
}

TEST(Request, RefusesOtherValues) {
  const auto members = *to_value(example(stored_request())).as<chain::Value::List>();
  EXPECT_EQ(verdict(request_of(chain::Value(1))), "rpc.reply");
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto changed = members;
    changed[i] = chain::Value(true);
    EXPECT_EQ(verdict(request_of(chain::Value(changed))), "rpc.reply") << i;
    changed = members;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(verdict(request_of(chain::Value(changed))), "rpc.reply") << i;
  }
  auto wide = members;
  wide[5] = chain::Value(std::uint64_t{1} << 32);
  EXPECT_EQ(verdict(request_of(chain::Value(wide))), "rpc.reply") << "more tokens than 32 bits";
}

TEST(Request, IsAskedAsProversTakeIt) {
  Request request = example(stored_request());
  const auto question = asked(request, {7}, 2);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->id, base::Digest{7});
  EXPECT_EQ(question->input, std::vector<std::uint32_t>{10});
  EXPECT_EQ(question->stop_ids, (std::vector<std::uint32_t>{0, 9}));
  EXPECT_EQ(question->sampling, request.sampling);
  request.input.push_back(0);
  EXPECT_FALSE(asked(request, {}, 2)) << "ends within an id";
  request.input.assign(2 * answer::kMostIds + 2, 0);
  EXPECT_FALSE(asked(request, {}, 2)) << "more than any model reads";
}

TEST(Price, RisesAsTheMarketSays) {
  Offer offer{100, 1000, 0, 50, 9, 600, 10'000, 1000};
  EXPECT_EQ(price_at(offer, 0), U256(100));
  EXPECT_EQ(price_at(offer, 50), U256(100));
  EXPECT_EQ(price_at(offer, 51), U256(200));
  EXPECT_EQ(price_at(offer, 58), U256(900));
  EXPECT_EQ(price_at(offer, 59), U256(1000));
  EXPECT_EQ(price_at(offer, ~std::uint64_t{0}), U256(1000));
  offer.ramp_length = 7;
  EXPECT_EQ(price_at(offer, 51), U256(228)) << "rounded down";
  offer.ramp_length = 0;
  EXPECT_EQ(price_at(offer, 0), U256(1000));
  offer.ramp_start = ~std::uint64_t{0};
  offer.ramp_length = ~std::uint32_t{0};
  EXPECT_EQ(price_at(offer, 5), U256(100)) << "a sum beyond 64 bits is no sum here";
}

TEST(Price, OfWhatNoMarketTakesIsNoHarm) {
  const U256 most = U256::max();
  EXPECT_EQ(price_at({0, most, 0, 0, 1'000, 600, 10'000, most}, 999), U256()) << "the product has more than 256 bits";
  EXPECT_EQ(price_at({most, 1, 0, 0, 1'000, 600, 10'000, 1}, 999), U256(1)) << "prices that fall";
  EXPECT_EQ(payment_of(1'000, 500, 1, 0), U256()) << "no token";
  EXPECT_EQ(payment_of(1'000, 1'001, 2, 1), U256()) << "a base above the whole";
  EXPECT_EQ(payment_of(most, 0, 2, 2), U256());
}

TEST(Payment, IsByTheToken) {
  EXPECT_EQ(payment_of(1000, 500, 1, 4), U256(625));
  EXPECT_EQ(payment_of(1000, 0, 1, 3), U256(333)) << "rounded down";
  EXPECT_EQ(payment_of(1000, 1000, 1, 64), U256(1000));
  EXPECT_EQ(payment_of(1000, 123, 64, 64), U256(1000));
  const U256 largest = *subtract(U256::power_of_two(128), 1);
  EXPECT_EQ(payment_of(largest, 0, ~std::uint32_t{0}, ~std::uint32_t{0}), largest);
}

}  // namespace
}  // namespace avow::market
