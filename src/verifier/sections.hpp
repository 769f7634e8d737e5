// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "reduction/plan.hpp"

// Lengths of a proof's sections, which follow from the plan (spec/proof.md, section 4).
namespace avow::verifier {

/// Root and out-of-domain answer of the witness.
inline constexpr std::size_t kCommitmentBytes = 56;
/// The lookup argument's columns and the values of their tensors.
[[nodiscard]] std::size_t lookup_columns_bytes(const reduction::Plan& plan);
[[nodiscard]] std::size_t stage_bytes(const reduction::Stage& stage);
/// Header, commitment, lookup argument and stages: everything before the opening.
[[nodiscard]] std::size_t head_bytes(const reduction::Plan& plan);

}  // namespace avow::verifier
