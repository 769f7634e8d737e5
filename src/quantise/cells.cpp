// SPDX-License-Identifier: Apache-2.0
#include "quantise/cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace avow::quantise {

using base::Err;
using base::Result;
using compile::ModelTensor;

Result<double, Error> largest_of(const Folder& folder, ModelTensor tensor) {
  double largest = 0;
  // All are finite: products of a few finite floats.
  const auto error = folder.visit(tensor, [&](std::span<const double> values) {
    for (const double value : values) largest = std::max(largest, std::abs(value));
  });
  if (error) return Err{*error};
  if (largest > 0x1p60) {
    return Err{Error{Cause::kRange, fmt::format("{} has values beyond 2^60", compile::name_of(tensor))}};
  }
  return largest;
}

int bits_for(double value, double limit, int most) {
  if (value < 0x1p-200) return most;
  int exponent = 0;
  (void)std::frexp(limit / value, &exponent);  // 2^(exponent - 1) <= limit / value < 2^exponent
  int bits = exponent + 1;
  while (std::round(std::ldexp(value, bits)) > limit) --bits;
  return std::min(bits, most);
}

Result<compile::Cells, Error> round_tensor(const Folder& folder, ModelTensor tensor, int bits) {
  compile::Cells cells;
  const bool wide = compile::is_wide(tensor);
  const double limit = wide ? 0x1p31 - 1 : kLargestNarrow;
  const auto error = folder.visit(tensor, [&](std::span<const double> values) {
    for (const double value : values) {
      const double rounded = std::round(std::ldexp(value, bits));
      AVOW_CHECK(std::abs(rounded) <= limit);
      if (wide) {
        cells.wide.own().push_back(static_cast<std::int32_t>(rounded));
      } else {
        cells.narrow.own().push_back(static_cast<std::int16_t>(rounded));
      }
    }
  });
  if (error) return Err{*error};
  return cells;
}

std::vector<std::int16_t> row_means(const Matrix& embedding) {
  const auto width = static_cast<std::int64_t>(embedding.columns);
  std::vector<std::int16_t> means(embedding.rows());
  for (std::size_t r = 0; r < means.size(); ++r) {
    std::int64_t sum = 0;
    for (const std::int16_t cell : embedding.row(r)) sum += cell;
    const std::int64_t twice = 2 * sum + width;  // floor(sum / width + 1/2)
    std::int64_t mean = twice / (2 * width);
    if (twice % (2 * width) < 0) --mean;
    means[r] = static_cast<std::int16_t>(mean);
  }
  return means;
}

}  // namespace avow::quantise
