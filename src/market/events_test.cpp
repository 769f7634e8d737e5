// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"
#include "market/events.hpp"

namespace avow::market {
namespace {

using chain::testing::good;
using chain::testing::verdict;

// A log as the contract would write it, from one word for each indexed value and the rest.
chain::Log log_of(const char* event, const std::vector<base::Digest>& indexed, const chain::Value::List& rest) {
  const auto* entry = good(interface_of(Contract::kMarket).event(event));
  chain::Log log;
  log.body.topics = {chain::topic_of(entry->signature)};
  log.body.topics.insert(log.body.topics.end(), indexed.begin(), indexed.end());
  std::vector<chain::Field> fields;
  for (const chain::Field& field : entry->inputs) {
    if (!field.is_indexed) fields.push_back(field);
  }
  log.body.data = good(chain::encode_abi(fields, rest));
  return log;
}

base::Digest word_of(const chain::Address& address) {
  base::Digest word{};
  std::copy(address.bytes.begin(), address.bytes.end(), word.begin() + 12);
  return word;
}

const base::Digest kId = {1, 2, 3};
const chain::Address kAccount = {{9, 8}};

template <typename T>
T event(const chain::Log& log) {
  const auto found = good(event_of(log));
  EXPECT_TRUE(found && std::holds_alternative<T>(*found));
  return found && std::holds_alternative<T>(*found) ? std::get<T>(*found) : T{};
}

TEST(Events, AreReadAsTheMarketWritesThem) {
  Request request;
  request.requester = kAccount;
  request.input = {1, 0};
  request.offer.max_price = 77;
  const auto posted = event<Requested>(log_of("Requested", {kId, word_of(kAccount), {5}}, {to_value(request)}));
  EXPECT_EQ(posted.id, kId);
  EXPECT_EQ(posted.request, request);
  const auto locked = event<Locked>(log_of("Locked", {kId, word_of(kAccount)}, {7, 8}));
  EXPECT_EQ(locked.locker, kAccount);
  EXPECT_EQ(locked.price, chain::U256(7));
  EXPECT_EQ(locked.until, 8U);
  EXPECT_EQ(event<Cancelling>(log_of("Cancelling", {kId}, {12})).effective_block, 12U);
  const auto paid = event<Fulfilled>(log_of("Fulfilled", {kId, word_of(kAccount)}, {7, 1, 1, base::Bytes{4, 0}}));
  EXPECT_EQ(paid.payee, kAccount);
  EXPECT_EQ(paid.payment, chain::U256(7));
  EXPECT_EQ(paid.fee, chain::U256(1));
  EXPECT_EQ(paid.end, 1);
  EXPECT_EQ(paid.output, (base::Bytes{4, 0}));
  EXPECT_EQ(event<ItemSkipped>(log_of("ItemSkipped", {kId}, {4})).reason, Reason::kFulfilled);
  EXPECT_EQ(event<Refunded>(log_of("Refunded", {kId, word_of(kAccount)}, {7, 3})).before, Status::kCancelling);
  EXPECT_EQ(event<BondReturned>(log_of("BondReturned", {kId, word_of(kAccount)}, {7})).amount, chain::U256(7));
  const auto slashed = event<BondSlashed>(log_of("BondSlashed", {kId, word_of(kAccount)}, {3, 4}));
  EXPECT_EQ(slashed.bounty, chain::U256(3));
  EXPECT_EQ(slashed.burned, chain::U256(4));
}

TEST(Events, OthersOfTheMarketAreNone) {
  const auto nonce = good(event_of(log_of("NonceCancelled", {word_of(kAccount)}, {3})));
  EXPECT_FALSE(nonce);
}

TEST(Events, RefuseWhatTheMarketDoesNotSay) {
  EXPECT_EQ(verdict(event_of(log_of("ItemSkipped", {kId}, {10}))), "rpc.reply") << "no such reason";
  EXPECT_EQ(verdict(event_of(log_of("Refunded", {kId, word_of(kAccount)}, {7, 6}))), "rpc.reply") << "no such status";
  EXPECT_EQ(verdict(event_of(log_of("Locked", {kId, word_of(kAccount)}, {7, chain::U256::max()}))), "rpc.reply");
  chain::Log unknown = log_of("Cancelling", {kId}, {12});
  unknown.body.topics[0] = {};
  EXPECT_FALSE(event_of(unknown).ok());
  chain::Log cut = log_of("Cancelling", {kId}, {12});
  cut.body.data.pop_back();
  EXPECT_FALSE(event_of(cut).ok());
}

TEST(Events, HaveNamesForEverything) {
  EXPECT_STREQ(name(Status::kCancelling), "cancelling");
  EXPECT_STREQ(name(Reason::kLockedByAnother), "locked by another");
  EXPECT_EQ(*request_id(Event(Cancelling{kId, 1})), kId);
  EXPECT_EQ(request_id(Event(Frozen{})), nullptr);
}

}  // namespace
}  // namespace avow::market
