// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/config.hpp"
#include "quantise/fixed.hpp"

/// The function tables of spec/integer_models.md section 2. Every cell is the correctly rounded value of its formula,
/// of two equally near the lower one: equal on every machine.
namespace avow::quantise {

struct RootTables {
  std::vector<std::int32_t> values, slopes;  ///< 2^8 x 2^8: by a, b
};
/// values: (1 - 2^-10) 2^20 / sqrt(256 a + b), 0 if a is 0. slopes: from each of them to the next, that after the last
/// included, so that the lines between them meet.
[[nodiscard]] RootTables root_tables();

/// 2^16 rows: 2^14 exp(-row 2^-score_bits). score_bits from -40 to 100.
[[nodiscard]] std::vector<std::int16_t> exp_values(int score_bits);

/// 2^16 rows: of x = (row - 2^15) 2^-bits, the activation in units of 2^-bits. bits from -40 to 60.
[[nodiscard]] std::vector<std::int16_t> act_values(model::Activation activation, int bits);

/// 2^12 rows: 2^16 exp(-row / 256); the last one 0.
[[nodiscard]] std::vector<std::int32_t> weight_values();

/// context x pairs x 2 x 2: cos, -sin, sin, cos of position times frequency, times amplitude, in units of 2^-14.
/// Needs 0 < amplitude < 2 and frequencies below 2^16 in size.
[[nodiscard]] std::vector<std::int16_t> rotation(std::span<const fixed::Number> frequencies,
                                                 const fixed::Number& amplitude, std::uint64_t context);

/// 2 x 2^8: whether a byte is not 0, or one before it was not.
[[nodiscard]] std::vector<std::int16_t> found_values();

}  // namespace avow::quantise
