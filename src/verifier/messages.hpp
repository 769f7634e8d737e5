// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcript/transcript.hpp"

// Labels of the whole proof's messages and challenges, shared by prover and verifiers; ids are hashed, never reuse one.
namespace avow::verifier::messages {

using transcript::Label;

inline constexpr Label kAlpha{0x0300, "proof.alpha"};
inline constexpr Label kBeta{0x0301, "proof.beta"};
inline constexpr Label kLookupValues{0x0302, "proof.lookup.values"};
inline constexpr Label kZeroPoint{0x0303, "proof.zero.point"};
inline constexpr Label kLinearValues{0x0304, "proof.linear.values"};
inline constexpr Label kJoin{0x0305, "proof.join"};
inline constexpr Label kRound{0x0306, "proof.round"};
inline constexpr Label kBind{0x0307, "proof.bind"};
inline constexpr Label kSumValues{0x0308, "proof.sum.values"};

}  // namespace avow::verifier::messages
