// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "model/config.hpp"
#include "quantise/fixed.hpp"

namespace avow::quantise {

/// model::rope_frequencies (spec/models.md) without a mathematical library, so that cells that are made from them are
/// equal on every machine. Of a configuration that check_config has passed.
[[nodiscard]] std::vector<fixed::Number> frequencies_of(const model::ModelConfig& config);

/// model::rope_amplitude, likewise.
[[nodiscard]] fixed::Number amplitude_of(const model::Rope& rope);

}  // namespace avow::quantise
