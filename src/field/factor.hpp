// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "field/extension.hpp"

namespace avow::field {

/// The factor of a product-form weight that belongs to one variable: its value at 0 and at 1.
struct Factor {
  Fp3 at0;
  Fp3 at1;
  /// Multilinear interpolation: at0 (1 - r) + at1 r.
  [[nodiscard]] Fp3 at(const Fp3& r) const noexcept { return at0 + (at1 - at0) * r; }
  friend bool operator==(const Factor&, const Factor&) = default;
};

/// eq(r, .): the factor that interpolates at r.
[[nodiscard]] inline Factor eq_factor(const Fp3& r) noexcept { return {kOne3 - r, r}; }
/// The factor that selects one value of a variable.
[[nodiscard]] inline Factor bit_factor(bool bit) noexcept { return bit ? Factor{Fp3(), kOne3} : Factor{kOne3, Fp3()}; }

/// table[x] = coefficient * product over variables i of factors[i].at0 or .at1, as bit i of x says. table[2^factors].
[[nodiscard]] std::vector<Fp3> tensor_table(std::span<const Factor> factors, const Fp3& coefficient);

/// eq(point, x) for every x: tensor_table of the point's eq factors.
[[nodiscard]] std::vector<Fp3> eq_table(std::span<const Fp3> point);

/// The factors of the weight z^x, x the number whose bits are the variables: variable i has (1, z^(2^i)).
[[nodiscard]] std::vector<Factor> power_factors(const Fp3& z, std::size_t variables);

}  // namespace avow::field
