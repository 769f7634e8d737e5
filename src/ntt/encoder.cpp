// SPDX-License-Identifier: Apache-2.0
#include "ntt/encoder.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "base/threads.hpp"
#include "ntt/kernels.hpp"

namespace avow::ntt {
namespace {

// A block of the second pass, all columns, in words: 256 KiB leaves half of a 512 KiB second-level cache for the rest.
constexpr std::size_t kBlockWords = std::size_t{1} << 15;
// Columns of the flattened matrix that the first pass takes at a time: eight cache lines of output a row.
constexpr std::size_t kStripCols = 64;
// The first pass does at most this many layers at a time: 2^10 rows of a strip are 512 KiB.
constexpr unsigned kMaxStripLayers = 12;

unsigned block_layers(unsigned log_rows, std::size_t cols) {
  unsigned layers = 0;
  while (layers < log_rows && (cols << (layers + 1)) <= kBlockWords) ++layers;
  // Neither pass may grow past its cache by much: share the layers if the first would be too long.
  return std::max(layers, log_rows > kMaxStripLayers ? log_rows - kMaxStripLayers : 0);
}

}  // namespace

Encoder::Encoder(unsigned log_rows, unsigned log_inv_rate, std::vector<field::MatrixView> groups)
    : log_rows_(log_rows), log_inv_rate_(log_inv_rate), groups_(std::move(groups)) {
  AVOW_CHECK(log_rows + log_inv_rate <= field::kTwoAdicity);
  for (const field::MatrixView& group : groups_) {
    AVOW_CHECK(group.cols > 0 && group.rows == rows_per_coset());
    cols_ += group.cols;
  }
  AVOW_CHECK(cols_ > 0);
  log_block_ = block_layers(log_rows_, cols_);
}

// First pass: the top log_rows - log_block layers. Row i*n2 + j of the message, column c, is seen as row i of a matrix
// of 2^(log_rows - log_block) rows and n2 * cols columns: all of them share their twiddles, so any strip of columns is
// transformed by itself in a scratch buffer.
void Encoder::transform_columns(std::size_t coset, std::uint64_t* out) const {
  const unsigned layers = log_rows_ - log_block_;
  const std::size_t n1 = std::size_t{1} << layers;
  const std::size_t n2 = std::size_t{1} << log_block_;
  const std::vector<std::uint64_t> twiddles = internal::make_twiddles(coset, layers);

  std::size_t offset = 0;
  for (const field::MatrixView& group : groups_) {
    const std::size_t width = n2 * group.cols;
    const std::size_t strip = std::min(kStripCols, width);
    base::parallel_for((width + strip - 1) / strip, 1, [&](std::size_t begin, std::size_t) {
      const std::size_t first = begin * strip;
      const std::size_t count = std::min(strip, width - first);
      // Kept from strip to strip: its pages stay mapped and, mostly, cached.
      thread_local std::vector<std::uint64_t> scratch;
      scratch.resize(std::max(scratch.size(), n1 * count));
      for (std::size_t i = 0; i < n1; ++i) internal::load_cells(group, i * width + first, count, &scratch[i * count]);
      if (layers > 0) internal::transform(scratch.data(), layers, count, twiddles);
      for (std::size_t i = 0; i < n1; ++i) {
        for (std::size_t done = 0; done < count;) {
          const std::size_t row = (first + done) / group.cols;
          const std::size_t col = (first + done) % group.cols;
          const std::size_t run = cols_ == group.cols ? count : std::min(group.cols - col, count - done);
          std::memcpy(out + (i * n2 + row) * cols_ + offset + col, &scratch[i * count + done],
                      run * sizeof(std::uint64_t));
          done += run;
        }
      }
    });
    offset += group.cols;
  }
}

// Columns longer than a block: two passes, threads share the coset.
void Encoder::encode_long(std::size_t coset, std::uint64_t* out, const OnRows& on_rows, std::size_t first_row) const {
  transform_columns(coset, out);
  const std::size_t n1 = std::size_t{1} << (log_rows_ - log_block_);
  const std::size_t n2 = std::size_t{1} << log_block_;
  base::parallel_for(n1, 1, [&](std::size_t block, std::size_t) {
    const std::vector<std::uint64_t> twiddles = internal::make_twiddles(coset * n1 + block, log_block_);
    std::uint64_t* rows = out + block * n2 * cols_;
    internal::transform(rows, log_block_, cols_, twiddles);
    if (on_rows) on_rows(first_row + block * n2, n2, rows);
  });
}

// A whole coset is one block: threads take cosets.
void Encoder::encode_short(std::size_t coset, std::uint64_t* out) const {
  if (groups_.size() == 1) {
    internal::load_cells(groups_[0], 0, rows_per_coset() * cols_, out);
  } else {
    for (std::size_t row = 0; row < rows_per_coset(); ++row) {
      std::uint64_t* to = out + row * cols_;
      for (const field::MatrixView& group : groups_) {
        internal::load_cells(group, row * group.cols, group.cols, to);
        to += group.cols;
      }
    }
  }
  internal::transform(out, log_rows_, cols_, internal::make_twiddles(coset, log_rows_));
}

void Encoder::encode(std::size_t first_coset, std::size_t count, std::uint64_t* out, const OnRows& on_rows) const {
  AVOW_CHECK(first_coset + count <= cosets());
  const std::size_t rows = rows_per_coset();
  if (log_block_ < log_rows_) {
    for (std::size_t i = 0; i < count; ++i) encode_long(first_coset + i, out + i * rows * cols_, on_rows, i * rows);
    return;
  }
  const std::size_t grain = std::max<std::size_t>(1, kBlockWords / (rows * cols_));
  base::parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) encode_short(first_coset + i, out + i * rows * cols_);
    if (on_rows) on_rows(begin * rows, (end - begin) * rows, out + begin * rows * cols_);
  });
}

}  // namespace avow::ntt
