// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "pcs/claim.hpp"
#include "pcs/config.hpp"
#include "pcs_prover/oracle.hpp"
#include "transcript/transcript.hpp"

namespace avow::pcs {

/// What the prover opens: the key that the verifier has, the cells behind it (group by group, 2^log_rows rows of
/// 2^log_groups[g] columns; they must outlive the opening) and the oracle made from them.
struct Opened {
  CommitmentKey key;
  std::vector<field::MatrixView> groups;
  const Oracle* oracle = nullptr;
};

/// The value that the out-of-domain claim of these cells has at `point`.
[[nodiscard]] field::Fp3 ood_value(std::span<const field::MatrixView> groups, const field::Fp3& point);

/// Prover's side of committing within a proof: absorbs the root, draws the out-of-domain point, absorbs the answer. The
/// verifier's side is receive_commitment.
[[nodiscard]] CommitmentKey send_commitment(transcript::Transcript& transcript, const Oracle& oracle,
                                            std::span<const field::MatrixView> groups);

/// Value of a claim's weights on the cells: what an honest prover claims.
[[nodiscard]] field::Fp3 evaluate_claim(std::span<const Opened> opened, const Claim& claim);

/// Time of the parts of an opening, for the benchmark's profile.
struct OpenTimes {
  std::chrono::nanoseconds columns{};   ///< joined weights, column sumcheck, folding of the cells
  std::chrono::nanoseconds encode{};    ///< later oracles: transforms and hashes
  std::chrono::nanoseconds sumcheck{};  ///< later rounds, weights of queries
  std::chrono::nanoseconds grinding{};
  std::chrono::nanoseconds rows{};  ///< reading or computing opened rows
};

/// Places where a test makes the prover cheat; each may change what it is given. Empty in honest use.
struct Faults {
  std::function<void(std::size_t oracle, std::vector<field::Fp3>& polynomial)> polynomial;  ///< before it is committed
  std::function<void(std::size_t oracle, field::Fp3& value)> ood_value;
  std::function<void(std::vector<field::Fp3>& coefficients)> final_polynomial;
  std::function<void(std::uint64_t& nonce)> query_nonce;
  std::function<void(std::uint64_t& nonce)> fold_nonce;
  std::function<void(std::size_t round, field::Fp3& at0, field::Fp3& leading)> sumcheck;
  std::function<void(std::size_t oracle, std::vector<std::uint64_t>& rows)> rows;
};

/// The proof that all claims, and every commitment's out-of-domain claim, hold: the bytes that pcs::verify_opening
/// reads. The transcript must be in the verifier's state.
[[nodiscard]] base::Bytes open(transcript::Transcript& transcript, const Config& config, std::span<const Opened> opened,
                               std::span<const Claim> claims, OpenTimes* times = nullptr, const Faults& faults = {});

}  // namespace avow::pcs
