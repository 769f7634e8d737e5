// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>

#include "chain/abi.hpp"

namespace avow::chain {
namespace {

Error about_field(const Field& field, std::size_t index, const Error& error) {
  const std::string where = field.name.empty() ? fmt::format("value {}", index) : field.name;
  return {error.cause, where + ": " + error.text};
}

std::optional<Error> encode_value(const Type& type, const Value& value, base::Bytes& out);

// Values side by side: heads, then what the offsets in them point to. `field_of(i)` is the field of value i.
template <typename FieldOf>
std::optional<Error> encode_parts(const Value::List& values, const FieldOf& field_of, base::Bytes& out) {
  std::size_t heads = 0;
  for (std::size_t i = 0; i < values.size(); ++i) heads += head_bytes(field_of(i).type);
  base::Bytes tails;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Field& field = field_of(i);
    const bool is_offset = is_dynamic(field.type);
    if (is_offset) base::append(out, U256(heads + tails.size()).to_bytes());
    if (auto error = encode_value(field.type, values[i], is_offset ? tails : out)) {
      return about_field(field, i, *error);
    }
  }
  base::append(out, tails);
  return std::nullopt;
}

void encode_counted(base::ByteView bytes, base::Bytes& out) {
  base::append(out, U256(bytes.size()).to_bytes());
  base::append(out, bytes);
  out.resize(out.size() + (32 - bytes.size() % 32) % 32);
}

std::optional<Error> encode_composite(const Type& type, const Value& value, base::Bytes& out) {
  const auto* values = value.as<Value::List>();
  if (values == nullptr) return Error{Cause::kAbiValue, "a list of values is expected for " + to_string(type)};
  const std::size_t expected = type.kind == Kind::kTuple ? type.parts.size() : type.size;
  if (type.kind == Kind::kList) {
    base::append(out, U256(values->size()).to_bytes());
  } else if (values->size() != expected) {
    return Error{Cause::kAbiValue, fmt::format("{} values where {} has {}", values->size(), to_string(type), expected)};
  }
  const bool is_tuple = type.kind == Kind::kTuple;
  return encode_parts(
      *values, [&](std::size_t i) -> const Field& { return type.parts[is_tuple ? i : 0]; }, out);
}

std::optional<Error> encode_value(const Type& type, const Value& value, base::Bytes& out) {
  switch (type.kind) {
    case Kind::kBytes: {
      const auto* bytes = value.as<base::Bytes>();
      if (bytes == nullptr) return Error{Cause::kAbiValue, "bytes are expected"};
      encode_counted(*bytes, out);
      return std::nullopt;
    }
    case Kind::kString: {
      const auto* text = value.as<std::string>();
      if (text == nullptr) return Error{Cause::kAbiValue, "a text is expected"};
      encode_counted(base::Bytes(text->begin(), text->end()), out);
      return std::nullopt;
    }
    case Kind::kArray:
    case Kind::kList:
    case Kind::kTuple:
      return encode_composite(type, value, out);
    default: {
      const auto word = encode_word(type, value);
      if (!word) return word.error();
      base::append(out, word.value());
      return std::nullopt;
    }
  }
}

}  // namespace

Result<base::Bytes> encode_abi(const std::vector<Field>& fields, const Value::List& values) {
  if (fields.size() != values.size()) {
    return fail(Cause::kAbiValue, fmt::format("{} values for {}", values.size(), to_string(fields)));
  }
  base::Bytes out;
  auto error = encode_parts(
      values, [&](std::size_t i) -> const Field& { return fields[i]; }, out);
  if (error) return base::Err{std::move(*error)};
  return out;
}

}  // namespace avow::chain
