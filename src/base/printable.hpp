// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace avow::base {

/// Text from outside as a message may show it: at most `most` bytes of it, with a question mark for each that is no
/// printable ASCII. Terminals obey some of the others, or show text in another order for them.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most);

}  // namespace avow::base
