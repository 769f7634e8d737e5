// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcript/transcript.hpp"

// Labels of the commitment's messages and challenges, shared by prover and verifiers; ids are hashed, never reuse one.
namespace avow::pcs::messages {

using transcript::Label;

inline constexpr Label kRoot{0x0100, "pcs.root"};
inline constexpr Label kOodPoint{0x0101, "pcs.ood.point"};
inline constexpr Label kOodValue{0x0102, "pcs.ood.value"};
inline constexpr Label kStatement{0x010f, "pcs.statement"};
inline constexpr Label kJoin{0x0110, "pcs.join"};
inline constexpr Label kSumcheck{0x0111, "pcs.sumcheck"};
inline constexpr Label kFoldNonce{0x0112, "pcs.fold.nonce"};
inline constexpr Label kFold{0x0113, "pcs.fold"};
inline constexpr Label kOracleRoot{0x0114, "pcs.oracle.root"};
inline constexpr Label kOracleOodPoint{0x0115, "pcs.oracle.ood.point"};
inline constexpr Label kOracleOodValue{0x0116, "pcs.oracle.ood.value"};
inline constexpr Label kQueryNonce{0x0117, "pcs.query.nonce"};
inline constexpr Label kQueryPositions{0x0118, "pcs.query.positions"};
inline constexpr Label kCombine{0x0119, "pcs.combine"};
inline constexpr Label kFinal{0x011a, "pcs.final"};
inline constexpr Label kFinalSumcheck{0x011b, "pcs.final.sumcheck"};
inline constexpr Label kFinalFold{0x011c, "pcs.final.fold"};

}  // namespace avow::pcs::messages
