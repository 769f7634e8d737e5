// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "chain/abi.hpp"

namespace avow::chain {
namespace {

// A value, and how many bytes its encoding has (without the offset, of dynamic ones).
struct Taken {
  Value value;
  std::size_t bytes;
};

base::Err<Error> too_short(const Type& type) {
  return fail(Cause::kAbiTruncated, "the bytes end before the " + to_string(type));
}

Result<Taken> decode_value(const Type& type, base::ByteView bytes);

// Values side by side. `field_of(i)` is the field of value i; their heads are there: the caller has looked.
template <typename FieldOf>
Result<Taken> decode_parts(std::size_t count, std::size_t heads, const FieldOf& field_of, base::ByteView bytes) {
  Value::List values;
  values.reserve(count);
  std::size_t head = 0;
  std::size_t tail = heads;  // where the next dynamic value lies, if the encoding is canonical
  for (std::size_t i = 0; i < count; ++i) {
    const Type& type = field_of(i).type;
    const bool is_offset = is_dynamic(type);
    if (is_offset && U256::from_bytes(bytes.subspan(head, 32)) != U256(tail)) {
      return fail(Cause::kAbiOffset, fmt::format("the offset of a {} is not {}", to_string(type), tail));
    }
    auto taken = decode_value(type, bytes.subspan(is_offset ? tail : head));
    if (!taken) return taken;
    head += head_bytes(type);
    if (is_offset) tail += taken.value().bytes;
    values.push_back(std::move(taken.value().value));
  }
  return Taken{std::move(values), tail};
}

// The count in front of lists, bytes and text; of not more than `rest / unit` units.
Result<std::size_t> decode_count(const Type& type, base::ByteView bytes, std::size_t unit) {
  if (bytes.size() < 32) return too_short(type);
  const auto count = U256::from_bytes(bytes.first(32))->to_u64();
  if (!count || *count > (bytes.size() - 32) / unit) return too_short(type);
  return static_cast<std::size_t>(*count);
}

Result<Taken> decode_counted(const Type& type, base::ByteView bytes) {
  const auto count = decode_count(type, bytes, 1);
  if (!count) return base::Err{count.error()};
  const std::size_t size = count.value();
  const std::size_t padded = (size + 31) / 32 * 32;
  if (bytes.size() - 32 < padded) return too_short(type);
  const base::ByteView padding = bytes.subspan(32 + size, padded - size);
  if (std::any_of(padding.begin(), padding.end(), [](std::uint8_t byte) { return byte != 0; })) {
    return fail(Cause::kAbiPadding, "bytes set behind the " + to_string(type));
  }
  const base::ByteView content = bytes.subspan(32, size);
  if (type.kind == Kind::kString) return Taken{std::string(content.begin(), content.end()), 32 + padded};
  return Taken{base::Bytes(content.begin(), content.end()), 32 + padded};
}

Result<Taken> decode_tuple(const std::vector<Field>& fields, base::ByteView bytes) {
  std::size_t heads = 0;
  for (const Field& field : fields) {
    heads += head_bytes(field.type);
    if (bytes.size() < heads) return too_short(field.type);
  }
  return decode_parts(
      fields.size(), heads, [&](std::size_t i) -> const Field& { return fields[i]; }, bytes);
}

Result<Taken> decode_elements(const Type& type, std::size_t count, base::ByteView bytes) {
  const Field& element = type.parts[0];
  const std::size_t unit = head_bytes(element.type);
  if (bytes.size() / unit < count) return too_short(type);
  return decode_parts(
      count, count * unit, [&](std::size_t) -> const Field& { return element; }, bytes);
}

Result<Taken> decode_list(const Type& type, base::ByteView bytes) {
  const auto count = decode_count(type, bytes, head_bytes(type.parts[0].type));
  if (!count) return base::Err{count.error()};
  auto taken = decode_elements(type, count.value(), bytes.subspan(32));
  if (taken) taken.value().bytes += 32;
  return taken;
}

Result<Taken> decode_value(const Type& type, base::ByteView bytes) {
  switch (type.kind) {
    case Kind::kBytes:
    case Kind::kString:
      return decode_counted(type, bytes);
    case Kind::kList:
      return decode_list(type, bytes);
    case Kind::kArray:
      return decode_elements(type, type.size, bytes);
    case Kind::kTuple:
      return decode_tuple(type.parts, bytes);
    default: {
      if (bytes.size() < 32) return too_short(type);
      auto value = decode_word(type, bytes.first<32>());
      if (!value) return base::Err{value.error()};
      return Taken{std::move(value).value(), 32};
    }
  }
}

}  // namespace

Result<Value::List> decode_abi(const std::vector<Field>& fields, base::ByteView bytes) {
  auto taken = decode_tuple(fields, bytes);
  if (!taken) return base::Err{taken.error()};
  if (taken.value().bytes != bytes.size()) {
    return fail(Cause::kAbiTrailing, fmt::format("{} bytes after the values", bytes.size() - taken.value().bytes));
  }
  return std::get<Value::List>(std::move(taken.value().value.data));
}

}  // namespace avow::chain
