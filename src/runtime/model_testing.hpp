// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "compile/tensors.hpp"

// Models of random cells, scaled by bounds so that no number leaves its range.
namespace avow::runtime::testing {

/// A model of the plan's sizes with plausible tables: cells are random over their whole range, every eighth an extreme.
[[nodiscard]] compile::IntegerModel random_model(const compile::Plan& plan, std::uint64_t seed);

/// Chooses the shifts of a plan that has its sizes, by worst-case bounds. `variation` varies what they leave open.
void scale(compile::Plan& plan, std::uint64_t variation);

/// A plan of small odd sizes; sixteen seeds in a row have every architecture with every option.
[[nodiscard]] compile::Plan random_plan(std::uint64_t seed);

}  // namespace avow::runtime::testing
