// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/bytes.hpp"
#include "model/error.hpp"

namespace avow::model {

/// Parses an object of JSON, more strictly than the standard demands: UTF-8 throughout, no key twice in an object,
/// nothing after the object but white space, at most `depth` levels. `file` and `offset` (of the text in the file) are
/// for errors. Memory in use is at most proportional to the size of the text.
base::Result<nlohmann::json, ReadError> parse_json(base::ByteView text, std::string_view file, std::uint64_t offset,
                                                   std::size_t depth);

}  // namespace avow::model
