// SPDX-License-Identifier: Apache-2.0
#include "model/gguf.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace avow::model {

using base::Err;
using base::Result;

namespace {

const char* type_name(GgufType type) {
  static constexpr const char* kNames[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                           "bool", "string", "array", "u64", "i64", "f64"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string describe(const GgufValue& value) {
  return value.is_array ? fmt::format("an array of {}", type_name(value.type)) : type_name(value.type);
}

template <typename T>
T load(const std::uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// An integer of any type.
struct Integer {
  bool negative;
  std::uint64_t bits;  // two's complement
};

std::optional<Integer> integer_at(const GgufValue& value, std::uint64_t index) {
  const std::uint8_t* at = value.bytes.data() + index * element_bytes(value.type);
  const auto from = [](std::int64_t v) { return Integer{v < 0, static_cast<std::uint64_t>(v)}; };
  switch (value.type) {
    case GgufType::kU8:
      return from(*at);
    case GgufType::kI8:
      return from(static_cast<std::int8_t>(*at));
    case GgufType::kU16:
      return from(load<std::uint16_t>(at));
    case GgufType::kI16:
      return from(load<std::int16_t>(at));
    case GgufType::kU32:
      return from(load<std::uint32_t>(at));
    case GgufType::kI32:
      return from(load<std::int32_t>(at));
    case GgufType::kU64:
      return Integer{false, load<std::uint64_t>(at)};
    case GgufType::kI64:
      return from(load<std::int64_t>(at));
    default:
      return std::nullopt;
  }
}

std::optional<double> float_at(const GgufValue& value, std::uint64_t index) {
  const std::uint8_t* at = value.bytes.data() + index * element_bytes(value.type);
  if (value.type == GgufType::kF32) return load<float>(at);
  if (value.type == GgufType::kF64) return load<double>(at);
  return std::nullopt;
}

std::string_view text_of(base::ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT: bytes as characters
}

}  // namespace

std::uint64_t element_bytes(GgufType type) noexcept {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    default:
      return 8;
  }
}

const TensorView* GgufFile::tensor(std::string_view name) const noexcept {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

ReadError GgufFile::error(Cause cause, std::string_view key, std::string reason) const {
  const auto found = metadata_.find(key);
  return {cause, file_, found == metadata_.end() ? 0 : found->second.offset, std::move(reason)};
}

Result<const GgufValue*, ReadError> GgufFile::find(std::string_view key, bool is_array) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) return Err{error(Cause::kMissing, key, fmt::format("no metadata key '{}'", key))};
  if (found->second.is_array != is_array) {
    return Err{error(Cause::kType, key,
                     fmt::format("metadata key '{}' is {}, not {}", key, describe(found->second),
                                 is_array ? "an array" : "a single value"))};
  }
  return &found->second;
}

Result<std::uint64_t, ReadError> GgufFile::natural(std::string_view key) const {
  const auto value = find(key, false);
  if (!value.ok()) return Err{value.error()};
  const auto integer = integer_at(*value.value(), 0);
  if (!integer) {
    return Err{error(Cause::kType, key,
                     fmt::format("metadata key '{}' is {}, not an integer", key, describe(*value.value())))};
  }
  if (integer->negative) return Err{error(Cause::kValue, key, fmt::format("metadata key '{}' is negative", key))};
  return integer->bits;
}

Result<std::uint64_t, ReadError> GgufFile::natural(std::string_view key, std::uint64_t otherwise) const {
  return has(key) ? natural(key) : otherwise;
}

Result<double, ReadError> GgufFile::number(std::string_view key) const {
  const auto value = find(key, false);
  if (!value.ok()) return Err{value.error()};
  const auto number = float_at(*value.value(), 0);
  if (!number) {
    return Err{
        error(Cause::kType, key,
              fmt::format("metadata key '{}' is {}, not a floating-point number", key, describe(*value.value())))};
  }
  if (!std::isfinite(*number)) {
    return Err{error(Cause::kNotFinite, key, fmt::format("metadata key '{}' is not finite", key))};
  }
  return *number;
}

Result<double, ReadError> GgufFile::number(std::string_view key, double otherwise) const {
  return has(key) ? number(key) : otherwise;
}

Result<bool, ReadError> GgufFile::truth(std::string_view key, bool otherwise) const {
  if (!has(key)) return otherwise;
  const auto value = find(key, false);
  if (!value.ok()) return Err{value.error()};
  if (value.value()->type != GgufType::kBool) {
    return Err{
        error(Cause::kType, key, fmt::format("metadata key '{}' is {}, not a bool", key, describe(*value.value())))};
  }
  return value.value()->bytes[0] != 0;
}

Result<std::string_view, ReadError> GgufFile::text(std::string_view key) const {
  const auto value = find(key, false);
  if (!value.ok()) return Err{value.error()};
  if (value.value()->type != GgufType::kString) {
    return Err{
        error(Cause::kType, key, fmt::format("metadata key '{}' is {}, not a string", key, describe(*value.value())))};
  }
  return text_of(value.value()->bytes.subspan(8));
}

Result<std::vector<std::string_view>, ReadError> GgufFile::texts(std::string_view key) const {
  const auto value = find(key, true);
  if (!value.ok()) return Err{value.error()};
  const GgufValue& array = *value.value();
  if (array.type != GgufType::kString) {
    return Err{error(Cause::kType, key,
                     fmt::format("metadata key '{}' is {}, not an array of strings", key, describe(array)))};
  }
  // The lengths were checked when the file was parsed.
  std::vector<std::string_view> texts;
  texts.reserve(array.count);
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < array.count; ++i) {
    const auto size = load<std::uint64_t>(array.bytes.data() + at);
    texts.push_back(text_of(array.bytes.subspan(at + 8, size)));
    at += 8 + size;
  }
  return texts;
}

Result<std::vector<std::int64_t>, ReadError> GgufFile::integers(std::string_view key) const {
  const auto value = find(key, true);
  if (!value.ok()) return Err{value.error()};
  const GgufValue& array = *value.value();
  std::vector<std::int64_t> integers;
  integers.reserve(array.count);
  for (std::uint64_t i = 0; i < array.count; ++i) {
    const auto integer = integer_at(array, i);
    if (!integer) break;
    if (!integer->negative && integer->bits > std::numeric_limits<std::int64_t>::max()) {
      return Err{error(Cause::kValue, key, fmt::format("value {} of '{}' is beyond 63 bits", i, key))};
    }
    integers.push_back(static_cast<std::int64_t>(integer->bits));
  }
  if (integers.size() == array.count) return integers;
  return Err{error(Cause::kType, key, fmt::format("metadata key '{}' is {}, not of integers", key, describe(array)))};
}

Result<std::vector<float>, ReadError> GgufFile::numbers(std::string_view key) const {
  const auto value = find(key, true);
  if (!value.ok()) return Err{value.error()};
  const GgufValue& array = *value.value();
  if (array.type != GgufType::kF32 && array.type != GgufType::kF64) {
    return Err{error(Cause::kType, key,
                     fmt::format("metadata key '{}' is {}, not of floating-point numbers", key, describe(array)))};
  }
  std::vector<float> numbers;
  numbers.reserve(array.count);
  for (std::uint64_t i = 0; i < array.count; ++i) {
    numbers.push_back(static_cast<float>(*float_at(array, i)));
    if (!std::isfinite(numbers.back())) {
      return Err{error(Cause::kNotFinite, key, fmt::format("value {} of '{}' is not finite", i, key))};
    }
  }
  return numbers;
}

}  // namespace avow::model
