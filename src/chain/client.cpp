// SPDX-License-Identifier: Apache-2.0
#include "chain/client.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "hash/keccak.hpp"

namespace avow::chain {
namespace {

constexpr std::int64_t kExecutionReverted = 3;
constexpr std::size_t kMostLogsBytes = std::size_t{32} << 20;  // of a reply

// What a call gave, read; its own error otherwise.
template <typename T>
Result<T> read_result(const Result<Json>& result, Result<T> (*read)(const Json&)) {
  if (!result) return base::Err{result.error()};
  return read(result.value());
}

// The same where null is an answer.
template <typename T>
Result<std::optional<T>> read_optional(const Result<Json>& result, Result<T> (*read)(const Json&)) {
  if (!result) return base::Err{result.error()};
  if (result.value().is_null()) return std::optional<T>();
  auto value = read(result.value());
  if (!value) return base::Err{value.error()};
  return std::optional<T>(std::move(value).value());
}

Json call_object(const CallRequest& request) {
  Json json = {{"input", to_data(request.data)}, {"value", to_quantity(request.value)}};
  if (request.from) json["from"] = to_data(request.from->bytes);
  if (request.to) json["to"] = to_data(request.to->bytes);
  if (request.gas_limit) json["gas"] = to_quantity(*request.gas_limit);
  return json;
}

bool has_text(const Error& error, std::initializer_list<const char*> texts) {
  std::string lower = error.text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::any_of(texts.begin(), texts.end(),
                     [&](const char* text) { return lower.find(text) != std::string::npos; });
}

// Words of geth and most others; of Parity's children; of Nethermind; of Besu.
bool is_known_transaction(const Error& error) {
  return error.cause == Cause::kNode &&
         has_text(error, {"already known", "already imported", "alreadyknown", "known transaction"}) &&
         !has_text(error, {"unknown transaction"});
}

bool is_revert(const Error& error) {
  return error.cause == Cause::kNode &&
         (error.node_code == kExecutionReverted || !error.data.empty() || has_text(error, {"revert"}));
}

// There is no code for it: nodes say it in their own words.
bool is_range_too_large(const Error& error) {
  if (error.cause == Cause::kReplySize) return true;
  return error.cause == Cause::kNode &&
         has_text(error, {"block range", "range too", "range is too", "range limit", "more than", "too many",
                          "too large", "response size", "exceeds the limit", "query timeout", "limited to"}) &&
         !has_text(error, {"too many requests"});
}

// A node that was asked for the logs of a block by its hash.
bool is_unknown_block(const Error& error) {
  return error.cause == Cause::kNode &&
         has_text(error, {"unknown block", "not found", "not be found", "unable to find"});
}

base::Err<Error> behind(std::uint64_t number) {
  return fail(Cause::kBehind,
              fmt::format("the node does not know block {}; it is behind others, try again later", number));
}

Json filter_object(const LogFilter& filter) {
  Json json = Json::object();
  for (const Address& address : filter.addresses) json["address"].push_back(to_data(address.bytes));
  for (const auto& topic : filter.topics) json["topics"].push_back(topic ? Json(to_data(*topic)) : Json());
  return json;
}

bool matches(const LogFilter& filter, const Log& log) {
  const auto& addresses = filter.addresses;
  if (!addresses.empty() && std::find(addresses.begin(), addresses.end(), log.address) == addresses.end()) return false;
  for (std::size_t i = 0; i < filter.topics.size(); ++i) {
    if (i >= log.body.topics.size() || (filter.topics[i] && *filter.topics[i] != log.body.topics[i])) return false;
  }
  return true;
}

bool are_in_order(const Log& a, const Log& b) {
  if (a.block.number != b.block.number) return a.block.number < b.block.number;
  return a.block.hash == b.block.hash && a.index < b.index;
}

// Whether logs are what was asked for, the blocks from a number to a known one: a node that sends others is not
// believed.
bool are_of(const std::vector<Log>& logs, const LogFilter& filter, std::uint64_t first, const BlockRef& last) {
  const Log* before = nullptr;
  for (const Log& log : logs) {
    if (log.block.number < first || log.block.number > last.number || !matches(filter, log)) return false;
    if (log.block.number == last.number && log.block.hash != last.hash) return false;
    if (before != nullptr && !are_in_order(*before, log)) return false;
    before = &log;
  }
  return true;
}

Result<std::vector<Log>> read_logs_of(const Result<Json>& result, const LogFilter& filter, std::uint64_t first,
                                      const BlockRef& last) {
  auto logs = read_result(result, read_logs);
  if (!logs || are_of(logs.value(), filter, first, last)) return logs;
  return fail(Cause::kReply, "the node sends logs that were not asked for, or not in order");
}

}  // namespace

Result<std::uint64_t> Client::chain_id() { return read_result(rpc_.call("eth_chainId", Json::array()), read_number); }

Result<std::uint64_t> Client::block_number() {
  return read_result(rpc_.call("eth_blockNumber", Json::array()), read_number);
}

Result<std::optional<Block>> Client::block(const BlockId& id) {
  auto block = read_optional(rpc_.call("eth_getBlockByNumber", {id.text(), false}), read_block);
  if (block && block.value() && id.number() && block.value()->ref.number != *id.number()) {
    return fail(Cause::kReply, "the node gives another block than was asked for");
  }
  return block;
}

Result<std::uint64_t> Client::transaction_count(const Address& account, const BlockId& id) {
  return read_result(rpc_.call("eth_getTransactionCount", {to_data(account.bytes), id.text()}), read_number);
}

Result<U256> Client::balance(const Address& account, const BlockId& id) {
  return read_result(rpc_.call("eth_getBalance", {to_data(account.bytes), id.text()}), read_quantity);
}

Result<base::Bytes> Client::code(const Address& account, const BlockId& id) {
  return read_result(rpc_.call("eth_getCode", {to_data(account.bytes), id.text()}), read_data);
}

Result<base::Bytes> Client::call(const CallRequest& request, const BlockId& id) {
  return read_result(contract_call("eth_call", {call_object(request), id.text()}), read_data);
}

Result<std::uint64_t> Client::estimate_gas(const CallRequest& request) {
  return read_result(contract_call("eth_estimateGas", Json::array({call_object(request)})), read_number);
}

Result<Json> Client::contract_call(const char* method, const Json& params) {
  auto result = rpc_.call(method, params, {is_revert});
  if (result || !is_revert(result.error())) return result;
  Error error = result.error();
  error.cause = Cause::kReverted;
  // Without data the node's own words say more.
  if (!error.data.empty()) error.text = describe_revert(error.data, contracts_);
  return base::Err{std::move(error)};
}

Result<FeeHistory> Client::fee_history(std::uint64_t blocks, unsigned percentile) {
  return read_result(rpc_.call("eth_feeHistory", {to_quantity(blocks), "latest", Json::array({percentile})}),
                     read_fee_history);
}

Result<U256> Client::max_priority_fee() {
  return read_result(rpc_.call("eth_maxPriorityFeePerGas", Json::array()), read_quantity);
}

Result<base::Digest> Client::send(base::ByteView signed_transaction) {
  const base::Digest hash = hash::keccak256(signed_transaction);
  const auto result = rpc_.call("eth_sendRawTransaction", Json::array({to_data(signed_transaction)}));
  // The reply to an earlier attempt may have been lost.
  if (!result && is_known_transaction(result.error())) return hash;
  auto said = read_result(result, read_digest);
  if (said && said.value() != hash) return fail(Cause::kReply, "the node names another transaction than was sent");
  return said;
}

Result<std::optional<Receipt>> Client::receipt(const base::Digest& transaction) {
  auto receipt = read_optional(
      rpc_.call("eth_getTransactionReceipt", Json::array({to_data(transaction)}), {{}, {}, kMostLogsBytes}),
      read_receipt);
  if (receipt && receipt.value() && receipt.value()->transaction != transaction) {
    return fail(Cause::kReply, "the node gives another transaction's receipt");
  }
  return receipt;
}

Result<std::optional<CallData>> Client::calldata(const base::Digest& transaction) {
  auto found = read_optional(rpc_.call("eth_getTransactionByHash", Json::array({to_data(transaction)})), read_calldata);
  if (found && found.value() && found.value()->transaction != transaction) {
    return fail(Cause::kReply, "the node gives another transaction than was asked for");
  }
  return found;
}

Result<Block> Client::known_block(std::uint64_t number) {
  auto found = block(number);
  if (!found) return base::Err{found.error()};
  if (!found.value()) return behind(number);
  return *found.value();
}

Result<std::vector<Log>> Client::logs(const LogFilter& filter, const BlockRef& block) {
  Json asked = filter_object(filter);
  asked["blockHash"] = to_data(block.hash);
  const auto result = rpc_.call("eth_getLogs", Json::array({asked}), {{}, is_unknown_block, kMostLogsBytes});
  if (!result && is_unknown_block(result.error())) return behind(block.number);
  return read_logs_of(result, filter, block.number, block);
}

// Nodes answer for the blocks that they have, and do not say that they lack others: this one has to know the last block
// before it is asked, and after.
Result<std::vector<Log>> Client::range_of_logs(const LogFilter& filter, std::uint64_t first, std::uint64_t last) {
  const auto end = known_block(last);
  if (!end) return base::Err{end.error()};
  Json asked = filter_object(filter);
  asked["fromBlock"] = to_quantity(first);
  asked["toBlock"] = to_quantity(last);
  const auto result = rpc_.call("eth_getLogs", Json::array({asked}), {is_range_too_large, {}, kMostLogsBytes});
  auto logs = read_logs_of(result, filter, first, end.value().ref);
  if (!logs) return logs;
  const auto after = known_block(last);
  if (!after) return base::Err{after.error()};
  if (after.value().ref == end.value().ref) return logs;
  return fail(Cause::kReorganised, fmt::format("block {} was replaced while logs were read; read them again", last));
}

Result<LogRange> Client::logs(const LogFilter& filter, std::uint64_t first, std::uint64_t last) {
  LogRange all{{}, last};
  std::uint64_t range = kMostLogRange;
  std::uint64_t next = first;
  while (next <= last) {
    const std::uint64_t end = last - next < range ? last : next + range - 1;
    auto part = range_of_logs(filter, next, end);
    if (!part && is_range_too_large(part.error()) && end > next) {
      range = (end - next + 1) / 2;
      continue;
    }
    if (!part) return base::Err{part.error()};
    std::move(part.value().begin(), part.value().end(), std::back_inserter(all.logs));
    all.upto = end;
    if (end == last || memory_of(all.logs) > kMostLogBytes) break;
    next = end + 1;
  }
  return all;
}

}  // namespace avow::chain
