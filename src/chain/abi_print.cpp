// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/hex.hpp"
#include "chain/abi.hpp"

namespace avow::chain {
namespace {

constexpr std::size_t kMostShownBytes = 64;
constexpr std::size_t kMostShownValues = 16;

std::string printed_bytes(const base::Bytes& bytes) {
  const std::size_t shown = std::min(bytes.size(), kMostShownBytes);
  std::string text = "0x" + base::to_hex(base::ByteView(bytes).first(shown));
  if (shown < bytes.size()) text += fmt::format("... ({} bytes)", bytes.size());
  return text;
}

// Whoever wrote the text may want it to look like something else: control characters and what is no ASCII are escaped.
std::string printed_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text.substr(0, kMostShownBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\'' && c != '\\') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  return out + (text.size() > kMostShownBytes ? "'..." : "'");
}

std::string printed_number(const Type& type, const U256& number) {
  const bool is_negative = type.kind == Kind::kInt && number.bit_length() == 256;
  return is_negative ? fmt::format("-{}", to_decimal(number.negated())) : to_decimal(number);
}

std::string printed_list(const Type& type, const Value::List& values) {
  if (type.kind == Kind::kTuple) return '(' + to_string(type.parts, values) + ')';
  std::string text = "[";
  for (std::size_t i = 0; i < std::min(values.size(), kMostShownValues); ++i) {
    text += (i > 0 ? ", " : "") + (type.parts.empty() ? std::string("?") : to_string(type.parts[0].type, values[i]));
  }
  return text + (values.size() > kMostShownValues ? fmt::format(", ... ({} values)]", values.size()) : "]");
}

}  // namespace

std::string to_string(const Type& type, const Value& value) {
  if (const auto* number = value.as<U256>()) return printed_number(type, *number);
  if (const auto* truth = value.as<bool>()) return *truth ? "true" : "false";
  if (const auto* address = value.as<Address>()) return to_string(*address);
  if (const auto* bytes = value.as<base::Bytes>()) return printed_bytes(*bytes);
  if (const auto* text = value.as<std::string>()) return printed_text(*text);
  return printed_list(type, *value.as<Value::List>());
}

std::string to_string(const std::vector<Field>& fields, const Value::List& values) {
  std::string text;
  for (std::size_t i = 0; i < std::min(fields.size(), values.size()); ++i) {
    if (i > 0) text += ", ";
    if (!fields[i].name.empty()) text += fields[i].name + ": ";
    text += to_string(fields[i].type, values[i]);
  }
  return text;
}

}  // namespace avow::chain
