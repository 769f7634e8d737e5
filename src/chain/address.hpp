// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <string_view>

#include "chain/uint256.hpp"

namespace avow::chain {

/// An account or a contract.
struct Address {
  std::array<std::uint8_t, 20> bytes{};

  friend bool operator==(const Address&, const Address&) = default;
  friend std::strong_ordering operator<=>(const Address&, const Address&) = default;
};

/// 0x and 40 digits whose letters' case is the checksum (EIP-55).
[[nodiscard]] std::string to_string(const Address& address);

/// 0x and 40 digits: all letters of one case, or with the right checksum.
[[nodiscard]] Result<Address> parse_address(std::string_view text);

/// Where a contract comes to lie that this account creates by the transaction of this nonce.
[[nodiscard]] Address created_address(const Address& creator, std::uint64_t nonce);

}  // namespace avow::chain
