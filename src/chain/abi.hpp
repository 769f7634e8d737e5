// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <variant>

#include "chain/abi_type.hpp"
#include "chain/address.hpp"

namespace avow::chain {

/// A value of a type of the ABI. A U256 is of kUint and kInt (negative numbers modulo 2^256), bytes of kFixedBytes and
/// kBytes, a list of arrays, lists and tuples. A list of one list is written {Value(list)}: {list} would be a copy of
/// it.
struct Value {
  using List = std::vector<Value>;

  // NOLINTBEGIN(google-explicit-constructor): arguments are written as what they are
  Value(U256 number) : data(number) {}
  Value(std::uint64_t number) : data(U256(number)) {}
  Value(int number) : data(signed_number(number)) {}
  Value(bool truth) : data(truth) {}
  Value(Address address) : data(address) {}
  Value(base::Bytes bytes) : data(std::move(bytes)) {}
  Value(const base::Digest& digest) : data(base::Bytes(digest.begin(), digest.end())) {}
  Value(std::string text) : data(std::move(text)) {}
  Value(const char* text) : data(std::string(text)) {}
  Value(List values) : data(std::move(values)) {}
  // NOLINTEND(google-explicit-constructor)

  /// The value, if it is one of the type T: a U256, bool, Address, base::Bytes, std::string or List.
  template <typename T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data);
  }
  friend bool operator==(const Value&, const Value&) = default;

  std::variant<U256, bool, Address, base::Bytes, std::string, List> data;

 private:
  static U256 signed_number(std::int64_t number) {
    const auto magnitude = static_cast<std::uint64_t>(number < 0 ? -number : number);
    return number < 0 ? U256(magnitude).negated() : U256(magnitude);
  }
};

/// The canonical encoding of values, one for each field. Errors name the field.
[[nodiscard]] Result<base::Bytes> encode_abi(const std::vector<Field>& fields, const Value::List& values);

/// The values whose canonical encoding `bytes` are, to the last one: offsets lie where the encoder puts them, so that
/// no byte is read twice, and no bit is set that a type does not have. Memory in use is proportional to the bytes.
[[nodiscard]] Result<Value::List> decode_abi(const std::vector<Field>& fields, base::ByteView bytes);

/// One word, as static elementary values are in the head; nothing if the value does not fit the type.
[[nodiscard]] Result<base::Digest> encode_word(const Type& type, const Value& value);
[[nodiscard]] Result<Value> decode_word(const Type& type, std::span<const std::uint8_t, 32> word);

/// The value for people: addresses with their checksum, bytes and text cut where they are long.
[[nodiscard]] std::string to_string(const Type& type, const Value& value);
/// "name: value, name: value".
[[nodiscard]] std::string to_string(const std::vector<Field>& fields, const Value::List& values);

using Selector = std::array<std::uint8_t, 4>;

/// Of a function or an error, by its signature: "transfer(address,uint256)".
[[nodiscard]] Selector selector_of(std::string_view signature);
/// Of an event, by its signature: the first topic of its logs.
[[nodiscard]] base::Digest topic_of(std::string_view signature);

}  // namespace avow::chain
