// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace avow::model {

/// The text in Unicode's normalisation form C (Unicode 14.0, UAX #15). Bytes that are no UTF-8 and code points that
/// Unicode 14.0 does not assign stay as they are, whatever a later version says of them. O(n log n), whatever the text;
/// at most three times its size.
[[nodiscard]] std::string to_nfc(std::string_view text);

}  // namespace avow::model
