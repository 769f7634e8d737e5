// SPDX-License-Identifier: Apache-2.0
#include "chain/interface_parse.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace avow::chain {
namespace {

constexpr std::size_t kMostFields = 256;

base::Err<Error> no_interface(std::string_view text) { return fail(Cause::kAbiInterface, std::string(text)); }

// "struct Market.Request[2]" is Request.
std::string struct_name(const Json& json) {
  const std::string* internal = string_member(json, "internalType");
  if (internal == nullptr || !internal->starts_with("struct ")) return {};
  std::string name = internal->substr(7);
  name.resize(std::min(name.find('['), name.size()));
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
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
  tuple.value().name = struct_name(json);
  return with_dimensions(std::move(tuple).value(), text->substr(5));
}

Result<Field> parse_field(const Json& json, std::size_t depth) {
  auto type = parse_field_type(json, depth);
  if (!type) return base::Err{type.error()};
  const std::string* field_name = string_member(json, "name");
  const Json* indexed = member(json, "indexed");
  return Field{field_name == nullptr ? "" : *field_name, std::move(type).value(),
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
  if (const std::string* entry_name = string_member(json, "name")) entry.name = *entry_name;
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
