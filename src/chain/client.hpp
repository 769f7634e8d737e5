// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/replies.hpp"
#include "chain/rpc.hpp"

namespace avow::chain {

/// A block by its number, or by how sure it is.
class BlockId {
 public:
  BlockId(std::uint64_t number)  // NOLINT(google-explicit-constructor)
      : text_(to_quantity(number)), number_(number) {}
  static BlockId latest() { return BlockId("latest"); }
  static BlockId pending() { return BlockId("pending"); }
  static BlockId safe() { return BlockId("safe"); }
  static BlockId finalized() { return BlockId("finalized"); }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::optional<std::uint64_t> number() const { return number_; }

 private:
  explicit BlockId(const char* tag) : text_(tag) {}
  std::string text_;
  std::optional<std::uint64_t> number_{};
};

struct CallRequest {
  std::optional<Address> from{};
  std::optional<Address> to{};  ///< none: creates a contract
  base::Bytes data{};
  U256 value{};
  std::optional<std::uint64_t> gas_limit{};
};

struct LogFilter {
  std::vector<Address> addresses;                     ///< empty: of all contracts
  std::vector<std::optional<base::Digest>> topics{};  ///< by place; nothing: any
};

/// Logs of blocks, in order.
struct LogRange {
  std::vector<Log> logs;
  std::uint64_t upto = 0;  ///< the last block whose logs are there
};

/// What nodes are asked. Replies are input: what is malformed is an error. Calls that contracts refuse are kReverted,
/// the error named by the interfaces that are given.
class Client {
 public:
  explicit Client(Rpc rpc) : rpc_(std::move(rpc)) {}

  /// Whose errors reverted calls may name. They must outlive the client.
  void name_errors_of(std::vector<const Interface*> contracts) { contracts_ = std::move(contracts); }

  [[nodiscard]] Result<std::uint64_t> chain_id();
  [[nodiscard]] Result<std::uint64_t> block_number();
  /// Nothing if the node knows no such block.
  [[nodiscard]] Result<std::optional<Block>> block(const BlockId& id);
  /// The same, where the chain has one: that the node knows none is kBehind.
  [[nodiscard]] Result<Block> known_block(std::uint64_t number);
  [[nodiscard]] Result<std::uint64_t> transaction_count(const Address& account, const BlockId& id);
  [[nodiscard]] Result<U256> balance(const Address& account, const BlockId& id = BlockId::latest());
  [[nodiscard]] Result<base::Bytes> code(const Address& account, const BlockId& id = BlockId::latest());
  [[nodiscard]] Result<base::Bytes> call(const CallRequest& request, const BlockId& id = BlockId::latest());
  [[nodiscard]] Result<std::uint64_t> estimate_gas(const CallRequest& request);
  /// Of the last `blocks` (1 to 1024); tips at a percentile from 0 to 100.
  [[nodiscard]] Result<FeeHistory> fee_history(std::uint64_t blocks, unsigned percentile);
  [[nodiscard]] Result<U256> max_priority_fee();
  /// The transaction's hash. A transaction that the node has already is no error.
  [[nodiscard]] Result<base::Digest> send(base::ByteView signed_transaction);
  /// Nothing while it is in no block.
  [[nodiscard]] Result<std::optional<Receipt>> receipt(const base::Digest& transaction);
  /// Nothing if the node knows no such transaction. Who asks for calldata that proves itself need not believe the node.
  [[nodiscard]] Result<std::optional<CallData>> calldata(const base::Digest& transaction);
  /// Of one block, by its hash: a node that does not know it says so (kBehind), while of numbers it would say that
  /// there are no logs.
  [[nodiscard]] Result<std::vector<Log>> logs(const LogFilter& filter, const BlockRef& block);
  /// Of the blocks from `first` to `last`, asked for in ranges of at most kMostLogRange, which are halved where a node
  /// says that a range is too large. Ends early where more than kMostLogBytes came together: `upto` says how far.
  /// kBehind if the node does not know the last block of a range. Behind one address there may be several nodes, one of
  /// which knows the block while another one answers without it: blocks near the head are asked for by their hash.
  [[nodiscard]] Result<LogRange> logs(const LogFilter& filter, std::uint64_t first, std::uint64_t last);

  static constexpr std::uint64_t kMostLogRange = 2048;
  static constexpr std::size_t kMostLogBytes = std::size_t{32} << 20;  ///< in memory
  [[nodiscard]] const Sleep& sleep() const { return rpc_.sleep(); }

 private:
  [[nodiscard]] Result<std::vector<Log>> range_of_logs(const LogFilter& filter, std::uint64_t first,
                                                       std::uint64_t last);
  [[nodiscard]] Result<Json> contract_call(const char* method, const Json& params);

  Rpc rpc_;
  std::vector<const Interface*> contracts_;
};

}  // namespace avow::chain
