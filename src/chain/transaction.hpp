// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/key.hpp"
#include "chain/rlp.hpp"

namespace avow::chain {

struct AccessListEntry {
  Address address;
  std::vector<base::Digest> slots;

  friend bool operator==(const AccessListEntry&, const AccessListEntry&) = default;
};

/// A transaction of EIP-1559 (type 2).
struct Transaction {
  std::uint64_t chain_id = 0;
  std::uint64_t nonce = 0;
  U256 max_priority_fee;  ///< wei for each gas, to who makes the block
  U256 max_fee;           ///< wei for each gas, at most
  std::uint64_t gas_limit = 0;
  std::optional<Address> to;  ///< none: creates a contract
  U256 value;                 ///< wei
  base::Bytes data;
  std::vector<AccessListEntry> access_list;

  friend bool operator==(const Transaction&, const Transaction&) = default;
};

struct SignedTransaction {
  Transaction transaction;
  Signature signature;
  Address sender;
  base::Bytes bytes;  ///< as nodes take it
  base::Digest hash{};
};

/// "transaction 0x... of nonce 7".
[[nodiscard]] std::string to_string(const SignedTransaction& transaction);

[[nodiscard]] base::Digest signing_hash(const Transaction& transaction);
[[nodiscard]] SignedTransaction sign(const Transaction& transaction, const PrivateKey& key);

/// The transaction of these bytes, whose sender signed it; in the one form that it has.
[[nodiscard]] Result<SignedTransaction> parse_transaction(base::ByteView bytes);

}  // namespace avow::chain
