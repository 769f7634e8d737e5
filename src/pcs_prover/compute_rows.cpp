// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/threads.hpp"
#include "field/kernels.hpp"
#include "pcs_prover/oracle.hpp"

namespace avow::pcs {

using field::Fp;
using field::Fp3;

// A column's value at a point x of the base field is the dot product of its cells with the powers of x. The dot-product
// kernel takes extension weights, three base weights: three positions a pass.
std::vector<std::uint64_t> compute_rows(unsigned log_domain, std::span<const field::MatrixView> groups,
                                        std::span<const std::uint32_t> positions) {
  constexpr std::size_t kTogether = 3;
  constexpr std::size_t kGrain = 4096;
  std::size_t cols = 0;
  for (const auto& group : groups) cols += group.cols;
  std::vector<std::uint64_t> out(positions.size() * cols);
  std::vector<Fp3> powers(groups[0].rows);
  for (std::size_t first = 0; first < positions.size(); first += kTogether) {
    const std::size_t count = std::min(kTogether, positions.size() - first);
    Fp3 x;
    for (std::size_t k = 0; k < count; ++k) x.c[k] = field::domain_point(log_domain, positions[first + k]);
    base::parallel_for(powers.size(), kGrain, [&](std::size_t begin, std::size_t end) {
      Fp3 power{x.c[0].pow(begin), x.c[1].pow(begin), x.c[2].pow(begin)};
      for (std::size_t i = begin; i < end; ++i) {
        powers[i] = power;
        for (std::size_t k = 0; k < kTogether; ++k) power.c[k] *= x.c[k];
      }
    });
    std::size_t offset = 0;
    for (const auto& group : groups) {
      const auto values = field::column_dots(group, 0, powers);
      for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t c = 0; c < group.cols; ++c) out[(first + k) * cols + offset + c] = values[c].c[k].value();
      }
      offset += group.cols;
    }
  }
  return out;
}

}  // namespace avow::pcs
