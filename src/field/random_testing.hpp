// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>

#include "field/extension.hpp"

namespace avow::field {

/// Coefficients of 64 random bits each; those of p or more are reduced.
[[nodiscard]] inline Fp3 random_element(std::mt19937_64& rng) { return {Fp(rng()), Fp(rng()), Fp(rng())}; }

}  // namespace avow::field
