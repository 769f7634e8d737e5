// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "chain/error.hpp"

namespace avow::chain {

enum class Kind : std::uint8_t { kUint, kInt, kAddress, kBool, kFixedBytes, kBytes, kString, kArray, kList, kTuple };

struct Field;

/// A type of Solidity's ABI. Types that are made by parsing have values of at least 32 bytes (no empty tuples, no
/// arrays of length 0), at most kMostTypeDepth levels and kMostStaticBytes, so that counts in bytes can be judged by
/// the bytes.
struct Type {
  explicit Type(Kind type_kind, std::size_t type_size = 0);
  Type(Kind type_kind, std::size_t type_size, std::vector<Field> type_parts);

  Kind kind;
  std::size_t size;          ///< bits of kUint and kInt, bytes of kFixedBytes, elements of kArray; else 0
  std::vector<Field> parts;  ///< the element of kArray and kList, the fields of kTuple
  std::string name;          ///< a struct's name, if it is known; what EIP-712 hashes
};

/// A parameter, or a member of a struct.
struct Field {
  std::string name;
  Type type;
  bool is_indexed = false;  ///< of events: kept in a topic
};

inline constexpr std::size_t kMostTypeDepth = 16;
inline constexpr std::size_t kMostStaticBytes = std::size_t{1} << 24;

/// "uint256", "(address,bytes32[2])[]". Aliases (uint, int) are refused: signatures are hashed.
[[nodiscard]] Result<Type> parse_type(std::string_view text);
/// The same for a type of this depth, of which `element` is given: "tuple[2][]" with a tuple, as JSON has it.
[[nodiscard]] Result<Type> with_dimensions(Type element, std::string_view dimensions);
/// A type that is neither an array nor a tuple.
[[nodiscard]] Result<Type> parse_elementary(std::string_view text);
/// Refuses what no parsed type is.
[[nodiscard]] Result<Type> checked(Type type);

/// The type as signatures have it.
[[nodiscard]] std::string to_string(const Type& type);
/// "(uint256,address)".
[[nodiscard]] std::string to_string(const std::vector<Field>& fields);

[[nodiscard]] bool is_dynamic(const Type& type);
/// Bytes in the head of what contains it: of all of a static value, or of an offset.
[[nodiscard]] std::size_t head_bytes(const Type& type);

}  // namespace avow::chain
