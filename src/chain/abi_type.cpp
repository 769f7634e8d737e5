// SPDX-License-Identifier: Apache-2.0
#include "chain/abi_type.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/printable.hpp"

namespace avow::chain {
namespace {

constexpr std::size_t kWordBytes = 32;

base::Err<Error> no_type(std::string_view text) {
  return fail(Cause::kAbiType, fmt::format("'{}' is no type of the ABI", base::printable(text, 90)));
}

// Digits without leading zeros of a number from 1 to `most`.
std::optional<std::size_t> size_of(std::string_view digits, std::size_t most) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || digits[0] == '0' || value > most) {
    return std::nullopt;
  }
  return value;
}

std::size_t depth_of(const Type& type) {
  std::size_t deepest = 0;
  for (const Field& part : type.parts) deepest = std::max(deepest, depth_of(part.type));
  return deepest + 1;
}

// Parses tuples, whose fields a comma separates.
class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : text_(text) {}

  Result<Type> whole() {
    auto type = next(0);
    if (type && at_ != text_.size()) return no_type(text_);
    return type;
  }

 private:
  Result<Type> next(std::size_t depth) {
    if (depth == kMostTypeDepth) return fail(Cause::kAbiType, fmt::format("more than {} levels", kMostTypeDepth));
    auto element = at_ < text_.size() && text_[at_] == '(' ? tuple(depth) : parse_elementary(word());
    if (!element) return element;
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_not_of("[]0123456789", at_), text_.size());
    return with_dimensions(std::move(element).value(), text_.substr(begin, at_ - begin));
  }

  Result<Type> tuple(std::size_t depth) {
    Type type(Kind::kTuple);
    do {
      ++at_;  // the parenthesis or the comma
      auto field = next(depth + 1);
      if (!field) return field;
      type.parts.push_back({"", std::move(field).value()});
    } while (at_ < text_.size() && text_[at_] == ',');
    if (at_ == text_.size() || text_[at_] != ')') return no_type(text_);
    ++at_;
    return type;
  }

  std::string_view word() {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of("[](),", at_), text_.size());
    return text_.substr(begin, at_ - begin);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Type::Type(Kind type_kind, std::size_t type_size) : kind(type_kind), size(type_size) {}

Type::Type(Kind type_kind, std::size_t type_size, std::vector<Field> type_parts)
    : kind(type_kind), size(type_size), parts(std::move(type_parts)) {}

Result<Type> parse_elementary(std::string_view text) {
  if (text == "address") return Type(Kind::kAddress);
  if (text == "bool") return Type(Kind::kBool);
  if (text == "bytes") return Type(Kind::kBytes);
  if (text == "string") return Type(Kind::kString);
  const auto sized = [&](std::string_view prefix, Kind kind, std::size_t most, std::size_t unit) -> Result<Type> {
    const auto size = size_of(text.substr(prefix.size()), most);
    if (!size || *size % unit != 0) return no_type(text);
    return Type(kind, *size);
  };
  if (text.starts_with("uint") && text.size() > 4) return sized("uint", Kind::kUint, 256, 8);
  if (text.starts_with("int") && text.size() > 3) return sized("int", Kind::kInt, 256, 8);
  if (text.starts_with("bytes")) return sized("bytes", Kind::kFixedBytes, 32, 1);
  return no_type(text);
}

Result<Type> with_dimensions(Type element, std::string_view dimensions) {
  std::string_view rest = dimensions;
  while (!rest.empty()) {
    const std::size_t close = rest.find(']');
    if (rest[0] != '[' || close == std::string_view::npos) return no_type(dimensions);
    const std::string_view digits = rest.substr(1, close - 1);
    const auto size = digits.empty() ? std::optional<std::size_t>(0) : size_of(digits, kMostStaticBytes);
    if (!size) return no_type(dimensions);
    element = Type(digits.empty() ? Kind::kList : Kind::kArray, *size, {Field{"", std::move(element)}});
    // Checked at each step, as neither depth nor size may grow with the text.
    auto grown = checked(std::move(element));
    if (!grown) return grown;
    element = std::move(grown).value();
    rest.remove_prefix(close + 1);
  }
  return element;
}

Result<Type> checked(Type type) {
  if (depth_of(type) > kMostTypeDepth) return fail(Cause::kAbiType, fmt::format("more than {} levels", kMostTypeDepth));
  if (head_bytes(type) > kMostStaticBytes) {
    return fail(Cause::kAbiType, fmt::format("values of more than {} bytes", kMostStaticBytes));
  }
  if (head_bytes(type) == 0) return fail(Cause::kAbiType, "a tuple without fields, or an array without elements");
  return type;
}

Result<Type> parse_type(std::string_view text) {
  auto type = TypeParser(text).whole();
  return type ? checked(std::move(type).value()) : std::move(type);
}

std::string to_string(const Type& type) {
  switch (type.kind) {
    case Kind::kUint:
      return fmt::format("uint{}", type.size);
    case Kind::kInt:
      return fmt::format("int{}", type.size);
    case Kind::kAddress:
      return "address";
    case Kind::kBool:
      return "bool";
    case Kind::kFixedBytes:
      return fmt::format("bytes{}", type.size);
    case Kind::kBytes:
      return "bytes";
    case Kind::kString:
      return "string";
    case Kind::kArray:
      return fmt::format("{}[{}]", to_string(type.parts[0].type), type.size);
    case Kind::kList:
      return to_string(type.parts[0].type) + "[]";
    case Kind::kTuple:
      return to_string(type.parts);
  }
  return {};
}

std::string to_string(const std::vector<Field>& fields) {
  std::string text = "(";
  for (const Field& field : fields) {
    if (text.size() > 1) text += ',';
    text += to_string(field.type);
  }
  return text + ')';
}

bool is_dynamic(const Type& type) {
  if (type.kind == Kind::kBytes || type.kind == Kind::kString || type.kind == Kind::kList) return true;
  return std::any_of(type.parts.begin(), type.parts.end(), [](const Field& part) { return is_dynamic(part.type); });
}

std::size_t head_bytes(const Type& type) {
  if (is_dynamic(type)) return kWordBytes;
  if (type.kind == Kind::kArray) return head_bytes(type.parts[0].type) * type.size;
  if (type.kind != Kind::kTuple) return kWordBytes;
  std::size_t bytes = 0;
  for (const Field& field : type.parts) bytes += head_bytes(field.type);
  return bytes;
}

}  // namespace avow::chain
