// SPDX-License-Identifier: Apache-2.0
#include "pcs_prover/oracle.hpp"

#include <algorithm>

#include "hash/keccak.hpp"
#include "merkle/tree.hpp"
#include "ntt/encoder.hpp"

namespace avow::pcs {
namespace {

// Words of codeword that are in memory at a time, unless one coset has more: 32 MiB.
constexpr std::size_t kBufferWords = std::size_t{1} << 22;

}  // namespace

TreeOracle::TreeOracle(unsigned log_rows, unsigned log_inv_rate, std::vector<field::MatrixView> groups)
    : log_domain_(log_rows + log_inv_rate), groups_(std::move(groups)) {
  const ntt::Encoder encoder(log_rows, log_inv_rate, groups_);
  const std::size_t cols = encoder.cols();
  const std::size_t rows = encoder.rows_per_coset();
  const std::size_t leaves = rows * encoder.cosets();
  const std::size_t together = std::clamp<std::size_t>(kBufferWords / (rows * cols), 1, encoder.cosets());
  heap_ = base::Buffer<base::Digest>(2 * leaves);
  base::Buffer<std::uint64_t> buffer(together * rows * cols);
  for (std::size_t coset = 0; coset < encoder.cosets(); coset += together) {
    const std::size_t count = std::min(together, encoder.cosets() - coset);
    encoder.encode(coset, count, buffer.data(), [&](std::size_t first, std::size_t n, const std::uint64_t* data) {
      hash::keccak256_rows(data, cols, cols, n, &heap_[leaves + coset * rows + first]);
    });
  }
  merkle::build(heap_);
}

std::vector<std::uint64_t> TreeOracle::rows(std::span<const std::uint32_t> positions) const {
  return compute_rows(log_domain_, groups_, positions);
}

}  // namespace avow::pcs
