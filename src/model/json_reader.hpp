// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/bytes.hpp"
#include "model/error.hpp"

namespace avow::model {

/// An object, by base::parse_json. `file` and `offset` (of the text in the file) are for errors.
base::Result<nlohmann::json, ReadError> parse_json(base::ByteView text, std::string_view file, std::uint64_t offset,
                                                   std::size_t depth);

}  // namespace avow::model
