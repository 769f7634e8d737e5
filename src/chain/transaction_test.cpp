// SPDX-License-Identifier: Apache-2.0
#include "chain/transaction.hpp"

#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"
#include "hash/keccak.hpp"

namespace avow::chain {
namespace {

using testing::good;
using testing::verdict;

PrivateKey sender_key() { return good(PrivateKey::from_bytes(base::Bytes(32, 0x46))); }

Transaction example() {
  Transaction t;
  t.chain_id = 31337;
  t.nonce = 7;
  t.max_priority_fee = 1'000'000'000;
  t.max_fee = 30'000'000'000;
  t.gas_limit = 100'000;
  t.to = Address{{1, 2, 3}};
  t.value = U256::power_of_two(80);
  t.data = base::Bytes(100, 0xab);
  t.access_list = {{Address{{9}}, {base::Digest{1}, base::Digest{2}}}, {Address{{8}}, {}}};
  return t;
}

TEST(Transactions, ComeBackWithTheirSender) {
  const auto key = sender_key();
  Transaction creation = example();
  creation.to.reset();
  for (const Transaction& transaction : {example(), creation, Transaction{}}) {
    const SignedTransaction made = sign(transaction, key);
    const SignedTransaction read = good(parse_transaction(made.bytes));
    EXPECT_EQ(read.transaction, transaction);
    EXPECT_EQ(read.sender, key.address());
    EXPECT_EQ(read.hash, made.hash);
    EXPECT_EQ(made.hash, hash::keccak256(made.bytes));
  }
}

TEST(Transactions, AreThoseThatOthersMake) {
  // By foundry's cast, with the first of anvil's well-known development keys.
  const auto bytes = testing::hex(
      "02f86c827a6903843b9aca00847735940082c35094000000000000000000000000000000000000dead0780c001a007906252490aee941234"
      "500cc2ecd06101efd6f845774cb4537080f65dec03dda064786045431db01cfb36a56bb65a0623f187c616877088a6c54be41b8d98219f");
  const auto key =
      good(PrivateKey::from_bytes(testing::hex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")));
  Transaction expected;
  expected.chain_id = 31337;
  expected.nonce = 3;
  expected.max_priority_fee = 1'000'000'000;
  expected.max_fee = 2'000'000'000;
  expected.gas_limit = 50'000;
  expected.to = good(parse_address("0x000000000000000000000000000000000000dEaD"));
  expected.value = 7;
  EXPECT_EQ(base::to_hex(sign(expected, key).bytes), base::to_hex(bytes));
  EXPECT_EQ(good(parse_transaction(bytes)).transaction, expected);
}

TEST(Transactions, AreRefusedAtEveryLength) {
  const auto bytes = sign(example(), sender_key()).bytes;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_NE(verdict(parse_transaction(base::ByteView(bytes).first(length))), "ok") << length;
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(verdict(parse_transaction(longer)), "rlp.trailing");
}

TEST(Transactions, AnyChangedByteIsRefusedOrSomebodyElses) {
  const auto key = sender_key();
  const auto bytes = sign(example(), key).bytes;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); bit += 3) {
    auto changed = bytes;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto read = parse_transaction(changed);
    if (!read) continue;
    EXPECT_NE(read.value().sender, key.address()) << bit;
  }
}

TEST(Transactions, FieldsThatAreNotAsTheyShouldBeAreRefused) {
  const auto bytes = sign(example(), sender_key()).bytes;
  const Rlp item = good(decode_rlp(base::ByteView(bytes).subspan(1)));
  const auto with = [&](std::size_t field, Rlp value) {
    Rlp changed = item;
    changed.items[field] = std::move(value);
    base::Bytes encoded{2};
    base::append(encoded, encode(changed));
    return verdict(parse_transaction(encoded));
  };
  EXPECT_EQ(with(0, Rlp::number(U256::power_of_two(64))), "transaction.invalid");
  EXPECT_EQ(with(1, Rlp::string(base::Bytes{0})), "transaction.invalid");
  EXPECT_EQ(with(5, Rlp::string(base::Bytes(19, 1))), "transaction.invalid");
  EXPECT_EQ(with(5, Rlp::list({Rlp::number(1)})), "transaction.invalid");
  EXPECT_EQ(with(7, Rlp::list({})), "transaction.invalid");
  EXPECT_EQ(with(8, Rlp::string({})), "transaction.invalid");
  EXPECT_EQ(with(8, Rlp::list({Rlp::number(1)})), "transaction.invalid");
  EXPECT_EQ(with(9, Rlp::number(2)), "transaction.invalid");
  EXPECT_EQ(with(9, Rlp::number(257)), "transaction.invalid");
  EXPECT_EQ(with(10, Rlp::number(0)), "key.signature");
  auto other_type = bytes;
  other_type[0] = 1;
  EXPECT_EQ(verdict(parse_transaction(other_type)), "transaction.invalid");
  EXPECT_EQ(verdict(parse_transaction(base::Bytes{2, 0xc0})), "transaction.invalid");
}

}  // namespace
}  // namespace avow::chain
