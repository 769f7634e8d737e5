// SPDX-License-Identifier: Apache-2.0
#include "chain/key.hpp"

#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"
#include "chain/rlp.hpp"
#include "hash/keccak.hpp"

namespace avow::chain {
namespace {

using testing::digest;
using testing::good;
using testing::hex;
using testing::verdict;

constexpr char kOrder[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

TEST(Keys, HaveTheirAddresses) {
  // The first of anvil's well-known development keys.
  const auto key =
      good(PrivateKey::from_bytes(hex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")));
  EXPECT_EQ(to_string(key.address()), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
}

TEST(Keys, SignTheExampleOfEip712) {
  const base::Bytes cow{'c', 'o', 'w'};
  const auto key = good(PrivateKey::from_bytes(hash::keccak256(cow)));
  EXPECT_EQ(to_string(key.address()), "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826");
  const auto message = digest("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
  const Signature signature = key.sign(message);
  EXPECT_EQ(base::to_hex(signature.r), "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d");
  EXPECT_EQ(base::to_hex(signature.s), "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562");
  EXPECT_EQ(signature.y_parity, 1);
  EXPECT_EQ(good(recover(message, signature)), key.address());
  EXPECT_EQ(good(parse_signature(to_bytes(signature))), signature);
}

TEST(Keys, SignTheExampleOfEip155) {
  const auto key = good(PrivateKey::from_bytes(base::Bytes(32, 0x46)));
  const auto receiver = Rlp::string(base::Bytes(20, 0x35));
  const U256 ether = good(parse_units("1", 18));
  const U256 price = good(parse_units("20", 9));
  const Rlp list = Rlp::list({Rlp::number(9), Rlp::number(price), Rlp::number(21000), receiver, Rlp::number(ether),
                              Rlp::string({}), Rlp::number(1), Rlp::number(0), Rlp::number(0)});
  const auto message = hash::keccak256(encode(list));
  EXPECT_EQ(base::to_hex(message), "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
  const Signature signature = key.sign(message);
  EXPECT_EQ(base::to_hex(signature.r), "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
  EXPECT_EQ(base::to_hex(signature.s), "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
  EXPECT_EQ(signature.y_parity, 0);
}

TEST(Keys, BytesThatAreNoKeyAreRefused) {
  for (const auto& bytes :
       {base::Bytes(32), hex(kOrder), base::Bytes(32, 0xff), base::Bytes(31, 1), base::Bytes(33, 1), base::Bytes{}}) {
    EXPECT_EQ(verdict(PrivateKey::from_bytes(bytes)), "key.invalid");
  }
  const auto a = good(PrivateKey::generate());
  const auto b = good(PrivateKey::generate());
  EXPECT_NE(a.address(), b.address());
}

TEST(Keys, SignaturesThatNobodyMadeAreRefused) {
  const auto key = good(PrivateKey::from_bytes(base::Bytes(32, 0x46)));
  const base::Digest message{1};
  const Signature honest = key.sign(message);
  const auto with = [&](const auto& change) {
    Signature changed = honest;
    change(changed);
    return verdict(recover(message, changed));
  };
  EXPECT_EQ(with([](Signature& s) { s.r = {}; }), "key.signature");
  EXPECT_EQ(with([](Signature& s) { s.s = {}; }), "key.signature");
  EXPECT_EQ(with([](Signature& s) { s.r.fill(0xff); }), "key.signature");
  EXPECT_EQ(with([](Signature& s) { s.y_parity = 2; }), "key.signature");
  // The same signature with a high s.
  EXPECT_EQ(with([](Signature& s) {
              s.s = subtract(*U256::from_bytes(hex(kOrder)), *U256::from_bytes(s.s))->to_bytes();
              s.y_parity ^= 1;
            }),
            "key.signature");
  Signature other = honest;
  other.y_parity ^= 1;
  EXPECT_NE(good(recover(message, other)), key.address());
  const auto bytes = to_bytes(honest);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(verdict(parse_signature(base::ByteView(bytes).first(length))), "key.signature") << length;
  }
}

}  // namespace
}  // namespace avow::chain
