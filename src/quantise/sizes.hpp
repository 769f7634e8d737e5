// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "quantise/quantise.hpp"

namespace avow::quantise {

/// The largest 2^k or 3 * 2^(k-1) that is at most n; n >= 1.
[[nodiscard]] std::uint64_t token_count_below(std::uint64_t n);

/// Architecture, flags and sizes of the plan; the numbers are 0.
[[nodiscard]] base::Result<compile::Plan, Error> sizes_of(const model::ModelConfig& config, const Options& options);

}  // namespace avow::quantise
