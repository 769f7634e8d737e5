// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "lookup/config.hpp"
#include "statement/binding.hpp"

/// How the claims of a statement become claims on committed tensors (spec/proof.md, section 3): every step of prover
/// and verifier, without a single field element. It follows from statement and instance alone, so both sides make the
/// same plan before the first message; and but for numbers of coordinates it is the same in all instances, so that a
/// contract has it from the key (program.hpp).
namespace avow::reduction {

using statement::TensorId;
using ClaimId = std::uint32_t;
inline constexpr ClaimId kNone = statement::kNone;

/// Where the coordinates of one axis of a point come from.
enum class Source : std::uint8_t {
  kPlace,   ///< the bits of `place`
  kHalf,    ///< 1/2 each: a sum over the axis, up to a power of two
  kLookup,  ///< the point of the lookup argument
  kZero,    ///< the challenges for zero claims
  kStage,   ///< the challenges of the sumcheck of stage `stage`; of stage 0, of the gathering
};
/// A number of coordinates as a function of the instance: `fixed`, and those that each of these parameters has.
struct Bits {
  std::uint32_t fixed = 0;
  std::vector<statement::AxisId> parameters{};                  ///< in order, with repetitions
  friend auto operator<=>(const Bits&, const Bits&) = default;  // NOLINT(modernize-use-nullptr): a bug
};
/// The coordinates of one axis, lowest first: `count` of them from `first` on in the source's challenges, then zeros up
/// to as many as the axis has (a prefix of the axis is read).
struct Coordinates {
  Source source = Source::kPlace;
  std::uint8_t stage = 0;
  /// Of kZero and kStage: the axis that says where they begin in the source's vector; of axes that begin together in
  /// every instance (Positions::first_twin) the same one.
  statement::AxisId axis = 0;
  Bits below{};  ///< of kLookup: coordinates of the column's axes behind it
  Bits extent{};
  std::uint64_t place = 0;
  /// What these are in this instance.
  std::uint16_t first = 0;
  std::uint16_t count = 0;                                                    ///< 0 of a place
  friend auto operator<=>(const Coordinates&, const Coordinates&) = default;  // NOLINT(modernize-use-nullptr): a bug
};

/// A tensor at a point: coordinates for each of its axes.
struct TensorPoint {
  TensorId tensor = 0;
  std::vector<Coordinates> axes;
  friend auto operator<=>(const TensorPoint&, const TensorPoint&) = default;  // NOLINT(modernize-use-nullptr): a bug
};

/// The extension of the indicator of [0, length) at a point of ceil(log2 length) coordinates. 1 if length is a power of
/// two; of an axis whose length is fixed it is not.
struct Extent {
  statement::AxisId axis = 0;
  std::uint64_t length = 0;
  Coordinates at;
};
/// eq of two points of `count` coordinates, those of `axis`.
struct Eq {
  statement::AxisId axis = 0;
  Coordinates a;
  Coordinates b;
  std::uint16_t count = 0;
};

/// coefficient * 2^log_scale * product of everything else; of claims, their values: of all tensors that a verifier does
/// not evaluate at once, public values' among them (Stage::reads). In a sumcheck, what a term of a definition has
/// become at the end; coordinates from the sumcheck's own stage are then its variables.
struct Product {
  std::int64_t coefficient = 1;
  std::int32_t log_scale = 0;  ///< `scale`, and in a sumcheck less the number of its rounds
  Bits scale{};
  std::vector<Extent> extents{};
  std::vector<TensorPoint> structured{};
  std::vector<Eq> eqs{};
  std::vector<ClaimId> claims{};
};

/// value of `claim` = sum of the products, which have at most one claim each that is not on public values.
struct LinearEquation {
  ClaimId claim = 0;
  std::vector<Product> products;
};

/// A column of the lookup argument: a lookup, or a table. Cells are row-major over the axes, each padded to a power of
/// two. Inside the axes' extents: denominator alpha - (entry_0 + beta entry_1 + ..  + beta^tag_power table), outside 1.
struct Column {
  statement::TableId table = 0;
  Product numerator{};                          ///< of a lookup: its mask, or the indicator of the extents
  Product indicator{};                          ///< of the extents
  std::vector<std::vector<Product>> entries{};  ///< one sum for each column of the table
  ClaimId multiplicity = kNone;                 ///< of a table: minus the numerators
};

/// An axis that has its coordinates in a vector of challenges, and what the place of these follows from
/// (spec/proof.md, section 3): the axes that it occurs together with. degree: of the rounds that bind them.
struct PlacedAxis {
  statement::AxisId axis = 0;
  std::uint8_t degree = 0;  ///< 0 of zero claims
  std::vector<statement::AxisId> together{};
};

/// The claims of one stage that need a sumcheck, joined by powers of one challenge.
struct Summation {
  ClaimId claim = 0;
  std::vector<Product> products;
};

/// The claims on a witness tensor that the gathering makes one of (spec/proof.md, section 3.4).
struct Gathered {
  ClaimId value = 0;  ///< at the gathering's challenges
  struct Claim {
    ClaimId claim = 0;
    Product weight{};  ///< of the value: eq of the two points, without claims
  };
  std::vector<Claim> claims;
};

/// A claim on a tensor of public values (digits.hpp), which the gathering ends with (spec/proof.md, section 3.5).
struct Read {
  ClaimId claim = 0;
  Product weight{};               ///< eq of the gathering's point and the claim's, along the values' axes
  std::vector<Coordinates> at{};  ///< the gathering's point along these
};

struct Stage {
  std::uint8_t number = 0;
  std::vector<LinearEquation> linear{};
  std::vector<ClaimId> linear_values{};  ///< claims that the linear equations bring up, in order
  std::vector<Summation> sums{};         ///< of a stage above 0; none: no sumcheck
  std::vector<Gathered> gathered{};      ///< of stage 0, in which no tensor needs a sumcheck
  std::vector<Read> reads{};             ///< of stage 0, part of the same sumcheck
  std::vector<PlacedAxis> axes{};        ///< of the sumcheck's variables
  std::vector<std::uint8_t> degrees{};   ///< of each round; round i binds coordinate i of the stage's challenges
  std::vector<ClaimId> sum_values{};     ///< claims that the sumcheck ends in
};

struct Plan {
  lookup::Config lookup;  ///< no columns: the statement has no lookups
  std::vector<Column> columns;
  std::uint32_t tag_power = 0;  ///< power of beta that a table's number has: the widest tuple
  std::vector<ClaimId> lookup_values;
  std::vector<ClaimId> zero_claims;  ///< value 0
  std::vector<PlacedAxis> zero_axes;
  std::uint16_t zero_coordinates = 0;
  std::vector<Stage> stages;  ///< highest number first; the last is stage 0, whose sumcheck is the gathering
  std::vector<TensorPoint> claims;
  std::vector<ClaimId> opened;  ///< claims on model and witness tensors that the gathering leaves or makes
  /// For each claim how many of the stages, in order, have passed when its value is used for the last time: those that
  /// are opened are used after all of them.
  std::vector<std::size_t> last_use;

