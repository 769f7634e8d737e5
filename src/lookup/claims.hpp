// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "field/extension.hpp"
#include "lookup/config.hpp"

// What a lookup argument ends in. Nothing here is authenticated: an accepted proof says that *if* all claims hold, the
// fractions add up to zero and no denominator is zero. Whoever called the verifier discharges them.
namespace avow::lookup {

/// Unauthenticated: the multilinear extensions of the layer with 2^point.size() fractions have these values at `point`.
/// It is all that the verifier carries from one layer to the next; the next layer's check discharges it, and the
/// columns' check that of the last layer, the cells.
struct CubeClaim {
  std::vector<field::Fp3> point;  ///< coordinate 0 belongs to the lowest bit of a fraction's index
  field::Fp3 numerator;
  field::Fp3 denominator;
  friend bool operator==(const CubeClaim&, const CubeClaim&) = default;
};

/// Unauthenticated, to be discharged by the caller: the multilinear extensions of a column's numerators and
/// denominators at the first log_size coordinates of the point. A public numerator is what the caller computed.
struct ColumnClaim {
  field::Fp3 numerator;
  field::Fp3 denominator;
  friend bool operator==(const ColumnClaim&, const ColumnClaim&) = default;
};

/// Unauthenticated: one claim a column of the configuration, in its order, all on one point.
struct ColumnClaims {
  std::vector<field::Fp3> point;
  std::vector<ColumnClaim> columns;
  friend bool operator==(const ColumnClaims&, const ColumnClaims&) = default;
};

/// sum over x < extent of eq(point, x), extent <= 2^point.size(): the value of the mask that is 1 on the first `extent`
/// cells of a column and 0 on the others. A product of point.size() terms at most.
[[nodiscard]] field::Fp3 prefix_value(std::uint64_t extent, std::span<const field::Fp3> point);

/// The values of the cube at `point` that follow from the columns': the eq-weighted sum over the columns, and in the
/// denominator the padding's ones. `claims` and the configuration have equally many columns.
[[nodiscard]] ColumnClaim join_columns(const Config& config, const Layout& layout, std::span<const field::Fp3> point,
                                       std::span<const ColumnClaim> claims);

}  // namespace avow::lookup
