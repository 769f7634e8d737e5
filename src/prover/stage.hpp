// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "prover/expression.hpp"
#include "prover/sumcheck.hpp"
#include "reduction/evaluate.hpp"

namespace avow::prover {

/// T~ at the claim's point, from the cells; of public values from these.
[[nodiscard]] Fp3 evaluate_claim(const Tensors& tensors, const reduction::Challenges& challenges,
                                 const reduction::TensorPoint& point);

/// A kept axis of a table: `take` values at the variables of `at`.
struct Kept {
  std::uint64_t take = 0;
  reduction::Coordinates at{};
};
/// Row-major values over the kept axes, each padded with zeros, as a table whose lowest variable is the one with the
/// lowest position.
[[nodiscard]] Table arrange(const std::vector<Kept>& kept, std::vector<Fp3> values);

/// What a stage's sumcheck is about, as tables over its variables.
struct StageTables {
  std::vector<Summand> summands;
  /// Which claim each table of each summand is about; kNone of structured ones.
  std::vector<std::vector<reduction::ClaimId>> claims;
};
/// join: the challenge whose powers join the stage's claims. values: of the claims known so far; those without
/// variables that the stage brings up are added.
[[nodiscard]] StageTables make_stage_tables(const Tensors& tensors, const reduction::Plan& plan,
                                            const reduction::Stage& stage, const reduction::Challenges& challenges,
                                            const Fp3& join, std::vector<Fp3>& values);

}  // namespace avow::prover
