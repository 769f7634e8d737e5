// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace avow::base {

enum class JsonFault : std::uint8_t {
  kSyntax,     ///< text that is not JSON, not UTF-8, or another value than is wanted
  kDuplicate,  ///< a key twice in an object
  kDepth,      ///< nested deeper than allowed
  kValues,     ///< more values than allowed
};
struct JsonError {
  JsonFault fault;
  std::size_t position;  ///< of kSyntax: in the text
  std::string reason;    ///< what the text is or has: "is not JSON: ..."; printable
};

/// What a text has to be as a whole.
enum class JsonTop : std::uint8_t { kAny, kObject };

/// Parses JSON, more strictly than the standard demands: UTF-8 throughout, no key twice in an object, nothing after the
/// value but white space, at most `depth` levels. Memory in use is at most proportional to the size of the text, but a
/// value may take a hundred times its text, "[]," for one: where that is too much, `most_values` bounds it, with the
/// size of the text. Arrays and objects count as values.
[[nodiscard]] Result<nlohmann::json, JsonError> parse_json(
    std::string_view text, std::size_t depth, JsonTop top = JsonTop::kAny,
    std::size_t most_values = std::numeric_limits<std::size_t>::max());

}  // namespace avow::base
