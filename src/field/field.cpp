// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "field/extension.hpp"
#include "field/factor.hpp"
#include "field/goldilocks.hpp"

namespace avow::field {
namespace {

template <typename F>
void invert_all(std::span<F> elements, const F& one) {
  std::vector<F> prefix(elements.size());
  F product = one;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    prefix[i] = product;
    if (!(elements[i] == F())) product *= elements[i];
  }
  F inverse = product.inverse();
  for (std::size_t i = elements.size(); i-- > 0;) {
    if (elements[i] == F()) continue;
    const F next = inverse * elements[i];
    elements[i] = inverse * prefix[i];
    inverse = next;
  }
}

}  // namespace

Fp domain_point(unsigned log_size, std::uint64_t index) noexcept {
  Fp point = kOne;
  // The most significant bit of the index is the least significant one of the exponent.
  for (unsigned bit = 0; bit < log_size; ++bit) {
    if ((index >> bit) & 1) point *= root_of_unity(bit + 1);
  }
  return point;
}

void batch_inverse(std::span<Fp> elements) { invert_all(elements, kOne); }
void batch_inverse(std::span<Fp3> elements) { invert_all(elements, kOne3); }

std::vector<Fp3> tensor_table(std::span<const Factor> factors, const Fp3& coefficient) {
  std::vector<Fp3> table = {coefficient};
  table.reserve(std::size_t{1} << factors.size());
  for (const Factor& factor : factors) {
    const std::size_t size = table.size();
    for (std::size_t x = 0; x < size; ++x) table.push_back(table[x] * factor.at1);
    for (std::size_t x = 0; x < size; ++x) table[x] *= factor.at0;
  }
  return table;
}

std::vector<Fp3> eq_table(std::span<const Fp3> point) {
  std::vector<Factor> factors;
  factors.reserve(point.size());
  for (const Fp3& r : point) factors.push_back(eq_factor(r));
  return tensor_table(factors, kOne3);
}

std::vector<Factor> power_factors(const Fp3& z, std::size_t variables) {
  std::vector<Factor> factors;
  factors.reserve(variables);
  Fp3 power = z;
  for (std::size_t i = 0; i < variables; ++i, power *= power) factors.push_back({kOne3, power});
  return factors;
}

}  // namespace avow::field
