// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "pcs/claim.hpp"
#include "pcs/config.hpp"
#include "transcript/transcript.hpp"

namespace avow::pcs {

/// The check that an opening failed, one value per check.
enum class Check : std::uint8_t {
  kConfig = 1,     ///< the configuration is not valid (see validate)
  kKey,            ///< a key\'s shape is not valid (see keys_are_valid), or its fixed point is another
  kClaim,          ///< a claim names what no key has (see claims_are_valid)
  kTruncated,      ///< the proof ends inside the section named by `oracle`
  kTrailingBytes,  ///< bytes are left after the last section
  kNonCanonical,   ///< a field element of p or more
  kFoldGrinding,   ///< the nonce before a sumcheck challenge lacks zero bits
  kQueryGrinding,  ///< the nonce before the positions lacks zero bits
  kMerkle,         ///< opened leaves do not lead to the oracle's root
  kFinalFold,      ///< the last oracle's folded rows are not the final polynomial's values
  kFinalClaim,     ///< the joined claim does not hold of the final polynomial
  kState,          ///< in phases only: a state that is not valid, or not one for the phase that was asked for
};

/// Why an opening was rejected and which oracle the check concerns (0: the commitments).
struct Rejection {
  Check check;
  std::uint32_t oracle = 0;
  friend bool operator==(const Rejection&, const Rejection&) = default;
};
/// The check's name as written in the specification, for messages and tests: "pcs.merkle".
[[nodiscard]] const char* name(Check check) noexcept;
/// "pcs.merkle (oracle 2)".
[[nodiscard]] std::string to_string(const Rejection& rejection);

/// Verifier's side of a commitment made within a proof: absorbs the root, draws the out-of-domain point, absorbs the
/// prover's answer. The prover's side is send_commitment.
[[nodiscard]] CommitmentKey receive_commitment(transcript::Transcript& transcript, const base::Digest& root,
                                               std::span<const std::uint8_t> log_groups, const field::Fp3& ood_value);

/// The claims' values, in their order.
[[nodiscard]] std::vector<field::Fp3> values_of(std::span<const Claim> claims);

/// Both sides' first step: protocol id, keys and claimed values into the transcript, as one message.
void absorb_statement(transcript::Transcript& transcript, const Config& config, std::span<const CommitmentKey> keys,
                      std::span<const field::Fp3> values);
void absorb_statement(transcript::Transcript& transcript, const Config& config, std::span<const CommitmentKey> keys,
                      std::span<const Claim> claims);

/// Verifies one opening of all claims, and of every commitment's out-of-domain claim, against the commitments
/// (construction 5.1 of WHIR, eprint 2024/1586; spec/pcs.md). Nothing if the proof holds. It is the phases of
/// verify_phases.hpp in one go.
///
/// The opening first absorbs the protocol id, all keys and all claimed values (absorb_statement). The caller's part:
/// the claims' weights must be fixed by what the transcript holds already (points that were drawn from it), a key whose
/// made_once is not set must come from receive_commitment on this transcript, and the configuration must be one that
/// reaches_level. Keys, claims and proof may be anybody's bytes: none of them can make this throw, abort or allocate
/// more than a multiple of its own size.
[[nodiscard]] std::optional<Rejection> verify_opening(transcript::Transcript& transcript, const Config& config,
                                                      std::span<const CommitmentKey> keys,
                                                      std::span<const Claim> claims, base::ByteView proof);

}  // namespace avow::pcs
