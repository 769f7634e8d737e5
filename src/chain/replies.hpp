// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "chain/interface.hpp"

namespace avow::chain {

struct BlockRef {
  std::uint64_t number = 0;
  base::Digest hash{};

  friend bool operator==(const BlockRef&, const BlockRef&) = default;
};

struct Block {
  BlockRef ref;
  base::Digest parent{};
  std::uint64_t timestamp = 0;  ///< seconds since 1970
  std::uint64_t gas_limit = 0;
  U256 base_fee;  ///< wei for each gas
};

struct Log {
  Address address;
  LogBody body;
  BlockRef block;
  base::Digest transaction{};
  std::uint64_t index = 0;  ///< in the block
};

struct Receipt {
  base::Digest transaction{};
  BlockRef block;
  bool succeeded = false;
  std::uint64_t gas_used = 0;
  U256 gas_price;                    ///< wei paid for each gas
  std::optional<Address> created{};  ///< the contract, if the transaction created one
  std::vector<Log> logs;
};

/// What a transaction called, and with what.
struct CallData {
  base::Digest transaction{};
  Address from;
  std::optional<Address> to{};  ///< none: it creates a contract
  base::Bytes data;
};

struct FeeHistory {
  std::vector<U256> base_fees;  ///< of each block, oldest first, and of the next one
  std::vector<U256> tips;       ///< of each block, at the percentile that was asked for
};

/// Results of a node, read strictly: quantities without leading zeros, data of the right length, nothing missing; a
/// receipt's logs are of its transaction and block.
/// Errors: kReply.
[[nodiscard]] Result<U256> read_quantity(const Json& json);
[[nodiscard]] Result<std::uint64_t> read_number(const Json& json);
[[nodiscard]] Result<base::Bytes> read_data(const Json& json);
[[nodiscard]] Result<base::Digest> read_digest(const Json& json);
[[nodiscard]] Result<Block> read_block(const Json& json);
[[nodiscard]] Result<Log> read_log(const Json& json);
[[nodiscard]] Result<std::vector<Log>> read_logs(const Json& json);
[[nodiscard]] Result<Receipt> read_receipt(const Json& json);
[[nodiscard]] Result<CallData> read_calldata(const Json& json);
[[nodiscard]] Result<FeeHistory> read_fee_history(const Json& json);

/// What logs take in memory, in bytes.
[[nodiscard]] std::size_t memory_of(const std::vector<Log>& logs);

/// "0x..." of bytes.
[[nodiscard]] std::string to_data(base::ByteView bytes);

}  // namespace avow::chain
