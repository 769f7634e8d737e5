// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "lookup/verify.hpp"
#include "pcs/verify.hpp"

namespace avow::verifier {

/// Why a key, an instance, a state or a proof is refused: one value per check. Those of the lookup argument and of the
/// opening are theirs, moved by kLookup and kOpening.
enum class Check : std::uint8_t {
  kKeyVersion = 1,  ///< a key of another version
  kKeyTruncated,    ///< a key that ends too soon, or is larger than kMaxKeyBytes
  kKeyConfig,       ///< no valid configuration of the commitment, or one below its own level
  kKeyModel,        ///< a model commitment that is not canonical, or not there just when there are model tensors
  kKeyStatement,    ///< bytes that are no valid statement; the text has the statement's own error
  kKeyShape,        ///< a model tensor whose size depends on the instance, or nothing to commit in a proof
  kKeyProgram,      ///< the digest of another program than the statement's
  kKeyAnalysis,     ///< the statement does not determine its outputs; the text says which tensor
  kInstance,        ///< lengths or values that the statement does not allow, or too large for key or argument
  kState,           ///< bytes that are no state of this key and instance
  kVersion,         ///< a proof of another version
  kLength,          ///< a proof whose header gives another length than it has
  kTruncated,       ///< a section that ends too soon
  kTrailing,        ///< a section that is too long
  kNonCanonical,    ///< a field element of p or more
  kColumn,          ///< a lookup column's denominators are not made of the values sent for its tensors
  kLinear,          ///< a claim on a definition without sumcheck is not what the values of its tensors give
  kSum,             ///< a stage's sumcheck does not end in what the values of the tensors give
  kLookup = 64,     ///< plus a lookup::Check
  kOpening = 128,   ///< plus a pcs::Check
};

/// `where`: the layer of the lookup argument, the stage, or the oracle of the opening that the check is about.
struct Rejection {
  Check check;
  std::uint32_t where = 0;
  std::string text;  ///< what it is about, in words; empty where check and place say it all
};

[[nodiscard]] Rejection rejection_of(const lookup::Rejection& rejection);
[[nodiscard]] Rejection rejection_of(const pcs::Rejection& rejection);

/// The check's name as written in the specification: "proof.sum", "lookup.layer", "pcs.merkle".
[[nodiscard]] const char* name(Check check) noexcept;
/// "proof.sum (stage 3)", with the text if there is one.
[[nodiscard]] std::string to_string(const Rejection& rejection);

}  // namespace avow::verifier
