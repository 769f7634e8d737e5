// SPDX-License-Identifier: Apache-2.0
#include "chain/typed_data.hpp"

#include <fmt/format.h>

#include <map>

#include "base/check.hpp"
#include "hash/keccak.hpp"

namespace avow::chain {
namespace {

base::Digest hash_of(std::string_view text) { return hash::keccak256(base::Bytes(text.begin(), text.end())); }

// A struct's or array's element type, where it is a struct.
const Type* struct_in(const Type& type) {
  if (type.kind == Kind::kTuple) return &type;
  return type.parts.empty() ? nullptr : struct_in(type.parts[0].type);
}

// As in the EIP: a struct by its name.
std::string typed_name(const Type& type) {
  switch (type.kind) {
    case Kind::kTuple:
      return type.name;
    case Kind::kArray:
      return fmt::format("{}[{}]", typed_name(type.parts[0].type), type.size);
    case Kind::kList:
      return typed_name(type.parts[0].type) + "[]";
    default:
      return to_string(type);
  }
}

// Name(type name,...), without the structs in it.
std::string own_part(const Type& type) {
  std::string text = type.name + '(';
  for (const Field& field : type.parts) {
    if (text.back() != '(') text += ',';
    text += fmt::format("{} {}", typed_name(field.type), field.name);
  }
  return text + ')';
}

void collect_structs(const Type& type, std::map<std::string, std::string>& parts) {
  for (const Field& field : type.parts) {
    const Type* inner = struct_in(field.type);
    if (inner == nullptr || !parts.emplace(inner->name, own_part(*inner)).second) continue;
    collect_structs(*inner, parts);
  }
}

Result<base::Digest> typed_word(const Type& type, const Value& value);

Result<base::Bytes> typed_words(const Type& type, const Value::List& values) {
  const bool is_tuple = type.kind == Kind::kTuple;
  const std::size_t expected = is_tuple ? type.parts.size() : type.kind == Kind::kArray ? type.size : values.size();
  if (values.size() != expected) {
    return fail(Cause::kAbiValue, fmt::format("{} values where {} has {}", values.size(), typed_name(type), expected));
  }
  base::Bytes words;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Field& part = type.parts[is_tuple ? i : 0];
    const auto word = typed_word(part.type, values[i]);
    if (!word) return base::Err{Error{word.error().cause, part.name + ": " + word.error().text}};
    base::append(words, word.value());
  }
  return words;
}

Result<base::Digest> typed_word(const Type& type, const Value& value) {
  if (type.kind == Kind::kTuple) return hash_struct(type, value);
  if (type.kind == Kind::kBytes) {
    const auto* bytes = value.as<base::Bytes>();
    if (bytes == nullptr) return fail(Cause::kAbiValue, "bytes are expected");
    return hash::keccak256(*bytes);
  }
  if (type.kind == Kind::kString) {
    const auto* text = value.as<std::string>();
    if (text == nullptr) return fail(Cause::kAbiValue, "a text is expected");
    return hash_of(*text);
  }
  if (type.parts.empty()) return encode_word(type, value);
  const auto* values = value.as<Value::List>();
  if (values == nullptr) return fail(Cause::kAbiValue, "a list of values is expected for " + typed_name(type));
  const auto words = typed_words(type, *values);
  if (!words) return base::Err{words.error()};
  return hash::keccak256(words.value());
}

bool is_name(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$") ==
                              std::string_view::npos;
}

// The text cut into its structs, then put together from the first one.
class TypedParser {
 public:
  Result<Type> parse(std::string_view text) {
    // A struct's fields, and their names, are written once and kept wherever it is used.
    if (text.size() > kMostTypedBytes) return too_large(text);
    std::string_view rest = text;
    std::string_view first;
    while (!rest.empty()) {
      const std::size_t open = rest.find('(');
      const std::size_t close = rest.find(')');
      if (open == std::string_view::npos || close == std::string_view::npos || close < open) return refuse(text);
      const std::string_view struct_name = rest.substr(0, open);
      const std::string_view body = rest.substr(open + 1, close - open - 1);
      if (!is_name(struct_name) || !bodies_.emplace(struct_name, body).second) return refuse(struct_name);
      if (first.empty()) first = struct_name;
      rest.remove_prefix(close + 1);
    }
    if (first.empty()) return refuse(text);
    auto type = structure(first, 0);
    // Every struct is part of the first one, and they are in the order of their names.
    if (type && encode_type(type.value()) != text) return refuse(text);
    return type;
  }

