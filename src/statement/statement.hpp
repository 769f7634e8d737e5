// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "statement/limits.hpp"

/// The one description of what is proven: definitions and lookups over integer tensors (spec/statement.md). Plain data;
/// what makes it well-formed is said by validate() (validate.hpp), which builder and parser both end with.
namespace avow::statement {

using AxisId = std::uint32_t;
using ValuesId = std::uint32_t;
using TensorId = std::uint32_t;
using TableId = std::uint32_t;
inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

enum class AxisKind : std::uint8_t {
  kFixed,      ///< `length` is part of the model
  kParameter,  ///< each instance chooses 2^k or 3*2^(k-1), at most `length`
  kAlias,      ///< as long as axis `of`, with coordinates of its own
};
struct Axis {
  std::string name;
  AxisKind kind = AxisKind::kFixed;
  std::uint64_t length = 0;  ///< 0 of an alias
  AxisId of = 0;             ///< of an alias: an earlier axis that is none itself
  friend bool operator==(const Axis&, const Axis&) = default;
};

/// Public integers of the instance, one for each index of `axes` (none: a single number), each in [0, bound).
struct Values {
  std::string name;
  std::vector<AxisId> axes;
  std::uint64_t bound = 0;
  friend bool operator==(const Values&, const Values&) = default;
};

/// Where an axis of a tensor is read: along an axis of the definition, or at one place.
struct Index {
  enum class Kind : std::uint8_t { kAxis, kFixed };
  Kind kind = Kind::kAxis;
  std::uint64_t value = 0;  ///< axis id, or the place
  friend bool operator==(const Index&, const Index&) = default;
};

/// A tensor read at indices, one for each of its axes.
struct Access {
  TensorId tensor = 0;
  std::vector<Index> indices;
  friend bool operator==(const Access&, const Access&) = default;
};

/// coefficient * product of factors, summed over every axis of the factors that is not free in the context. A free axis
/// that no factor has is broadcast: the term has one value all along it.
struct Term {
  std::int64_t coefficient = 1;
  std::vector<Access> factors;
  friend bool operator==(const Term&, const Term&) = default;
};
using Expression = std::vector<Term>;

/// The public structured tensors. [..] is 1 if the condition holds, else 0; a, b, .. are the tensor's axes in order.
enum class StructuredKind : std::uint8_t {
  kConstant,   ///< `constant` at every index inside the extent; 1: the indicator of the extent
  kIndex,      ///< T[a] = a + constant
  kEqual,      ///< [a = b]
  kLess,       ///< [a < b]
  kLessEqual,  ///< [a <= b]
  kShift,      ///< T[out, tap, in] = [in + padding = stride out + dilation tap]
  kOneHot,     ///< T[.., a] = [a = values[..]]
  kBelow,      ///< T[.., a] = [a < values[..]]
  kBetween,    ///< T[.., a] = [lower[..] <= a < values[..]]
  kValue,      ///< T[..] = values[..]
  kPiecewise,  ///< T[a] = first + step (a - start of the piece that holds a)
};
/// Is the tensor 0 or 1 everywhere, by its kind?
[[nodiscard]] constexpr bool is_boolean(StructuredKind kind) noexcept {
  return kind >= StructuredKind::kEqual && kind <= StructuredKind::kBetween;
}

struct Piece {
  std::uint64_t length = 0;
  std::int64_t first = 0;
  std::int64_t step = 0;
  friend bool operator==(const Piece&, const Piece&) = default;
};

/// Parameters; those that the kind does not use are 0.
struct Structured {
  StructuredKind kind = StructuredKind::kConstant;
  std::int64_t constant = 0;
  std::int64_t stride = 0;
  std::int64_t dilation = 0;
  std::int64_t padding = 0;
  ValuesId values = 0;
  ValuesId lower = 0;
  std::vector<Piece> pieces{};
  friend bool operator==(const Structured&, const Structured&) = default;
};

enum class TensorKind : std::uint8_t {
  kModel,       ///< committed once
  kWitness,     ///< committed per proof
  kStructured,  ///< evaluated by the verifier; has no name
  kVirtual,     ///< given by its definition, never committed
};

/// What a committed tensor is expected to hold: [-2^(bits-1), 2^(bits-1)) or [0, 2^bits). A note for storage and
/// analysis: nothing follows from it unless a lookup checks it.
struct Range {
  std::uint8_t bits = 16;  ///< 1 to 62
  bool is_signed = true;
  friend bool operator==(const Range&, const Range&) = default;
};

struct Tensor {
  TensorKind kind = TensorKind::kWitness;
  std::string name;
  std::vector<AxisId> axes;  ///< slowest first; no axis twice
  Range range;               ///< of model and witness tensors
  Structured structured;     ///< of a structured tensor
  Expression definition;     ///< of a virtual tensor: its axes are free, its factors have smaller ids
  bool is_input = false;     ///< of a witness tensor: the prover may choose it, nothing needs to pin it down
  friend bool operator==(const Tensor&, const Tensor&) = default;
};

/// Row x of the table, x an index of `axes`, is the tuple of the columns' values at x. Columns are linear combinations
/// of model, structured and virtual tensors. `multiplicity` is a witness tensor over the same axes: how many cells of
/// all lookups are row x.
struct Table {
  std::string name;
  std::vector<AxisId> axes;
  std::vector<Expression> columns;
  TensorId multiplicity = 0;
  friend bool operator==(const Table&, const Table&) = default;
};

/// For every index of `axes` at which the mask, if there is one, is 1: the tuple is a row of the table.
struct Lookup {
  std::string name;
  std::vector<AxisId> axes;
  std::vector<Expression> tuple;  ///< one linear combination for each column
  TableId table = 0;
  std::optional<Access> mask;  ///< a boolean structured tensor
  friend bool operator==(const Lookup&, const Lookup&) = default;
};

struct Statement {
  std::vector<Axis> axes;
  std::vector<Values> values;
  std::vector<Tensor> tensors;
  std::vector<TensorId> zero_claims;  ///< virtual tensors that are 0 everywhere; increasing
  std::vector<Table> tables;
  std::vector<Lookup> lookups;
  friend bool operator==(const Statement&, const Statement&) = default;

  /// The axis that gives this one its length: itself, or what it is an alias of.
  [[nodiscard]] AxisId root(AxisId axis) const { return axes[axis].kind == AxisKind::kAlias ? axes[axis].of : axis; }
};

/// Whether both axes have one length in every instance.
[[nodiscard]] bool same_length(const Statement& statement, AxisId a, AxisId b);
/// Whether every place of `index` is a place of `axis` in every instance: same length, or `index` never longer than the
/// fixed length of `axis`, of which it is then a prefix.
[[nodiscard]] bool index_fits(const Statement& statement, AxisId index, AxisId axis);

}  // namespace avow::statement
