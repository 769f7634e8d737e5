// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "lookup/claims.hpp"
#include "lookup/config.hpp"
#include "transcript/transcript.hpp"

namespace avow::lookup {

/// The check that a proof failed, one value per check.
enum class Check : std::uint8_t {
  kConfig = 1,          ///< the configuration is not valid (see is_valid)
  kTruncated,           ///< the proof is shorter than proof_bytes
  kTrailingBytes,       ///< the proof is longer than proof_bytes
  kNonCanonical,        ///< a field element of p or more
  kRootNumerator,       ///< the fractions of the top layer do not add up to zero
  kRootDenominator,     ///< the product of the denominators is zero
  kLayer,               ///< a layer's sumcheck does not end in the layer's last message
  kColumnNumerators,    ///< the columns' numerators do not add up to the cells' claim
  kColumnDenominators,  ///< the columns' denominators do not
};

/// Why a proof was rejected, and the layer of the check (top_log: the top; log_cells: the columns; 0 before any).
struct Rejection {
  Check check;
  std::uint32_t layer = 0;
  friend bool operator==(const Rejection&, const Rejection&) = default;
};
/// The check's name as written in the specification, for messages and tests: "lookup.layer".
[[nodiscard]] const char* name(Check check) noexcept;
/// "lookup.layer (layer 7)".
[[nodiscard]] std::string to_string(const Rejection& rejection);

/// The value of column `column`'s public numerators at `point` (its log_size coordinates): called once for each column
/// that says kPublic, after the point is drawn. It must depend on nothing that the transcript does not hold already.
using PublicNumerators = std::function<field::Fp3(std::size_t column, std::span<const field::Fp3> point)>;

/// Verifies that the fractions of all columns add up to zero and that no denominator is zero, given the claims that it
/// returns: they are unauthenticated, the caller discharges every one of them (spec/lookup.md).
///
/// The caller's part: numerators and denominators must be fixed by what the transcript holds already. The proof may be
/// anybody's bytes: it cannot make this throw, abort or allocate more than its own size.
[[nodiscard]] base::Result<ColumnClaims, Rejection> verify(transcript::Transcript& transcript, const Config& config,
                                                           base::ByteView proof,
                                                           const PublicNumerators& public_numerators = {});

// The same in phases, each with its section of the proof; between them the state is that of the transcript and one
// CubeClaim, at most 32 + 24 * 34 bytes. The configuration must be valid; a section has exactly the length that
// config.hpp gives for it, or the phase says kTruncated or kTrailingBytes.

/// Absorbs the configuration, checks the root, draws the first point.
[[nodiscard]] base::Result<CubeClaim, Rejection> verify_top(transcript::Transcript& transcript, const Config& config,
                                                            base::ByteView section);
/// From the claim on layer k = claim.point.size() to one on layer k + 1; k >= 1.
[[nodiscard]] base::Result<CubeClaim, Rejection> verify_layer(transcript::Transcript& transcript,
                                                              const CubeClaim& claim, base::ByteView section);
/// From the claim on the cells to one on each column.
[[nodiscard]] base::Result<ColumnClaims, Rejection> verify_columns(transcript::Transcript& transcript,
                                                                   const Config& config, const CubeClaim& claim,
                                                                   base::ByteView section,
                                                                   const PublicNumerators& public_numerators);

}  // namespace avow::lookup
