// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/interface.hpp"

namespace avow::chain {

/// Parameters as an ABI's JSON has them; `depth` tuples are around them.
[[nodiscard]] Result<std::vector<Field>> parse_fields(const Json& json, std::size_t depth);

/// A function, event, error or constructor; names may be missing.
[[nodiscard]] Result<Entry> parse_entry(const Json& json);

}  // namespace avow::chain
