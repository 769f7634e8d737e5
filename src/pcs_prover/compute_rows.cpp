// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <mutex>

#include "base/threads.hpp"
#include "field/kernels.hpp"
#include "pcs_prover/oracle.hpp"

namespace avow::pcs {

using field::Fp3;

// A column's value at a point x of the base field is the dot product of its cells with the powers of x. The dot-product
// kernel takes extension weights, three base weights: three positions at a time. Blocks of rows stay in the cache while
// all positions go by, so that the cells, which may be gigabytes, are read once.
std::vector<std::uint64_t> compute_rows(unsigned log_domain, std::span<const field::MatrixView> groups,
                                        std::span<const std::uint32_t> positions) {
  constexpr std::size_t kTogether = 3;
  constexpr std::size_t kBlock = 2048;
  std::size_t cols = 0;
  for (const auto& group : groups) cols += group.cols;
  std::vector<Fp3> points((positions.size() + kTogether - 1) / kTogether);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    points[i / kTogether].c[i % kTogether] = field::domain_point(log_domain, positions[i]);
  }

  std::vector<Fp3> total(points.size() * cols);
  std::mutex mutex;
  const std::size_t rows = groups[0].rows;
  const std::size_t grain = std::max(kBlock, rows / (4 * base::thread_count()));
  base::parallel_for(rows, grain, [&](std::size_t begin, std::size_t end) {
    std::vector<Fp3> sums(total.size());
    std::vector<Fp3> powers(kBlock);
    std::vector<Fp3> first(points.size());  // points^row, coefficient by coefficient
    for (std::size_t p = 0; p < points.size(); ++p) {
      for (std::size_t k = 0; k < kTogether; ++k) first[p].c[k] = points[p].c[k].pow(begin);
    }
    for (std::size_t row = begin; row < end; row += kBlock) {
      const std::size_t count = std::min(kBlock, end - row);
      for (std::size_t p = 0; p < points.size(); ++p) {
        for (std::size_t i = 0; i < count; ++i) {
          powers[i] = first[p];
          for (std::size_t k = 0; k < kTogether; ++k) first[p].c[k] *= points[p].c[k];
        }
        std::span<Fp3> to = std::span(sums).subspan(p * cols, cols);
        for (const auto& group : groups) {
          field::add_column_dots(group, row, std::span(powers).first(count), to.first(group.cols));
          to = to.subspan(group.cols);
        }
      }
    }
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += sums[i];
  });

  std::vector<std::uint64_t> out(positions.size() * cols);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    for (std::size_t c = 0; c < cols; ++c) {
      out[i * cols + c] = total[i / kTogether * cols + c].c[i % kTogether].value();
    }
  }
  return out;
}

}  // namespace avow::pcs
