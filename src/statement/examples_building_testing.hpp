// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "statement/builder.hpp"

// What the files of examples share.
namespace avow::statement {

/// Numbers that are shown not to be negative are cut into digits of 12 bits.
inline constexpr std::int64_t kDigit = 4096;

using Array = std::vector<std::int64_t>;

/// Uniform in [low, high], but never 0.
[[nodiscard]] Array random_array(std::uint64_t size, std::int64_t low, std::int64_t high, std::uint64_t seed);

[[nodiscard]] inline std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// Aborts if it is none.
[[nodiscard]] Statement built(const Builder& builder);

}  // namespace avow::statement
