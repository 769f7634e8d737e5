// SPDX-License-Identifier: Apache-2.0
#include "chain/replies.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hex.hpp"

namespace avow::chain {
namespace {

base::Err<Error> malformed(std::string_view what) {
  return fail(Cause::kReply, fmt::format("the node's reply is malformed: {}", what));
}

// Takes members of an object; the first one that is not as it should be is remembered.
class MemberReader {
 public:
  explicit MemberReader(const Json& json) : json_(&json) {}

  [[nodiscard]] bool good() const { return bad_.empty(); }
  [[nodiscard]] base::Err<Error> error() const { return malformed(fmt::format("'{}'", bad_)); }

  U256 quantity(const char* key) { return take<U256>(key, read_quantity); }
  std::uint64_t number(const char* key) { return take<std::uint64_t>(key, read_number); }
  base::Bytes data(const char* key) { return take<base::Bytes>(key, read_data); }
  base::Digest digest(const char* key) { return take<base::Digest>(key, read_digest); }
  Address address(const char* key) {
    const base::Bytes bytes = data(key);
    Address result;
    if (bytes.size() == result.bytes.size()) {
      std::copy(bytes.begin(), bytes.end(), result.bytes.begin());
    } else {
      refuse(key);
    }
    return result;
  }
  // The elements of an array.
  template <typename T>
  std::vector<T> list(const char* key, Result<T> (*read)(const Json&)) {
    std::vector<T> result;
    const Json* found = member(*json_, key);
    if (found == nullptr || !found->is_array()) {
      refuse(key);
      return result;
    }
    for (const Json& element : *found) {
      auto value = read(element);
      if (!value) {
        refuse(key);
        return result;
      }
      result.push_back(std::move(value).value());
    }
    return result;
  }
  [[nodiscard]] bool has(const char* key) const {
    const Json* found = member(*json_, key);
    return found != nullptr && !found->is_null();
  }
  void refuse(const char* key) {
    if (bad_.empty()) bad_ = key;
  }

 private:
  template <typename T>
  T take(const char* key, Result<T> (*read)(const Json&)) {
    const Json* found = member(*json_, key);
    if (found != nullptr) {
      auto value = read(*found);
      if (value) return std::move(value).value();
    }
    refuse(key);
    return T{};
  }

  const Json* json_;
  std::string bad_;
};

Result<U256> read_first_reward(const Json& json) {
  if (!json.is_array() || json.size() != 1) return malformed("'reward'");
  return read_quantity(json[0]);
}

}  // namespace

Result<U256> read_quantity(const Json& json) {
  const auto* text = json.get_ptr<const std::string*>();
  if (text == nullptr) return malformed("a quantity that is no text");
  auto value = parse_quantity(*text);
  if (!value) return malformed(value.error().text);
  return value;
}

Result<std::uint64_t> read_number(const Json& json) {
  const auto quantity = read_quantity(json);
  if (!quantity) return base::Err{quantity.error()};
  const auto number = quantity.value().to_u64();
  if (!number) return malformed("a number of 2^64 or more");
  return *number;
}

Result<base::Bytes> read_data(const Json& json) {
  const auto* text = json.get_ptr<const std::string*>();
  auto bytes = text == nullptr || !text->starts_with("0x") ? std::nullopt : base::from_hex(*text);
  if (!bytes) return malformed("data that is no hexadecimal");
  return std::move(*bytes);
}

Result<base::Digest> read_digest(const Json& json) {
  const auto bytes = read_data(json);
  if (!bytes) return base::Err{bytes.error()};
  base::Digest digest{};
  if (bytes.value().size() != digest.size()) return malformed("a hash that has not 32 bytes");
  std::copy(bytes.value().begin(), bytes.value().end(), digest.begin());
  return digest;
}

Result<Block> read_block(const Json& json) {
  MemberReader reader(json);
  Block block;
  block.ref = {reader.number("number"), reader.digest("hash")};
  block.parent = reader.digest("parentHash");
  block.timestamp = reader.number("timestamp");
  block.gas_limit = reader.number("gasLimit");
  block.base_fee = reader.quantity("baseFeePerGas");
  if (!reader.good()) return reader.error();
  return block;
}

Result<Log> read_log(const Json& json) {
  MemberReader reader(json);
  Log log;
  log.address = reader.address("address");
  log.body = {reader.list<base::Digest>("topics", read_digest), reader.data("data")};
  log.block = {reader.number("blockNumber"), reader.digest("blockHash")};
  log.transaction = reader.digest("transactionHash");
  log.index = reader.number("logIndex");
  if (log.body.topics.size() > 4) reader.refuse("topics");
  const Json* removed = member(json, "removed");
  if (removed != nullptr && (!removed->is_boolean() || removed->get<bool>())) reader.refuse("removed");
  if (!reader.good()) return reader.error();
  return log;
}

Result<std::vector<Log>> read_logs(const Json& json) {
  if (!json.is_array()) return malformed("no list of logs");
  std::vector<Log> logs;
  for (const Json& element : json) {
    auto log = read_log(element);
    if (!log) return base::Err{log.error()};
    logs.push_back(std::move(log).value());
  }
  return logs;
}

Result<Receipt> read_receipt(const Json& json) {
  MemberReader reader(json);
  Receipt receipt;
  receipt.transaction = reader.digest("transactionHash");
  receipt.block = {reader.number("blockNumber"), reader.digest("blockHash")};
  const std::uint64_t status = reader.number("status");
  if (status > 1) reader.refuse("status");
  receipt.succeeded = status == 1;
  receipt.gas_used = reader.number("gasUsed");
  receipt.gas_price = reader.quantity("effectiveGasPrice");
  if (reader.has("contractAddress")) receipt.created = reader.address("contractAddress");
  receipt.logs = reader.list<Log>("logs", read_log);
  for (const Log& log : receipt.logs) {
    if (log.transaction != receipt.transaction || log.block != receipt.block) reader.refuse("logs");
  }
  if (!reader.good()) return reader.error();
  return receipt;
}

Result<CallData> read_calldata(const Json& json) {
  MemberReader reader(json);
  CallData call;
  call.transaction = reader.digest("hash");
  call.from = reader.address("from");
  if (reader.has("to")) call.to = reader.address("to");
  call.data = reader.data("input");
  if (!reader.good()) return reader.error();
  return call;
}

Result<FeeHistory> read_fee_history(const Json& json) {
  MemberReader reader(json);
  FeeHistory history;
  history.base_fees = reader.list<U256>("baseFeePerGas", read_quantity);
  history.tips = reader.list<U256>("reward", read_first_reward);
  if (history.base_fees.size() != history.tips.size() + 1) reader.refuse("baseFeePerGas");
  if (!reader.good()) return reader.error();
  return history;
}

std::size_t memory_of(const std::vector<Log>& logs) {
  std::size_t size = 0;
  for (const Log& log : logs) size += sizeof log + log.body.topics.size() * sizeof(base::Digest) + log.body.data.size();
  return size;
}

std::string to_data(base::ByteView bytes) { return "0x" + base::to_hex(bytes); }

}  // namespace avow::chain
