// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "reduction/plan.hpp"

namespace avow::reduction {

inline constexpr std::uint16_t kProgramVersion = 3;
/// A chain stores a program as code, behind a byte that stops whoever calls it.
inline constexpr std::size_t kMaxProgramBytes = 24575;
/// Most parameters of a statement that has a program.
inline constexpr std::size_t kMaxProgramParameters = 3;

/// The plans of a statement for all instances at once, as bytes that a contract carries out (spec/program.md): what
/// differs between instances are numbers of coordinates, which stand there as axes. So a contract reads no statement.
/// Requires a valid statement. The error says what there is no program for: more than kMaxProgramParameters parameters,
/// lengths of 2^32, shifts, ranges between two public values, masks of public values, a plan that is refused whatever
/// the instance, more than kMaxProgramBytes bytes.
[[nodiscard]] base::Result<base::Bytes, std::string> make_program(const statement::Statement& statement);
/// The program that a plan of any instance is one of. Requires a statement that has one.
[[nodiscard]] base::Bytes program_bytes(const statement::Statement& statement, const Plan& plan);

}  // namespace avow::reduction
