// SPDX-License-Identifier: Apache-2.0
//
// Requests, answers and payments on a real chain, and the proof found there again.
#include <gtest/gtest.h>

#include "answer/delivery.hpp"
#include "chain/chain_testing.hpp"
#include "market/market_testing.hpp"
#include "market/paid_proof.hpp"

namespace avow::market {
namespace {

using chain::testing::good;
using chain::testing::verdict;
using testing::bundled_model;
using testing::LocalMarket;

class Settling : public testing::OnLocalMarket {
 protected:
  static LocalMarket& on() { return *local(); }

  static std::vector<chain::CallRequest> plan(const DeliveredAnswers& answers, const base::Bytes& proof,
                                              const chain::ChainProfile& profile, bool is_batch = false) {
    return good(plan_settlement(on().market(), bundled_model().proving->key(), answers, proof, profile,
                                {on().account(1), 3, is_batch}));
  }
  // Sends all of it; the last transaction.
  static chain::Receipt settle(const std::vector<chain::CallRequest>& calls) {
    chain::Sender provider = on().sender(1);
    chain::Receipt last;
    for (const auto& call : calls) {
      last = good(provider.transact(call));
      EXPECT_TRUE(last.succeeded);
    }
    return last;
  }
  // What somebody who trusts neither contract nor node finds behind a payment.
  static PaidProof found(const chain::Receipt& payment) {
    const unsigned width = bundled_model().id_bytes();
    const auto call = good(on().client().calldata(payment.transaction));
    EXPECT_TRUE(call);
    std::vector<base::Bytes> data;
    for (const auto& transaction : good(transactions_of_payment(on().market(), *call, payment.block.number, width))) {
      data.push_back(good(on().client().calldata(transaction))->data);
    }
    return good(proof_in(data, on().deployment(), width));
  }
  static void expect_checked(const PaidProof& paid, const DeliveredAnswers& answers) {
    EXPECT_EQ(paid.answers, answers);
    const auto key = good(on().market().key_of(bundled_model().id()));
    const auto parsed = answer::ModelKey::parse(key);
    ASSERT_TRUE(parsed);
    const auto rejection =
        parsed.value().verify(answer::encode(paid.answers.delivery, bundled_model().id_bytes()), paid.proof);
    EXPECT_FALSE(rejection) << to_string(*rejection);
  }
};

TEST_F(Settling, PaysAnAnswerAndItsProofIsFoundAgain) {
  const Request request = on().draft("Once upon a time", 12);
  const auto id = on().post(request);
  EXPECT_EQ(good(on().market().state_of(id)).status, Status::kOpen);
  const auto [answers, proof] = on().answer({request}, on().account(1));
  const auto calls = plan(answers, proof, chain::profile_of(31337));
  ASSERT_EQ(calls.size(), 1U) << "a small proof goes in one transaction";
  const auto before = good(on().market().balance_of(on().account(1)));
  const auto receipt = settle(calls);
  const auto state = good(on().market().state_of(id));
  EXPECT_EQ(state.status, Status::kFulfilled);
  EXPECT_EQ(state.account, on().account(1));
  std::optional<Fulfilled> event;
  for (const auto& log : receipt.logs) {
    if (log.address != on().market().address(Contract::kMarket)) continue;
    const auto one = good(event_of(log));
    if (one && std::holds_alternative<Fulfilled>(*one)) event = std::get<Fulfilled>(*one);
  }
  ASSERT_TRUE(event);
  EXPECT_EQ(event->output, encode_ids(answers.delivery.answers[0].output, bundled_model().id_bytes()));
  EXPECT_EQ(event->payment, payment_of(request.offer.max_price, 500,
                                       static_cast<std::uint32_t>(answers.delivery.answers[0].output.size()), 12));
  EXPECT_EQ(good(on().market().balance_of(on().account(1))), *add(before, *subtract(event->payment, event->fee)));
  expect_checked(found(receipt), answers);
}

TEST_F(Settling, CutsAProofWhereTransactionsAreSmall) {
  const Request request = on().draft("The sun was", 6);
  (void)on().post(request);
  const auto [answers, proof] = on().answer({request}, on().account(1));
  chain::ChainProfile small = chain::profile_of(31337);
  small.most_bytes = 48'000;
  const auto calls = plan(answers, proof, small);
  ASSERT_GE(calls.size(), 3U);
  for (const auto& call : calls) EXPECT_LE(call.data.size(), small.most_bytes);
  expect_checked(found(settle(calls)), answers);
  // By gas, too.
  const Request other = on().draft("The moon was", 6);
  (void)on().post(other);
  const auto [more, second] = on().answer({other}, on().account(1));
  chain::ChainProfile frugal = chain::profile_of(31337);
  frugal.most_gas = 9'000'000;
  const auto steps = plan(more, second, frugal);
  ASSERT_GE(steps.size(), 2U);
  chain::Sender provider = on().sender(1);
  chain::Receipt last;
  for (const auto& step : steps) {
    last = good(provider.transact(step));
    EXPECT_LE(last.gas_used, frugal.most_gas);
  }
  expect_checked(found(last), more);
}

TEST_F(Settling, PaysABatchAndSkipsWhatIsPaid) {
  const std::vector<Request> requests = {on().draft("One day", 5), on().draft("Tom had", 7)};
  for (const Request& request : requests) (void)on().post(request);
  const auto [first, first_proof] = on().answer({requests[0]}, on().account(1));
  (void)settle(plan(first, first_proof, chain::profile_of(31337), true));
  const auto [both, proof] = on().answer(requests, on().account(1));
  const auto receipt = settle(plan(both, proof, chain::profile_of(31337)));
  std::optional<ItemSkipped> skipped;
  for (const auto& log : receipt.logs) {
    if (log.address != on().market().address(Contract::kMarket)) continue;
    const auto one = good(event_of(log));
    if (one && std::holds_alternative<ItemSkipped>(*one)) skipped = std::get<ItemSkipped>(*one);
  }
  ASSERT_TRUE(skipped);
  EXPECT_EQ(skipped->id, on().market().id_of(requests[0]));
  EXPECT_EQ(skipped->reason, Reason::kFulfilled);
  EXPECT_EQ(good(on().market().state_of(on().market().id_of(requests[1]))).status, Status::kFulfilled);
  expect_checked(found(receipt), both);
}

TEST_F(Settling, RefusesAProofThatDoesNotHoldBeforeAnythingIsSent) {
  const Request request = on().draft("Lily", 3);
  auto [answers, proof] = on().answer({request}, on().account(1));
  const auto try_to = [&, &answers = answers](const base::Bytes& bytes) {
    return verdict(plan_settlement(on().market(), bundled_model().proving->key(), answers, bytes,
                                   chain::profile_of(31337), {on().account(1)}));
  };
  base::Bytes changed = proof;
  changed[changed.size() / 2] ^= 1;
  EXPECT_EQ(try_to(changed), "rpc.reverted");
  changed = proof;
  changed.push_back(0);
  EXPECT_EQ(try_to(changed), "rpc.reverted");
  EXPECT_EQ(try_to(base::Bytes(proof.begin(), proof.begin() + 100)), "rpc.reverted");
  answers.delivery.payee[0] ^= 1;
  EXPECT_EQ(try_to(proof), "rpc.reverted") << "another payee";
}

TEST_F(Settling, FindsNoProofInOtherTransactions) {
  const Request request = on().draft("Ben saw", 4);
  (void)on().post(request);
  const auto [answers, proof] = on().answer({request}, on().account(1));
  chain::ChainProfile small = chain::profile_of(31337);
  small.most_bytes = 90'000;
  const auto calls = plan(answers, proof, small);
  ASSERT_GE(calls.size(), 2U);
  const unsigned width = bundled_model().id_bytes();
  std::vector<base::Bytes> data;
  for (const auto& call : calls) data.push_back(call.data);
  EXPECT_EQ(verdict(proof_in(data, on().deployment(), width)), "ok");
  const std::span<const base::Bytes> all(data);
  EXPECT_EQ(verdict(proof_in({}, on().deployment(), width)), "rpc.reply");
  EXPECT_EQ(verdict(proof_in(all.first(1), on().deployment(), width)), "rpc.reply") << "a step pays nothing";
  EXPECT_EQ(verdict(proof_in(all.subspan(1), on().deployment(), width)), "rpc.reply") << "the first step is missing";
  EXPECT_EQ(verdict(proof_in(std::vector<base::Bytes>{on().market().request(request).data}, on().deployment(), width)),
            "rpc.reply");
  for (std::size_t size = 0; size < data.back().size(); size += 997) {
    const std::vector<base::Bytes> cut{base::Bytes(data.back().begin(), data.back().begin() + static_cast<int>(size))};
    EXPECT_FALSE(proof_in(cut, on().deployment(), width).ok()) << size;
  }
}

TEST_F(Settling, ChecksWhatIsDeployed) {
  EXPECT_FALSE(check_deployment(on().client(), on().deployment()));
  EXPECT_EQ(on().deployment(), known_deployment(31337)) << "of a fresh chain's first account";
  for (std::size_t i = 0; i < kContracts; ++i) {
    Deployment other = on().deployment();
    other.contracts[i] = on().account(1);
    EXPECT_TRUE(check_deployment(on().client(), other)) << "no contract as " << name(static_cast<Contract>(i));
    other.contracts[i] = on().deployment().at(i == 0 ? Contract::kWeightVerifier : Contract::kRegistry);
    EXPECT_TRUE(check_deployment(on().client(), other)) << "another contract as " << name(static_cast<Contract>(i));
  }
}

TEST_F(Settling, AsksTheContracts) {
  MarketClient& market = on().market();
  const auto terms = good(market.terms());
  EXPECT_EQ(terms.fee_basis_points, 100U);
  EXPECT_EQ(terms.delay_blocks, 2U);
  const auto model = good(market.model_of(bundled_model().id()));
  ASSERT_TRUE(model);
  EXPECT_EQ(model->vocabulary, bundled_model().contents.model.plan.vocabulary);
  EXPECT_FALSE(good(market.model_of({1})));
  const auto all = good(market.registrations(0, good(on().client().block_number())));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].model_id, bundled_model().id());
  EXPECT_EQ(all[0].importer, "test");
  EXPECT_FALSE(good(market.is_frozen(market.address(Contract::kAnswerVerifier), bundled_model().id())));
  EXPECT_EQ(good(market.credit_of(on().account(0))), chain::U256());
  EXPECT_EQ(good(market.claimable(on().account(0), 4)).size(), 0U);
}

TEST_F(Settling, PostsByASignatureAndAPermit) {
  Request request = on().draft("A cat", 3);
  const auto id = on().market().id_of(request);
  const auto permit = good(on().market().sign_permit(on().key(0), request.offer.max_price, on().now() + 600));
  const auto signature = chain::to_bytes(on().key(0).sign(id));
  // Somebody else posts it; the requester pays.
  chain::Sender other = on().sender(1);
  EXPECT_TRUE(good(other.transact(on().market().request_for(request, signature, permit))).succeeded);
  EXPECT_EQ(good(on().market().state_of(id)).status, Status::kOpen);
  chain::Sender requester = on().sender(0);
  EXPECT_TRUE(good(requester.transact(on().market().cancel(request))).succeeded);
  on().mine(2);
  EXPECT_TRUE(good(requester.transact(on().market().refund(request))).succeeded);
  EXPECT_EQ(good(on().market().state_of(id)).status, Status::kRefunded);
}

}  // namespace
}  // namespace avow::market
