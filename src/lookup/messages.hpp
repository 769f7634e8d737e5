// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcript/transcript.hpp"

// Labels of the lookup argument's messages and challenges, shared by prover and verifiers; ids are hashed, never reuse
// one.
namespace avow::lookup::messages {

using transcript::Label;

inline constexpr Label kStatement{0x0200, "lookup.statement"};
inline constexpr Label kTop{0x0201, "lookup.top"};
inline constexpr Label kTopPoint{0x0202, "lookup.top.point"};
inline constexpr Label kJoin{0x0203, "lookup.join"};
inline constexpr Label kRound{0x0204, "lookup.round"};
inline constexpr Label kBind{0x0205, "lookup.bind"};
inline constexpr Label kLayer{0x0206, "lookup.layer"};
inline constexpr Label kMerge{0x0207, "lookup.merge"};
inline constexpr Label kColumns{0x0208, "lookup.columns"};

}  // namespace avow::lookup::messages
