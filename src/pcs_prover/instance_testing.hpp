// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "pcs/claim.hpp"
#include "pcs/config.hpp"
#include "pcs/verify.hpp"
#include "pcs/verify_phases.hpp"
#include "pcs_prover/open.hpp"

// Openings for tests: random matrices of 16-bit integers, their commitments, and random claims about them.
namespace avow::pcs::testing {

/// A valid small configuration: two or three oracles, few queries, little grinding.
[[nodiscard]] Config small_config(std::uint32_t log_rows);

/// Columns of the commitments of most tests.
inline constexpr std::size_t kTwoCommitments[] = {11, 4};

/// Random but valid.
[[nodiscard]] Config random_config(std::mt19937_64& rng);

/// The claim's value by plain loops over the cells.
[[nodiscard]] field::Fp3 evaluate_naive(std::span<const Opened> opened, const Claim& claim);

/// Sees what a verifier in phases keeps before each phase but the first, and may change it.
using AtBoundary = std::function<void(OpeningState& state, base::Digest& transcript)>;
/// What became of a verification in phases.
struct PhasesOutcome {
  std::optional<Rejection> rejection;
  std::optional<StateError> refused;  ///< the state's bytes, after at_boundary
  std::vector<Phase> phases;          ///< all that ran, the first left out
  base::Digest transcript{};          ///< at the end
};

/// One opening, prover's and verifier's side.
class Instance {
 public:
  /// One commitment per entry of `columns`, `claims` random claims: single and several terms, whole groups and
  /// sub-cubes.
  Instance(Config with, std::span<const std::size_t> columns, std::size_t claim_count, std::uint64_t seed);

  /// The transcript both sides start the opening with; `session` tells proofs apart.
  [[nodiscard]] transcript::Transcript transcript(std::uint8_t session = 0) const;
  [[nodiscard]] base::Bytes prove(const Faults& faults = {}, transcript::Manifest* manifest = nullptr) const;
  /// Runs verify_opening and the phases one by one, and fails the test if they come to different results.
  [[nodiscard]] std::optional<Rejection> verify(base::ByteView proof, transcript::Manifest* manifest = nullptr) const;
  /// Verifies from a transcript in this state, phase by phase. Between them all that is kept are the state's bytes and
  /// the transcript's digest.
  [[nodiscard]] PhasesOutcome verify_in_phases(const base::Digest& start, base::ByteView proof,
                                               const AtBoundary& at_boundary = {}) const;

  Config config;
  std::vector<std::vector<std::vector<std::int16_t>>> cells;  // [commitment][group]
  std::vector<std::unique_ptr<TreeOracle>> oracles;
  std::vector<Opened> opened;
  std::vector<CommitmentKey> keys;
  std::vector<Claim> claims;
};

}  // namespace avow::pcs::testing
