// SPDX-License-Identifier: Apache-2.0
#include "chain/json.hpp"

#include "base/json.hpp"

namespace avow::chain {
Result<Json> parse_json(std::string_view text, std::size_t depth) {
  auto parsed = base::parse_json(text, depth);
  if (!parsed) return fail(Cause::kJson, parsed.error().reason);
  return std::move(parsed).value();
}

const Json* member(const Json& json, const char* key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() ? nullptr : &*found;
}

const std::string* string_member(const Json& json, const char* key) {
  const Json* found = member(json, key);
  return found == nullptr ? nullptr : found->get_ptr<const std::string*>();
}

std::string to_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace avow::chain
