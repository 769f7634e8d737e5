// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace avow::base {

/// Lower-case hexadecimal without prefix.
[[nodiscard]] std::string to_hex(ByteView bytes);

/// The bytes of an even number of hexadecimal digits of either case, with or without `0x`; nothing otherwise.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);

}  // namespace avow::base
