// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "lookup_prover/prove.hpp"

namespace avow::lookup {

/// What the numerators of a benchmark's cells are: nothing, or integers of which every eighth is 0.
enum class BenchNumerators : std::uint8_t { kOnes, kMask };

struct BenchResult {
  std::size_t cells = 0;
  std::size_t proof_bytes = 0;
  std::chrono::nanoseconds prove{};
  ProveTimes parts;
  std::chrono::nanoseconds verify{};
  bool accepted = false;
};

/// Proves and verifies lookups of synthetic values: columns of 2^(log_cells-1), 2^(log_cells-2), ... cells down to the
/// size of the table, 2^16 rows at most, and the table; 2^log_cells cells in all. log_cells is 2 to 30. Making the
/// cells is not timed; they take 24 bytes each, 28 with a mask.
[[nodiscard]] BenchResult bench(unsigned log_cells, BenchNumerators numerators = BenchNumerators::kOnes);

}  // namespace avow::lookup