 private:
  static base::Err<Error> refuse(std::string_view text) {
    return fail(Cause::kTypedData, fmt::format("'{}' is no EIP-712 type", text.substr(0, 120)));
  }

  static base::Err<Error> too_large(std::string_view text) {
    return fail(Cause::kTypedData, fmt::format("'{}': an EIP-712 type has at most {} bytes and {} fields",
                                               text.substr(0, 120), kMostTypedBytes, kMostTypedFields));
  }

  Result<Type> structure(std::string_view struct_name, std::size_t depth) {
    if (depth == kMostTypeDepth || ++structs_ > kMostStructs) {
      return fail(Cause::kTypedData, fmt::format("{} contains itself, or too many structs", struct_name));
    }
    Type type(Kind::kTuple);
    type.name = struct_name;
    std::string_view rest = bodies_.at(struct_name);
    while (!rest.empty()) {
      const std::string_view part = rest.substr(0, rest.find(','));
      auto parsed = field(part, depth);
      if (!parsed) return base::Err{parsed.error()};
      type.parts.push_back(std::move(parsed).value());
      rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    }
    return checked(std::move(type));
  }

  Result<Field> field(std::string_view text, std::size_t depth) {
    if (++fields_ > kMostTypedFields) return too_large(text);
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos || !is_name(text.substr(blank + 1))) return refuse(text);
    const std::string_view type_text = text.substr(0, blank);
    const std::string_view element = type_text.substr(0, type_text.find('['));
    auto type = bodies_.contains(element) ? structure(element, depth + 1) : parse_elementary(element);
    if (type) type = with_dimensions(std::move(type).value(), type_text.substr(element.size()));
    if (!type) return base::Err{type.error()};
    return Field{std::string(text.substr(blank + 1)), std::move(type).value()};
  }

  static constexpr std::size_t kMostStructs = 1024;
  std::map<std::string_view, std::string_view> bodies_;
  std::size_t structs_ = 0;
  std::size_t fields_ = 0;
};

}  // namespace

Result<Type> parse_typed(std::string_view text) { return TypedParser().parse(text); }

std::string encode_type(const Type& type) {
  std::map<std::string, std::string> parts;
  collect_structs(type, parts);
  std::string text = own_part(type);
  for (const auto& [struct_name, part] : parts) text += part;
  return text;
}

Result<base::Digest> hash_struct(const Type& type, const Value& value) {
  const auto* values = value.as<Value::List>();
  if (type.kind != Kind::kTuple || values == nullptr) {
    return fail(Cause::kAbiValue, "a list of values is expected for " + typed_name(type));
  }
  const auto words = typed_words(type, *values);
  if (!words) return base::Err{Error{words.error().cause, type.name + "." + words.error().text}};
  const base::Digest type_hash = hash_of(encode_type(type));
  base::Bytes bytes(type_hash.begin(), type_hash.end());
  base::append(bytes, words.value());
  return hash::keccak256(bytes);
}

base::Digest domain_separator(const Domain& domain) {
  Type type(Kind::kTuple);
  type.name = "EIP712Domain";
  Value::List values;
  const auto put = [&](const char* field, Kind kind, std::size_t size, const auto& value) {
    if (!value) return;
    type.parts.push_back({field, Type(kind, size)});
    values.push_back(*value);
  };
  put("name", Kind::kString, 0, domain.name);
  put("version", Kind::kString, 0, domain.version);
  put("chainId", Kind::kUint, 256, domain.chain_id);
  put("verifyingContract", Kind::kAddress, 0, domain.verifying_contract);
  put("salt", Kind::kFixedBytes, 32, domain.salt);
  return hash_struct(type, values).value();
}

base::Digest typed_data_digest(const base::Digest& separator, const base::Digest& struct_hash) {
  base::Bytes bytes{0x19, 0x01};
  base::append(bytes, separator);
  base::append(bytes, struct_hash);
  return hash::keccak256(bytes);
}

}  // namespace avow::chain
