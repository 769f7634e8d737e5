// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "pcs/claim.hpp"
#include "pcs/config.hpp"

// What a verifier of an opening keeps between the phases of verify_phases.hpp, and its bytes (spec/pcs.md, section 12).
namespace avow::pcs {

/// The phase that comes next. The numbers are encoded: never change one.
enum class Phase : std::uint8_t {
  kOracle = 1,  ///< root, answer and query nonce of a round
  kRows,        ///< rows of one tree of the oracle before, or the next part of them
  kSumcheck,    ///< sumcheck rounds of the round's oracle
  kFinal,       ///< final coefficients and query nonce
  kFinalRows,   ///< rows of the last oracle, or the next part of them
  kFinish,      ///< final sumcheck and the equation: the only one that needs the claims
};

/// Rows of a tree are read in parts: whole rows, in the order of their positions, as many as have at most this many
/// bytes together, but one at least.
inline constexpr std::size_t kPartBytes = 16384;

/// What round i added to the joined weight: z^x for the out-of-domain point of oracle i and p^x for the points of the
/// positions queried in oracle i-1, combined by powers of gamma.
struct AddedWeight {
  field::Fp3 gamma;
  field::Fp3 ood_point;
  std::vector<std::uint32_t> positions;  ///< of oracle i-1: strictly increasing, not empty
  friend bool operator==(const AddedWeight&, const AddedWeight&) = default;
};

/// The verifier's state before phase `phase`. Transcript, configuration, keys and claims are not part of it. How many
/// entries each list has follows from phase, oracle, configuration and keys, those of positions excepted.
struct OpeningState {
  Phase phase = Phase::kOracle;
  std::uint32_t oracle = 1;  ///< the round, 1 to N-1; N-1 in the final phases
  std::uint32_t tree = 0;    ///< kRows: the tree whose rows come next; 0 otherwise
  field::Fp3 join;
  field::Fp3 claim;                            ///< what is left of the joined claim
  std::vector<field::Fp3> point;               ///< challenges so far: column variables, then row variables
  std::vector<base::Digest> roots;             ///< of oracles 1 and later that are still to be opened, oldest first
  std::vector<AddedWeight> added;              ///< of rounds 1, 2, ...
  std::vector<field::Fp3> final_coefficients;  ///< from kFinalRows on
  std::vector<std::uint32_t> final_positions;  ///< kFinalRows: of oracle N-1
  std::vector<base::Digest> rows;              ///< kRows, kFinalRows: of the tree's rows in the parts that were read
  friend bool operator==(const OpeningState&, const OpeningState&) = default;
};

/// Why bytes are no state, one value per cause.
enum class StateError : std::uint8_t {
  kConfig = 1,     ///< the configuration is not valid (see validate)
  kKeys,           ///< the keys' shapes are not valid (see keys_are_valid)
  kTruncated,      ///< bytes are missing
  kTrailingBytes,  ///< bytes are left
  kVersion,        ///< not the version of this layout
  kPhase,          ///< no such phase
  kOracle,         ///< no such round, or not the last one in a final phase
  kTree,           ///< no such tree, or a tree in a phase without one
  kNonCanonical,   ///< a field element of p or more
  kPositions,      ///< none or more than are drawn, not strictly increasing, or outside the domain
  kRows,           ///< rows that are no whole parts, or all of the tree's
};

/// Whether a state has the form that it must have before its phase: everything that decode_state checks.
[[nodiscard]] bool is_valid(const Config& config, std::span<const CommitmentKey> keys, const OpeningState& state);

/// Canonical bytes of a valid state.
[[nodiscard]] base::Bytes encode_state(const OpeningState& state);
/// The only state with these bytes. The bytes may be anybody's: what is returned has the right form and nothing else
/// is known of it. Allocates at most a small multiple of their size.
[[nodiscard]] base::Result<OpeningState, StateError> decode_state(const Config& config,
                                                                  std::span<const CommitmentKey> keys,
                                                                  base::ByteView bytes);
/// No state of a valid configuration is longer, whatever the keys.
[[nodiscard]] std::size_t max_state_bytes(const Config& config);

/// kappa of these keys (valid ones): variables of the joint column index.
[[nodiscard]] std::uint32_t log_columns(std::span<const CommitmentKey> keys) noexcept;

/// What a phase kRows or kFinalRows reads: rows [first, end) of a tree, and its multi-proof if these are the last ones.
struct RowsPart {
  std::size_t oracle;                        ///< 0: the commitment number state.tree
  std::size_t leaf_bytes;                    ///< of a row
  std::span<const std::uint32_t> positions;  ///< of all rows; those of the state
  std::size_t first;
  std::size_t end;
  [[nodiscard]] bool is_last() const noexcept { return end == positions.size(); }
};
/// That of a (valid) state before one of these phases.
[[nodiscard]] RowsPart rows_part(const Config& config, std::span<const CommitmentKey> keys, const OpeningState& state);

/// Bytes of the proof that the first phase takes (valid configuration and keys).
[[nodiscard]] std::size_t start_bytes(const Config& config, std::span<const CommitmentKey> keys);
/// Bytes of the proof that the phase after this (valid) state takes.
[[nodiscard]] std::size_t section_bytes(const Config& config, std::span<const CommitmentKey> keys,
                                        const OpeningState& state);
/// The same for this and all later phases kRows of the round, or kFinalRows. The state must be before one.
[[nodiscard]] std::size_t rows_bytes(const Config& config, std::span<const CommitmentKey> keys,
                                     const OpeningState& state);

}  // namespace avow::pcs
