// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace avow::statement {

/// Why a description, its bytes or an instance is refused; one value per cause.
enum class Cause : std::uint8_t {
  kName = 1,        ///< a name is empty, too long, or not a letter followed by letters, digits, `_` or `.`
  kRepeatedName,    ///< two axes, two values, two tensors, two tables or two lookups of one name
  kCount,           ///< more of something than limits:: allows, or none where one is needed
  kLength,          ///< an axis of length 0 or above limits::kLength, or a range note of no or too many bits
  kDuplicateAxis,   ///< an axis twice in one tensor, in one access, or summed where it is already taken
  kUnknownAxis,     ///< no such axis, or an alias that does not name an earlier axis with a length of its own
  kUnknownTensor,   ///< no such tensor, or a virtual tensor without a definition
  kUnknownValues,   ///< no such public values
  kUnknownTable,    ///< no such table
  kRank,            ///< a tensor is read with another number of indices than it has axes
  kLengthMismatch,  ///< an axis is read by an index that may be out of it
  kIndexRange,      ///< a fixed index beyond an axis
  kUnboundAxis,     ///< an axis that is neither free nor summed
  kEmptySum,        ///< a definition without terms, or a sum over an axis that no factor of the term has
  kCoefficient,     ///< a coefficient or constant that is 0 or beyond limits::kCoefficient
  kDegree,          ///< a sumcheck variable of degree above limits::kDegree
  kCycle,           ///< a definition that depends on itself; in bytes: on a tensor that does not come before it
  kDepth,           ///< more than limits::kStages stages
  kKind,            ///< a tensor of the wrong kind in this place
  kStructured,      ///< parameters or axes that this structured tensor cannot have
  kTuple,           ///< a lookup of other width than its table, or a column that is not linear
  kMultiplicity,    ///< a table's multiplicities are not a witness tensor of the table's axes, of this table alone
  kZeroClaim,       ///< a zero claim twice or out of order, or not on a virtual tensor
  kUnused,          ///< a tensor or table that no claim depends on: nothing would pin it down
  kVersion,         ///< bytes of another version
  kTruncated,       ///< the bytes end inside the statement
  kTrailing,        ///< bytes are left after it
  kNonCanonical,    ///< a number that is not in its shortest form or above 64 bits
  kTag,             ///< an unknown tag
  kInstance,        ///< lengths or public values that the statement does not allow
  kJointSpace,      ///< a term's joint index space is larger than limits::kJointRatio times its largest factor
  kTooLarge,        ///< a tensor of more than limits::kCells cells
  kArrays,          ///< arrays of the wrong size, or missing
  kTableKeys,       ///< a table whose structured columns do not tell its rows apart (analysis.hpp)
  kNotDetermined,   ///< a witness tensor that nothing pins down
  kWrap,            ///< an expression that may reach p/2
  kUnbounded,       ///< an expression with a witness tensor that no claim bounds
  kModelBounds,     ///< bounds of model tensors that are missing, or outside their range notes
  kTooComplex,      ///< more work than the analysis does
};

/// A cause, and what it is about in words: definition, tensors, axes by name.
struct Error {
  Cause cause;
  std::string text;
};

/// The cause's name in the specification: "statement.cycle".
[[nodiscard]] const char* name(Cause cause) noexcept;

}  // namespace avow::statement
