// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "chain/error.hpp"

namespace avow::chain {

using Json = nlohmann::json;

/// base::parse_json; kJson.
[[nodiscard]] Result<Json> parse_json(std::string_view text, std::size_t depth);

/// The member of an object; null if `json` is no object or has none of this name.
[[nodiscard]] const Json* member(const Json& json, const char* key);
/// The same, if it is a string.
[[nodiscard]] const std::string* string_member(const Json& json, const char* key);

/// One line; what is not UTF-8 in it is replaced.
[[nodiscard]] std::string to_text(const Json& json);

}  // namespace avow::chain
