// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "chain/abi.hpp"
#include "chain/json.hpp"

namespace avow::chain {

/// A function, event or error of a contract.
struct Entry {
  std::string name;
  std::string signature;  ///< "transfer(address,uint256)"
  std::vector<Field> inputs;
  std::vector<Field> outputs;  ///< of functions
  bool is_anonymous = false;   ///< of events: without a topic of its own
};

/// Something a chain said, by name: an error with its arguments, an event with its values.
struct Decoded {
  std::string name;
  std::vector<Field> fields;
  Value::List values;

  /// The value of the field of this name; null if there is none.
  [[nodiscard]] const Value* value(std::string_view field) const;
};
/// "InsufficientBalance(needed: 2, balance: 1)".
[[nodiscard]] std::string to_string(const Decoded& decoded);

/// A log's topics and data, as a node says them.
struct LogBody {
  std::vector<base::Digest> topics;
  base::Bytes data;
};

/// What a contract understands and says.
class Interface {
 public:
  /// The text of an artifact, `{"abi": [...], "bytecode": "0x..."}`, or of an ABI alone, `[...]`.
  [[nodiscard]] static Result<Interface> parse(std::string_view json);

  /// By name, or by signature where a name is there several times.
  [[nodiscard]] Result<const Entry*> function(std::string_view which) const;
  [[nodiscard]] Result<const Entry*> event(std::string_view which) const;

  /// The data of a call: selector and arguments.
  [[nodiscard]] Result<base::Bytes> encode_call(std::string_view which, const Value::List& arguments) const;
  [[nodiscard]] Result<Value::List> decode_result(std::string_view which, base::ByteView bytes) const;
  /// The data of a transaction that creates the contract.
  [[nodiscard]] Result<base::Bytes> encode_creation(const Value::List& arguments) const;
  /// The same without arguments: empty where only the ABI was given.
  [[nodiscard]] const base::Bytes& creation_code() const { return creation_code_; }

  /// The error that a call reverted with, if it is one of the contract's; nothing also where its arguments are
  /// malformed.
  [[nodiscard]] std::optional<Decoded> decode_error(base::ByteView data) const;
  /// The event that a log is. Indexed values that are no words are their hashes (bytes). Errors: a log of an event that
  /// the contract does not have (kAbiName), or one that is malformed.
  [[nodiscard]] Result<Decoded> decode_log(const LogBody& log) const;

 private:
  std::vector<Entry> functions_;
  std::vector<Entry> events_;
  std::vector<Entry> errors_;
  std::vector<Field> constructor_;
  base::Bytes creation_code_;
};

/// What a call reverted with, in words: the error of one of the contracts, `Error(string)`, `Panic(uint256)`, or the
/// bytes.
[[nodiscard]] std::string describe_revert(base::ByteView data, std::span<const Interface* const> contracts);

}  // namespace avow::chain
