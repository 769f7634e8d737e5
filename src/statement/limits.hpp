// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// How much of everything a statement may have (spec/statement.md, section 4). A verifying key is untrusted input:
/// these bound the memory and the time of whoever reads it.
namespace avow::statement::limits {

inline constexpr std::size_t kBytes = std::size_t{1} << 16;  ///< of a serialised statement
inline constexpr std::size_t kName = 40;
inline constexpr std::size_t kAxes = 255;
inline constexpr std::size_t kValues = 64;
inline constexpr std::size_t kTensors = 1024;
inline constexpr std::size_t kTables = 64;
inline constexpr std::size_t kLookups = 256;
inline constexpr std::size_t kRank = 8;      ///< axes of a tensor, a table, a lookup
inline constexpr std::size_t kTerms = 64;    ///< of one expression
inline constexpr std::size_t kFactors = 6;   ///< of one term
inline constexpr std::size_t kColumns = 8;   ///< of a table
inline constexpr std::size_t kPieces = 8;    ///< of a piecewise column
inline constexpr std::uint32_t kDegree = 4;  ///< of a sumcheck round
inline constexpr std::uint32_t kStages = 6;
inline constexpr std::uint64_t kJointRatio = 4;
inline constexpr std::uint64_t kLength = std::uint64_t{1} << 32;     ///< of an axis
inline constexpr std::uint64_t kCells = std::uint64_t{1} << 40;      ///< of a tensor
inline constexpr std::int64_t kCoefficient = std::int64_t{1} << 62;  ///< largest absolute value, below p/2
inline constexpr std::int64_t kOffset = std::int64_t{1} << 48;       ///< of an index tensor or piece
inline constexpr std::int64_t kStep = 1 << 15;                       ///< of a piece
inline constexpr std::int64_t kStride = 64;                          ///< stride and dilation of a shift
inline constexpr std::int64_t kPadding = 1 << 20;

}  // namespace avow::statement::limits
