// SPDX-License-Identifier: Apache-2.0
#include "lookup/config.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/check.hpp"

namespace avow::lookup {

bool is_valid(const Config& config) noexcept {
  if (config.columns.empty() || config.columns.size() > kMaxColumns) return false;
  std::uint64_t cells = 0;  // at most 2^16 * 2^30
  for (const Column& column : config.columns) {
    if (column.log_size > kMaxLogSize) return false;
    if (column.numerators != Numerators::kSent && column.numerators != Numerators::kPublic) return false;
    cells += std::uint64_t{1} << column.log_size;
  }
  return cells <= std::uint64_t{1} << 32;
}

base::Bytes encode(const Config& config) {
  base::Bytes bytes;
  base::append_be32(bytes, kVersion);
  base::append_be32(bytes, static_cast<std::uint32_t>(config.columns.size()));
  for (const Column& column : config.columns) {
    bytes.push_back(column.log_size);
    bytes.push_back(static_cast<std::uint8_t>(column.numerators));
  }
  return bytes;
}

Layout make_layout(const Config& config) {
  AVOW_CHECK(is_valid(config));
  Layout layout;
  layout.order.resize(config.columns.size());
  std::iota(layout.order.begin(), layout.order.end(), 0u);
  std::stable_sort(layout.order.begin(), layout.order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return config.columns[a].log_size > config.columns[b].log_size;
  });
  layout.offsets.resize(config.columns.size());
  std::uint64_t end = 0;
  for (const std::uint32_t j : layout.order) {
    layout.offsets[j] = end;
    end += std::uint64_t{1} << config.columns[j].log_size;
  }
  layout.log_cells = static_cast<unsigned>(std::bit_width(end - 1));
  return layout;
}

std::size_t columns_bytes(const Config& config) noexcept {
  std::size_t elements = 0;
  for (const Column& column : config.columns) elements += column.numerators == Numerators::kSent ? 2 : 1;
  return 24 * elements;
}

std::size_t proof_bytes(const Config& config) {
  const unsigned log_cells = make_layout(config).log_cells;
  std::size_t bytes = top_bytes(log_cells) + columns_bytes(config);
  for (unsigned k = top_log(log_cells); k < log_cells; ++k) bytes += layer_bytes(k);
  return bytes;
}

}  // namespace avow::lookup
