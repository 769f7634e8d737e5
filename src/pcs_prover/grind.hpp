// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace avow::pcs {

/// The smallest nonce whose hash after `prefix` starts with `bits` zero bits, on all threads: equal on every machine.
[[nodiscard]] std::uint64_t grind(base::ByteView prefix, unsigned bits);

}  // namespace avow::pcs
