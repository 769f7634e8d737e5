// SPDX-License-Identifier: Apache-2.0
#include "chain/interface_parse.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace avow::chain {
namespace {

constexpr std::size_t kMostFields = 256;
constexpr std::size_t kMostNameBytes = 256;

base::Err<Error> no_interface(std::string_view text) { return fail(Cause::kAbiInterface, std::string(text)); }

// Names are shown in messages and hashed in signatures: they may be nothing but what Solidity takes.
bool is_solidity_name(std::string_view text) {
  return !text.empty() && text.size() <= kMostNameBytes && !(text[0] >= '0' && text[0] <= '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
         });
}

// The member "name"; empty if there is none.
Result<std::string> read_name(const Json& json) {
  const std::string* text = string_member(json, "name");
  if (text == nullptr || text->empty()) return std::string();
  if (!is_solidity_name(*text)) return no_interface("a name that is no identifier of Solidity");
  return *text;
}

// "struct Market.Request[2]" is Request; empty if it is no struct's.
Result<std::string> struct_name(const Json& json) {
  const std::string* internal = string_member(json, "internalType");
  if (internal == nullptr || !internal->starts_with("struct ")) return std::string();
  std::string name = internal->substr(7);
  name.resize(std::min(name.find('['), name.size()));
  name.erase(0, name.rfind('.') + 1);  // nothing where there is no dot
  if (!is_solidity_name(name)) return no_interface("a struct whose name is no identifier of Solidity");
  return name;
}

Result<Type> parse_field_type(const Json& json, std::size_t depth) {
  const std::string* text = string_member(json, "type");
  if (text == nullptr) return no_interface("a parameter without a type");
  if (!text->starts_with("tuple")) return parse_type(*text);
  const Json* components = member(json, "components");
  if (components == nullptr) return no_interface("a tuple without components");
  auto fields = parse_fields(*components, depth + 1);
  if (!fields) return base::Err{fields.error()};
  auto tuple = checked(Type(Kind::kTuple, 0, std::move(fields).value()));
  if (!tuple) return tuple;
  auto name = struct_name(json);
  if (!name) return base::Err{name.error()};
  tuple.value().name = std::move(name).value();
  return with_dimensions(std::move(tuple).value(), text->substr(5));
}

Result<Field> parse_field(const Json& json, std::size_t depth) {
  auto type = parse_field_type(json, depth);
  if (!type) return base::Err{type.error()};
  auto name = read_name(json);
  if (!name) return base::Err{name.error()};
  const Json* indexed = member(json, "indexed");
  return Field{std::move(name).value(), std::move(type).value(),
               indexed != nullptr && indexed->is_boolean() && indexed->get<bool>()};
}

}  // namespace

Result<std::vector<Field>> parse_fields(const Json& json, std::size_t depth) {
  if (depth > kMostTypeDepth) return no_interface(fmt::format("tuples nested more than {} deep", kMostTypeDepth));
  if (!json.is_array() || json.size() > kMostFields) {
    return no_interface(fmt::format("parameters that are no list of up to {}", kMostFields));
  }
  std::vector<Field> fields;
  for (const Json& part : json) {
    auto field = parse_field(part, depth);
    if (!field) return base::Err{field.error()};
    fields.push_back(std::move(field).value());
  }
  return fields;
}

Result<Entry> parse_entry(const Json& json) {
  Entry entry;
  auto name = read_name(json);
  if (!name) return base::Err{name.error()};
  entry.name = std::move(name).value();
  for (const auto& [key, target] : {std::pair{"inputs", &entry.inputs}, std::pair{"outputs", &entry.outputs}}) {
    const Json* list = member(json, key);
    if (list == nullptr) continue;
    auto fields = parse_fields(*list, 0);
    if (!fields) return base::Err{Error{fields.error().cause, entry.name + ": " + fields.error().text}};
    *target = std::move(fields).value();
  }
  entry.signature = entry.name + to_string(entry.inputs);
  const Json* anonymous = member(json, "anonymous");
  entry.is_anonymous = anonymous != nullptr && anonymous->is_boolean() && anonymous->get<bool>();
  return entry;
}

}  // namespace avow::chain
