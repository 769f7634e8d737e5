// SPDX-License-Identifier: Apache-2.0
#include "chain/address.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hex.hpp"
#include "base/printable.hpp"
#include "chain/rlp.hpp"
#include "hash/keccak.hpp"

namespace avow::chain {

std::string to_string(const Address& address) {
  std::string digits = base::to_hex(address.bytes);
  const base::Bytes text(digits.begin(), digits.end());
  const std::string mask = base::to_hex(hash::keccak256(text));
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] >= 'a' && mask[i] >= '8') digits[i] = static_cast<char>(digits[i] - 'a' + 'A');
  }
  return "0x" + digits;
}

Result<Address> parse_address(std::string_view text) {
  const auto bytes = text.starts_with("0x") && text.size() == 42 ? base::from_hex(text) : std::nullopt;
  if (!bytes) {
    return fail(Cause::kAddress, fmt::format("'{}' is no address: 0x and 40 hexadecimal digits are expected",
                                             base::printable(text, 90)));
  }
  Address address;
  std::copy(bytes->begin(), bytes->end(), address.bytes.begin());
  const std::string_view digits = text.substr(2);
  const bool has_lower = std::any_of(digits.begin(), digits.end(), [](char c) { return c >= 'a'; });
  const bool has_upper = std::any_of(digits.begin(), digits.end(), [](char c) { return c >= 'A' && c <= 'F'; });
  if (has_lower && has_upper && to_string(address) != text) {
    return fail(Cause::kAddress, fmt::format("'{}' contradicts its checksum (EIP-55); was it mistyped?", text));
  }
  return address;
}

Address created_address(const Address& creator, std::uint64_t nonce) {
  const base::Digest digest = hash::keccak256(encode(Rlp::list({Rlp::string(creator.bytes), Rlp::number(nonce)})));
  Address address;
  std::copy(digest.begin() + 12, digest.end(), address.bytes.begin());
  return address;
}

}  // namespace avow::chain
