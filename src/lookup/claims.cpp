// SPDX-License-Identifier: Apache-2.0
#include "lookup/claims.hpp"

#include "base/check.hpp"

namespace avow::lookup {

using field::Fp3;

Fp3 prefix_value(std::uint64_t extent, std::span<const Fp3> point) {
  if (extent >= std::uint64_t{1} << point.size()) return field::kOne3;
  // From the lowest bit upwards: the prefix below `extent` within the cube of the bits seen so far.
  Fp3 value;
  for (std::size_t b = 0; b < point.size(); ++b) {
    const Fp3& r = point[b];
    value = (extent >> b & 1) != 0 ? field::kOne3 - r + r * value : (field::kOne3 - r) * value;
  }
  return value;
}

ColumnClaim join_columns(const Config& config, const Layout& layout, std::span<const Fp3> point,
                         std::span<const ColumnClaim> claims) {
  AVOW_CHECK(claims.size() == config.columns.size() && point.size() == layout.log_cells);
  ColumnClaim sum;
  std::uint64_t end = 0;
  // Neighbours share most of their high bits: weights[b] is the product of the factors of bits b and above for the last
  // column, so that a column costs a product for each bit that changed.
  std::vector<Fp3> weights(point.size() + 1, field::kOne3);
  std::uint64_t last = 0;
  bool first = true;
  for (const std::uint32_t j : layout.order) {
    const unsigned low = config.columns[j].log_size;
    const std::uint64_t offset = layout.offsets[j];
    // Sizes only shrink, so what lies below the last column's own bits was not computed yet.
    std::size_t from = point.size();
    if (!first) {
      const std::uint64_t changed = offset ^ last;
      from = 0;
      while (from < point.size() && changed >> from != 0) ++from;
    }
    for (std::size_t b = from; b-- > low;) {
      weights[b] = weights[b + 1] * ((offset >> b & 1) != 0 ? point[b] : field::kOne3 - point[b]);
    }
    sum.numerator += weights[low] * claims[j].numerator;
    sum.denominator += weights[low] * claims[j].denominator;
    last = offset;
    first = false;
    end = offset + (std::uint64_t{1} << low);
  }
  sum.denominator += field::kOne3 - prefix_value(end, point);
  return sum;
}

}  // namespace avow::lookup
