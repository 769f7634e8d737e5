// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "base/result.hpp"
#include "pcs/opening_state.hpp"
#include "pcs/verify.hpp"

// verify_opening as a chain of phases, each of which takes the next bytes of the proof, the transcript and the state
// that the phase before left (spec/pcs.md, section 12):
//
//   start_opening                                     claimed values; the column sumcheck
//   continue_opening, for i = 1 .. N-1                kOracle, kRows for each part of each tree, kSumcheck
//   continue_opening                                  kFinal, kFinalRows for each part of the tree
//   finish_opening                                    kFinish, with the claims' weights
//
// Between two phases a verifier keeps encode_state() and the transcript's 32-byte digest, and goes on with
// decode_state() and Transcript::resume(). Both must reach the next phase as they were: a caller that gets them from
// elsewhere compares their hash with one that it kept, because decode_state checks form only and a made-up state can
// make any claim pass. Configuration, keys and claims must be the same in all phases.
//
// A phase takes exactly start_bytes() or section_bytes(); a shorter section is rejected as kTruncated where the bytes
// are missing, a longer one as kTrailingBytes when all of it was read. A state that is not valid, or is not one for the
// function, is rejected as kState. Whatever state and section are, nothing throws, aborts or allocates more than a
// multiple of their size and that of configuration and keys. After a rejection the transcript must not be used.
namespace avow::pcs {

/// Absorbs the statement (absorb_statement, `values` being those of the claims), joins the claims, and runs the column
/// sumcheck. Checks configuration and keys as verify_opening does.
[[nodiscard]] base::Result<OpeningState, Rejection> start_opening(transcript::Transcript& transcript,
                                                                  const Config& config,
                                                                  std::span<const CommitmentKey> keys,
                                                                  std::span<const field::Fp3> values,
                                                                  base::ByteView section);
/// Any phase but the first and the last.
[[nodiscard]] base::Result<OpeningState, Rejection> continue_opening(transcript::Transcript& transcript,
                                                                     const Config& config,
                                                                     std::span<const CommitmentKey> keys,
                                                                     OpeningState state, base::ByteView section);
/// The last phase, kFinish: final sumcheck and the equation. Uses the claims' terms, not their values. Nothing if the
/// proof holds.
[[nodiscard]] std::optional<Rejection> finish_opening(transcript::Transcript& transcript, const Config& config,
                                                      std::span<const CommitmentKey> keys,
                                                      std::span<const Claim> claims, OpeningState state,
                                                      base::ByteView section);

}  // namespace avow::pcs
