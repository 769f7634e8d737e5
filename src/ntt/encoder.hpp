// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "field/matrix.hpp"

namespace avow::ntt {

/// Reed-Solomon encoder of many columns at once. A column of 2^m cells is the coefficient vector of a polynomial of
/// degree below 2^m; its codeword holds the values at field::domain_point(i), i < 2^(m + log_inv_rate).
///
/// The transform is the product tree of X^(2^L) - 1: the node at depth d, block b stands for the polynomial modulo
/// X^(2^(L-d)) - w^2 and splits by X^h = w and X^h = -w with w = twiddle(b), which does not depend on d. Coefficients
/// come in natural order, values leave in bit-reversed order, and a coset of the message's size is one node at depth
/// log_inv_rate: rate costs no extra work per value, and leaves of one coset are neighbours.
class Encoder {
 public:
  /// `groups` stand side by side: the codeword's columns are all columns of groups[0], then of groups[1], ... Every
  /// group has 2^log_rows rows. The views must outlive the encoder. log_rows + log_inv_rate <= 32.
  Encoder(unsigned log_rows, unsigned log_inv_rate, std::vector<field::MatrixView> groups);

  [[nodiscard]] std::size_t cols() const noexcept { return cols_; }
  [[nodiscard]] std::size_t rows_per_coset() const noexcept { return std::size_t{1} << log_rows_; }
  [[nodiscard]] std::size_t cosets() const noexcept { return std::size_t{1} << log_inv_rate_; }

  /// Called with finished codeword rows while they are in cache: rows [first_row, first_row + rows) of the output at
  /// `data`, canonical, valid until the call returns. Calls come from several threads.
  using OnRows = std::function<void(std::size_t first_row, std::size_t rows, const std::uint64_t* data)>;

  /// Writes the codeword rows of cosets [first_coset, first_coset + count), 2^log_rows each, to
  /// out[count * 2^log_rows, cols], on all threads.
  void encode(std::size_t first_coset, std::size_t count, std::uint64_t* out, const OnRows& on_rows = {}) const;

 private:
  void encode_long(std::size_t coset, std::uint64_t* out, const OnRows& on_rows, std::size_t first_row) const;
  void encode_short(std::size_t coset, std::uint64_t* out) const;
  void transform_columns(std::size_t coset, std::uint64_t* out) const;

  unsigned log_rows_;
  unsigned log_inv_rate_;
  unsigned log_block_;  // rows of the second pass: a block of all columns fits the second-level cache
  std::vector<field::MatrixView> groups_;
  std::size_t cols_ = 0;
};

/// Product over the set bits i of `block` of root_of_unity(i + 2): the w of the encoder's tree.
[[nodiscard]] field::Fp twiddle(std::uint64_t block) noexcept;

}  // namespace avow::ntt
