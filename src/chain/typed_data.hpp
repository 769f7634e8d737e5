// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "chain/abi.hpp"

namespace avow::chain {

/// A struct's type from its EIP-712 form, as contracts have it in their type hashes:
/// "Mail(Person from,string contents)Person(string name,address wallet)". Structs that contain themselves are refused,
/// and more than kMostTypedBytes or, counted in each place where a struct is used, kMostTypedFields.
[[nodiscard]] Result<Type> parse_typed(std::string_view text);
inline constexpr std::size_t kMostTypedBytes = std::size_t{1} << 14;
inline constexpr std::size_t kMostTypedFields = 4096;

/// The EIP-712 form of a struct whose fields have names (and so on inside), whatever it came from.
[[nodiscard]] std::string encode_type(const Type& type);

/// hashStruct: the value has the struct's fields in order.
[[nodiscard]] Result<base::Digest> hash_struct(const Type& type, const Value& value);

/// EIP712Domain; only what is set is part of the domain.
struct Domain {
  std::optional<std::string> name{};
  std::optional<std::string> version{};
  std::optional<U256> chain_id{};
  std::optional<Address> verifying_contract{};
  std::optional<base::Digest> salt{};
};
[[nodiscard]] base::Digest domain_separator(const Domain& domain);

/// What is signed.
[[nodiscard]] base::Digest typed_data_digest(const base::Digest& separator, const base::Digest& struct_hash);

}  // namespace avow::chain
