// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "pcs/claim.hpp"
#include "pcs/config.hpp"
#include "pcs/verify.hpp"
#include "pcs_prover/open.hpp"

// Openings for tests: random matrices of 16-bit integers, their commitments, and random claims about them.
namespace avow::pcs::testing {

/// A valid small configuration: two or three oracles, few queries, little grinding.
[[nodiscard]] Config small_config(std::uint32_t log_rows);

/// Random but valid.
[[nodiscard]] Config random_config(std::mt19937_64& rng);

/// The claim's value by plain loops over the cells.
[[nodiscard]] field::Fp3 evaluate_naive(std::span<const Opened> opened, const Claim& claim);

/// One opening, prover's and verifier's side.
class Instance {
 public:
  /// One commitment per entry of `columns`, `claims` random claims: single and several terms, whole groups and
  /// sub-cubes.
  Instance(Config with, std::span<const std::size_t> columns, std::size_t claim_count, std::uint64_t seed);

  /// The transcript both sides start the opening with; `session` tells proofs apart.
  [[nodiscard]] transcript::Transcript transcript(std::uint8_t session = 0) const;
  [[nodiscard]] base::Bytes prove(const Faults& faults = {}, transcript::Manifest* manifest = nullptr) const;
  [[nodiscard]] std::optional<Rejection> verify(base::ByteView proof, transcript::Manifest* manifest = nullptr) const;

  Config config;
  std::vector<std::vector<std::vector<std::int16_t>>> cells;  // [commitment][group]
  std::vector<std::unique_ptr<TreeOracle>> oracles;
  std::vector<Opened> opened;
  std::vector<CommitmentKey> keys;
  std::vector<Claim> claims;
};

}  // namespace avow::pcs::testing
