// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.hpp"
#include "base/bytes.hpp"
#include "field/matrix.hpp"

namespace avow::pcs {

/// A committed matrix of codewords as the prover holds it: rows to open and the Merkle tree over them.
class Oracle {
 public:
  virtual ~Oracle() = default;
  Oracle() = default;
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  /// The tree in heap layout (merkle/tree.hpp).
  [[nodiscard]] virtual std::span<const base::Digest> heap() const = 0;
  /// Codeword rows at these positions, one after the other, as canonical 64-bit words: result[positions, cols].
  [[nodiscard]] virtual std::vector<std::uint64_t> rows(std::span<const std::uint32_t> positions) const = 0;

  [[nodiscard]] const base::Digest& root() const { return heap()[1]; }
};

/// The tree in memory. Codewords are not kept: rows that are opened are computed from the cells again, a few dot
/// products for each (compute_rows), which costs a fraction of the pages that codewords at a low rate would touch.
class TreeOracle final : public Oracle {
 public:
  /// Encodes the groups' columns (side by side, see ntt::Encoder) and hashes every row, on all threads. The cells must
  /// outlive the oracle.
  TreeOracle(unsigned log_rows, unsigned log_inv_rate, std::vector<field::MatrixView> groups);

  [[nodiscard]] std::span<const base::Digest> heap() const override { return heap_; }
  [[nodiscard]] std::vector<std::uint64_t> rows(std::span<const std::uint32_t> positions) const override;

 private:
  unsigned log_domain_;
  std::vector<field::MatrixView> groups_;
  base::Buffer<base::Digest> heap_;
};

/// Codeword rows at these positions, computed from the cells: result[positions, cols].
[[nodiscard]] std::vector<std::uint64_t> compute_rows(unsigned log_domain, std::span<const field::MatrixView> groups,
                                                      std::span<const std::uint32_t> positions);

}  // namespace avow::pcs
