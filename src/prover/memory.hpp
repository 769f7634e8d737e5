// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "prover/prove.hpp"

namespace avow::prover {

/// About how much memory a process needs at most that holds this model and makes one proof, in bytes, without files
/// that are mapped; nothing if the lengths (statement::Instance::lengths) are not allowed. Within a quarter of what is
/// measured for models of millions of cells; for small ones, what any process needs is more than the rest.
[[nodiscard]] std::optional<std::uint64_t> estimate_memory(const Model& model, std::span<const std::uint64_t> lengths);

}  // namespace avow::prover
