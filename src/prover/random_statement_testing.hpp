// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "statement/examples_testing.hpp"

namespace avow::prover::testing {

/// A random small statement that holds for the arrays that come with it, or nothing: what was drawn broke a rule.
///
/// Axes of one place, of no power of two, of the instance; prefixes, fixed places, aliases, broadcasts; all kinds of
/// structured tensors, also beyond their extents; sums, products, chains of definitions; lookups with and without
/// masks; zero claims on tensors that are looked up, too.
[[nodiscard]] std::optional<statement::Example> random_statement(std::uint64_t seed);

}  // namespace avow::prover::testing
