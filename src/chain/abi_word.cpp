// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "chain/abi.hpp"
#include "hash/keccak.hpp"

namespace avow::chain {
namespace {

// Whether the number is one of a signed type of `bits` bits, in two's complement of 256 bits.
bool fits_signed(const U256& number, std::size_t bits) {
  const auto width = static_cast<unsigned>(bits - 1);
  const bool is_negative = number.bit_length() == 256;
  return is_negative ? number.negated() <= U256::power_of_two(width) : number < U256::power_of_two(width);
}

base::Err<Error> wrong_value(const Type& type) {
  return fail(Cause::kAbiValue, fmt::format("the value is no {}", to_string(type)));
}

}  // namespace

Result<base::Digest> encode_word(const Type& type, const Value& value) {
  base::Digest word{};
  switch (type.kind) {
    case Kind::kUint:
    case Kind::kInt: {
      const auto* number = value.as<U256>();
      if (number == nullptr) return wrong_value(type);
      const bool fits = type.kind == Kind::kUint ? number->bit_length() <= type.size : fits_signed(*number, type.size);
      if (!fits) return wrong_value(type);
      return number->to_bytes();
    }
    case Kind::kAddress: {
      const auto* address = value.as<Address>();
      if (address == nullptr) return wrong_value(type);
      std::copy(address->bytes.begin(), address->bytes.end(), word.begin() + 12);
      return word;
    }
    case Kind::kBool: {
      const auto* truth = value.as<bool>();
      if (truth == nullptr) return wrong_value(type);
      word[31] = *truth ? 1 : 0;
      return word;
    }
    case Kind::kFixedBytes: {
      const auto* bytes = value.as<base::Bytes>();
      if (bytes == nullptr || bytes->size() != type.size) return wrong_value(type);
      std::copy(bytes->begin(), bytes->end(), word.begin());
      return word;
    }
    default:
      return wrong_value(type);
  }
}

Result<Value> decode_word(const Type& type, std::span<const std::uint8_t, 32> word) {
  const U256 number = *U256::from_bytes(word);
  const auto refuse = [&] {
    return fail(Cause::kAbiPadding, fmt::format("a word that is no {}: {}", to_string(type), to_quantity(number)));
  };
  switch (type.kind) {
    case Kind::kUint:
      if (number.bit_length() > type.size) return refuse();
      return Value(number);
    case Kind::kInt:
      if (!fits_signed(number, type.size)) return refuse();
      return Value(number);
    case Kind::kAddress: {
      if (number.bit_length() > 160) return refuse();
      Address address;
      std::copy(word.begin() + 12, word.end(), address.bytes.begin());
      return Value(address);
    }
    case Kind::kBool:
      if (number > U256(1)) return refuse();
      return Value(number == U256(1));
    default: {  // kFixedBytes
      const auto padding = word.subspan(type.size);
      if (std::any_of(padding.begin(), padding.end(), [](std::uint8_t byte) { return byte != 0; })) return refuse();
      return Value(base::Bytes(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(type.size)));
    }
  }
}

base::Digest topic_of(std::string_view signature) {
  return hash::keccak256(base::Bytes(signature.begin(), signature.end()));
}

Selector selector_of(std::string_view signature) {
  const base::Digest digest = topic_of(signature);
  return {digest[0], digest[1], digest[2], digest[3]};
}

}  // namespace avow::chain
