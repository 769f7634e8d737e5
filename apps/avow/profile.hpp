// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "answer_prover/answer_prover.hpp"

namespace avow::app {

/// Where the time of a proof went, and what its bytes are.
struct ProofProfile {
  double run_seconds = 0, prove_seconds = 0;
  answer_prover::ProveTimes times;
  prover::ProofBytes bytes;
};

/// Seconds by phase, in the order in which they happen.
nlohmann::ordered_json phases_of(const ProofProfile& profile);
nlohmann::ordered_json bytes_of(const prover::ProofBytes& bytes);
/// What `avow prove --json` prints.
nlohmann::ordered_json summary_of(const ProofProfile& profile, const answer_prover::Proven& proven,
                                  std::size_t file_bytes);
/// A table for people.
std::string format_profile(const ProofProfile& profile);

}  // namespace avow::app
