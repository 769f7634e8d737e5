// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"

// The shape of a lookup argument: columns of fractions whose sum is to be zero (spec/lookup.md). It is public, fixed by
// the statement, and known to both sides before the first message.
namespace avow::lookup {

inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kMaxColumns = std::size_t{1} << 16;
inline constexpr unsigned kMaxLogSize = 30;
/// The verifier receives the layer of 2^3 fractions in the clear (all cells, if there are fewer) and computes the
/// layers above it: 384 bytes, where a root and three layers would be 480. A layer of 2^2 and one more sumcheck are as
/// many bytes and more hashes, a layer of 2^4 instead of a sumcheck is 144 bytes more (spec/lookup.md, section 7).
inline constexpr unsigned kTopLog = 3;

/// Who says what a column's numerators are at the final point.
enum class Numerators : std::uint8_t {
  kSent = 0,    ///< the prover; the value is a claim
  kPublic = 1,  ///< the verifier computes it (a mask), nothing is sent
};

/// 2^log_size cells.
struct Column {
  std::uint8_t log_size = 0;
  Numerators numerators = Numerators::kSent;
  friend bool operator==(const Column&, const Column&) = default;
};

struct Config {
  std::vector<Column> columns;
  friend bool operator==(const Config&, const Config&) = default;
};

/// Whether there are 1 to kMaxColumns columns of at most 2^kMaxLogSize cells, 2^32 cells at most in all.
[[nodiscard]] bool is_valid(const Config& config) noexcept;

/// What both sides absorb first: version, number of columns (4 bytes each), then log_size and numerators of each (1
/// byte each).
[[nodiscard]] base::Bytes encode(const Config& config);

/// Where the columns lie in the cube of 2^log_cells cells: by size, larger first, equal ones in their order, without
/// gaps. So every offset is a multiple of its column's size. Cells after the last column are 0/1.
struct Layout {
  unsigned log_cells = 0;
  std::vector<std::uint64_t> offsets;  ///< of each column of the configuration, in cells
  std::vector<std::uint32_t> order;    ///< columns by offset
};
/// The configuration must be valid.
[[nodiscard]] Layout make_layout(const Config& config);

/// A proof's sections, all multiples of 24 bytes: the top layer, one for each layer k in [top_log, log_cells), columns.
[[nodiscard]] constexpr unsigned top_log(unsigned log_cells) noexcept {
  return log_cells < kTopLog ? log_cells : kTopLog;
}
[[nodiscard]] constexpr std::size_t top_bytes(unsigned log_cells) noexcept {
  return std::size_t{48} << top_log(log_cells);
}
[[nodiscard]] constexpr std::size_t layer_bytes(unsigned layer) noexcept { return 48 * std::size_t{layer} + 96; }
[[nodiscard]] std::size_t columns_bytes(const Config& config) noexcept;
/// Length of every proof for this valid configuration.
[[nodiscard]] std::size_t proof_bytes(const Config& config);

}  // namespace avow::lookup
