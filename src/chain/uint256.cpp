// SPDX-License-Identifier: Apache-2.0
#include "chain/uint256.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "base/hex.hpp"
#include "base/printable.hpp"

namespace avow::chain {
namespace {

// Two limbs; gcc's and clang's type, which -Wpedantic would mind.
__extension__ using Wide = unsigned __int128;

constexpr unsigned kMostDecimals = 77;  // 10^77 < 2^256 < 10^78

// What a text shows of itself in an error.
std::string shown_number(std::string_view text) { return base::printable(text, 90); }

bool is_all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<U256> U256::from_bytes(base::ByteView bytes) {
  if (bytes.size() > 32) return std::nullopt;
  U256 value;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t from_end = bytes.size() - 1 - i;
    value.limbs_[from_end / 8] |= static_cast<std::uint64_t>(bytes[i]) << (8 * (from_end % 8));
  }
  return value;
}

base::Digest U256::to_bytes() const {
  base::Digest bytes{};
  for (std::size_t i = 0; i < 4; ++i) base::store_be64(&bytes[8 * (3 - i)], limbs_[i]);
  return bytes;
}

base::Bytes U256::to_short_bytes() const {
  const base::Digest all = to_bytes();
  return {std::find_if(all.begin(), all.end(), [](std::uint8_t byte) { return byte != 0; }), all.end()};
}

std::optional<std::uint64_t> U256::to_u64() const {
  if ((limbs_[1] | limbs_[2] | limbs_[3]) != 0) return std::nullopt;
  return limbs_[0];
}

unsigned U256::bit_length() const {
  for (unsigned i = 4; i-- > 0;) {
    if (limbs_[i] != 0) return 64 * i + static_cast<unsigned>(std::bit_width(limbs_[i]));
  }
  return 0;
}

U256 U256::negated() const {
  U256 result;
  std::uint64_t carry = 1;
  for (std::size_t i = 0; i < 4; ++i) {
    result.limbs_[i] = ~limbs_[i] + carry;
    carry = carry != 0 && result.limbs_[i] == 0 ? 1 : 0;
  }
  return result;
}

std::strong_ordering operator<=>(const U256& a, const U256& b) {
  for (std::size_t i = 4; i-- > 0;) {
    if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] <=> b.limbs_[i];
  }
  return std::strong_ordering::equal;
}

std::optional<U256> add(const U256& a, const U256& b) {
  U256 sum;
  Wide carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    carry += Wide{a.limbs_[i]} + b.limbs_[i];
    sum.limbs_[i] = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  if (carry != 0) return std::nullopt;
  return sum;
}

std::optional<U256> subtract(const U256& a, const U256& b) {
  if (a < b) return std::nullopt;
  U256 difference;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Wide taken = Wide{b.limbs_[i]} + borrow;
    difference.limbs_[i] = a.limbs_[i] - static_cast<std::uint64_t>(taken);
    borrow = taken > a.limbs_[i] ? 1 : 0;
  }
  return difference;
}

std::optional<U256> multiply(const U256& a, std::uint64_t b) {
  U256 product;
  Wide carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    carry += Wide{a.limbs_[i]} * b;
    product.limbs_[i] = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  if (carry != 0) return std::nullopt;
  return product;
}

U256 divide(const U256& a, std::uint64_t divisor, std::uint64_t* remainder) {
  AVOW_CHECK(divisor != 0);
  U256 quotient;
  Wide rest = 0;
  for (std::size_t i = 4; i-- > 0;) {
    rest = rest << 64 | a.limbs_[i];
    quotient.limbs_[i] = static_cast<std::uint64_t>(rest / divisor);
    rest %= divisor;
  }
  if (remainder != nullptr) *remainder = static_cast<std::uint64_t>(rest);
  return quotient;
}

Result<U256> parse_decimal(std::string_view text) {
  if (!is_all_digits(text)) {
    return fail(Cause::kNumber, fmt::format("'{}' is not a number of decimal digits", shown_number(text)));
  }
  std::optional<U256> value = U256(0);
  for (const char c : text) {
    value = multiply(*value, 10);
    if (value) value = add(*value, static_cast<std::uint64_t>(c - '0'));
    if (!value) return fail(Cause::kNumber, fmt::format("{}... is 2^256 or more", shown_number(text)));
  }
  return *value;
}

std::string to_decimal(const U256& value) {
  std::string digits;
  U256 rest = value;
  do {
    std::uint64_t digit = 0;
    rest = divide(rest, 10, &digit);
    digits += static_cast<char>('0' + digit);
  } while (rest != U256(0));
  std::reverse(digits.begin(), digits.end());
  return digits;
}

Result<U256> parse_units(std::string_view text, unsigned decimals) {
  AVOW_CHECK(decimals <= kMostDecimals);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  if (!is_all_digits(whole) || (point != std::string_view::npos && !is_all_digits(fraction))) {
    return fail(Cause::kNumber, fmt::format("'{}' is not an amount such as 12 or 0.5", shown_number(text)));
  }
  if (fraction.size() > decimals) {
    return fail(Cause::kNumber,
                fmt::format("'{}' has more than the {} decimals that there are", shown_number(text), decimals));
  }
  return parse_decimal(std::string(whole) + std::string(fraction) + std::string(decimals - fraction.size(), '0'));
}

std::string to_units(const U256& value, unsigned decimals) {
  AVOW_CHECK(decimals <= kMostDecimals);
  std::string digits = to_decimal(value);
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  std::string fraction = digits.substr(digits.size() - decimals);
  digits.resize(digits.size() - decimals);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return fraction.empty() ? digits : digits + '.' + fraction;
}

Result<U256> parse_quantity(std::string_view text) {
  const auto refuse = [&](const char* why) {
    return fail(Cause::kNumber, fmt::format("'{}' is no quantity: {}", shown_number(text), why));
  };
  if (!text.starts_with("0x") || text.size() == 2) return refuse("0x and digits are expected");
  const std::string_view digits = text.substr(2);
  if (digits.size() > 64) return refuse("it is 2^256 or more");
  if (digits.size() > 1 && digits[0] == '0') return refuse("it has leading zeros");
  const auto bytes = base::from_hex((digits.size() % 2 != 0 ? "0x0" : "0x") + std::string(digits));
  if (!bytes) return refuse("0x and digits are expected");
  return *U256::from_bytes(*bytes);
}

std::string to_quantity(const U256& value) {
  std::string digits = base::to_hex(value.to_bytes());
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return "0x" + digits;
}

}  // namespace avow::chain
