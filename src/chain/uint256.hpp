// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string_view>

#include "chain/error.hpp"

namespace avow::chain {

/// An unsigned integer below 2^256: the EVM's word, amounts of wei and tokens. Arithmetic that leaves the range has no
/// value instead of wrapping.
class U256 {
 public:
  constexpr U256() = default;
  constexpr U256(std::uint64_t low) : limbs_{low} {}  // NOLINT(google-explicit-constructor): a number is a number
  [[nodiscard]] static constexpr U256 max() {
    U256 all;
    all.limbs_.fill(~std::uint64_t{0});
    return all;
  }
  /// 2^exponent; exponent < 256.
  [[nodiscard]] static constexpr U256 power_of_two(unsigned exponent) {
    U256 power;
    power.limbs_[exponent / 64] = std::uint64_t{1} << (exponent % 64);
    return power;
  }

  /// Big-endian; nothing if there are more than 32 bytes.
  [[nodiscard]] static std::optional<U256> from_bytes(base::ByteView bytes);
  [[nodiscard]] base::Digest to_bytes() const;
  /// Big-endian without leading zeros; empty for zero.
  [[nodiscard]] base::Bytes to_short_bytes() const;

  [[nodiscard]] std::optional<std::uint64_t> to_u64() const;
  /// 0 for zero.
  [[nodiscard]] unsigned bit_length() const;
  /// -x modulo 2^256: how signed integers are kept.
  [[nodiscard]] U256 negated() const;

  friend bool operator==(const U256&, const U256&) = default;
  friend std::strong_ordering operator<=>(const U256& a, const U256& b);

  friend std::optional<U256> add(const U256& a, const U256& b);
  friend std::optional<U256> subtract(const U256& a, const U256& b);
  friend std::optional<U256> multiply(const U256& a, std::uint64_t b);
  /// Rounded down; the remainder is stored if asked for. divisor > 0.
  friend U256 divide(const U256& a, std::uint64_t divisor, std::uint64_t* remainder);

 private:
  std::array<std::uint64_t, 4> limbs_{};  // least significant first
};

[[nodiscard]] std::optional<U256> add(const U256& a, const U256& b);
[[nodiscard]] std::optional<U256> subtract(const U256& a, const U256& b);
[[nodiscard]] std::optional<U256> multiply(const U256& a, std::uint64_t b);
[[nodiscard]] U256 divide(const U256& a, std::uint64_t divisor, std::uint64_t* remainder = nullptr);

/// Decimal digits, nothing else.
[[nodiscard]] Result<U256> parse_decimal(std::string_view text);
[[nodiscard]] std::string to_decimal(const U256& value);

/// An amount with at most `decimals` (<= 77) digits after the point, in units of 10^-decimals: parse_units("1.5", 18)
/// is 1.5e18.
[[nodiscard]] Result<U256> parse_units(std::string_view text, unsigned decimals);
/// The inverse, without zeros at the end of the fraction.
[[nodiscard]] std::string to_units(const U256& value, unsigned decimals);

/// A quantity of JSON-RPC: 0x and hexadecimal digits without leading zeros.
[[nodiscard]] Result<U256> parse_quantity(std::string_view text);
[[nodiscard]] std::string to_quantity(const U256& value);

}  // namespace avow::chain
