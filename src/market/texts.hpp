// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace avow::market {

/// A file of contracts/ that is part of this program; one of those that CMakeLists.txt names.
[[nodiscard]] std::string_view embedded_text(std::string_view path);
/// Nothing if it is none of them.
[[nodiscard]] std::string_view embedded_text_or_none(std::string_view path);

}  // namespace avow::market