  /// Claims whose values are known once `passed` stages have passed, and used later.
  [[nodiscard]] std::vector<ClaimId> carried(std::size_t passed) const;
  /// The most field elements that a verifier carries between two stages: challenges and values.
  [[nodiscard]] std::size_t carried_elements() const;
  /// Coordinates of the lookup argument's point, challenges for zero claims and those of all stages.
  [[nodiscard]] std::size_t challenges() const;
};

/// Most field elements that a plan may ask a verifier to carry between two stages, and most challenges alone, which it
/// carries on while the opening has a state of its own: with everything else below 16 KiB.
inline constexpr std::size_t kMaxCarried = 640;
inline constexpr std::size_t kMaxChallenges = 256;

/// log2 of the most cells of all columns, padded: the error of compressed tuples grows with the square of their number
/// (spec/proof.md, section 7).
inline constexpr unsigned kMaxLogCells = 30;
/// Most claims and products of a plan. A definition may read another at many places, and so on: without a bound a key
/// of a few bytes could ask for more claims than there are atoms.
inline constexpr std::size_t kMaxClaims = 1024;
inline constexpr std::size_t kMaxProducts = 4096;
/// log2 of the most steps that the extensions of structured tensors in all products may take (spec/proof.md, section
/// 3): seconds. Without a bound a key could ask for minutes, and with many public values for hours.
inline constexpr unsigned kLogMaxSteps = 27;

/// The plan of a bound statement. Refused: statement.too_large if the lookups do not fit a lookup argument, if there
/// are more claims, products or steps than a plan may have, or more claims and challenges than a verifier may carry.
[[nodiscard]] base::Result<Plan, statement::Error> make_plan(const statement::Binding& binding);

}  // namespace avow::reduction
