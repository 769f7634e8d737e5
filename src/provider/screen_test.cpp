// SPDX-License-Identifier: Apache-2.0
#include "provider/screen.hpp"

#include <gtest/gtest.h>

#include "answer/delivery.hpp"
#include "market/market_testing.hpp"
#include "provider/job_testing.hpp"

namespace avow::provider {
namespace {

using testing::address_of;

constexpr std::uint8_t kVerifier = 0xbb;

// The bundled model's plan, and a request that it can answer.
const compile::Plan& plan() { return market::testing::bundled_model().contents.model.plan; }

market::Request honest() {
  market::Request request = testing::job_of(1, testing::tokens(1)).request;
  request.verifier = address_of(kVerifier);
  return request;
}

std::string refusal_of(const market::Request& request, const compile::Plan* of = &plan(), const Policy& policy = {}) {
  const auto refusal = screen(request, testing::digest_of(1), of, address_of(kVerifier), policy);
  return refusal ? refusal->code : "taken";
}

template <typename Change>
std::string refusal_after(const Change& change) {
  market::Request request = honest();
  change(request);
  return refusal_of(request);
}

using R = market::Request;

TEST(Screen, TakesWhatCanBeAnswered) { EXPECT_EQ(refusal_of(honest()), "taken"); }

TEST(Screen, RefusesWhatIsNotForThisProvider) {
  EXPECT_EQ(refusal_of(honest(), nullptr), "model");
  EXPECT_EQ(refusal_after([](R& request) { request.verifier = address_of(1); }), "verifier");
  EXPECT_EQ(refusal_after([](R& request) { request.mode = 1; }), "mode");
  EXPECT_EQ(refusal_after([](R& request) { request.input_commitment[0] = 1; }), "mode");
  Policy few;
  few.most_tokens = 11;
  EXPECT_EQ(refusal_of(honest(), &plan(), few), "tokens");
  few.most_tokens = 12;
  EXPECT_EQ(refusal_of(honest(), &plan(), few), "taken");
}

TEST(Screen, RefusesOffersThatNoMarketTakes) {
  EXPECT_EQ(refusal_after([](R& request) { request.offer.max_price = chain::U256::max(); }), "offer");
  EXPECT_EQ(refusal_after([](R& request) { request.offer.bond = chain::U256::max(); }), "offer");
  EXPECT_EQ(refusal_after([](R& request) { request.offer.base_permille = 65'535; }), "offer");
}

TEST(Screen, RefusesWhatNoModelAnswers) {
  EXPECT_EQ(refusal_after([](R& request) { request.input.clear(); }), "answer.input");
  EXPECT_EQ(refusal_after([](R& request) { request.input.pop_back(); }), "ids");
  EXPECT_EQ(refusal_after([](R& request) { request.stop_ids = {1}; }), "ids");
  EXPECT_EQ(refusal_after([](R& request) { request.input = {0xff, 0xff}; }), "answer.token");
  EXPECT_EQ(refusal_after([](R& request) { request.stop_ids = {0xff, 0xff}; }), "answer.token");
  EXPECT_EQ(refusal_after([](R& request) { request.stop_ids = {2, 0, 1, 0}; }), "answer.stop_ids");
  EXPECT_EQ(refusal_after([](R& request) { request.stop_ids = base::Bytes(2 * 17); }), "answer.stop_ids");
  EXPECT_EQ(refusal_after([](R& request) { request.max_new_tokens = ~std::uint32_t{0}; }), "answer.context");
  EXPECT_EQ(refusal_after([](R& request) { request.input = base::Bytes(2 * 60'000); }), "answer.context");
  EXPECT_NE(refusal_after([](R& request) { request.max_new_tokens = 0; }), "taken");
  EXPECT_EQ(refusal_after([](R& request) { request.sampling.tau = ~std::uint32_t{0}; }), "answer.sampling");
  EXPECT_EQ(refusal_after([](R& request) { request.sampling.top_k = ~std::uint32_t{0}; }), "answer.sampling");
  EXPECT_EQ(refusal_after([](R& request) { request.sampling.portion = 0; }), "answer.sampling");
  EXPECT_EQ(refusal_after([](R& request) { request.sampling.seed[5] = 1; }), "answer.sampling") << "greedy has none";
  EXPECT_EQ(refusal_after([](R& request) { request.input = base::Bytes(2 * 70'000); }), "ids") << "more than any list";
}

}  // namespace
}  // namespace avow::provider
