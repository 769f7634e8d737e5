// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "base/threads.hpp"
#include "prover/loops.hpp"
#include "runtime/kernels.hpp"

// Nearly all of a transformer's arithmetic is here: weights times activations, scores, mixtures. The loops of such a
// term are those of both factors (a product for each), of one alone (rows) and the summed ones. Rows are taken
// together and cut into digits of 16 bits, one or two of each cell, for the kernel that the model itself runs on.
namespace avow::prover {
namespace {

using field::CellType;

constexpr std::size_t kLeastWork = 256;     // products of a matrix: fewer are not worth packing
constexpr std::size_t kLeastSum = 2;        // and shorter sums
constexpr std::size_t kBlockCells = 65536;  // of the first factor's rows in one item of work

// Loops of one kind, and where the cells of their places lie, in the order of the loops.
struct Nest {
  std::vector<std::size_t> loops;
  std::size_t size = 1;

  void add(std::size_t loop, std::uint64_t length) {
    loops.push_back(loop);
    size *= length;
  }
};

std::vector<std::uint64_t> offsets_of(const Nest& nest, const Loops& loops, std::span<const std::uint64_t> strides) {
  std::vector<std::uint64_t> offsets = {0};
  offsets.reserve(nest.size);
  for (const std::size_t loop : nest.loops) {
    std::vector<std::uint64_t> next;
    next.reserve(offsets.size() * loops.lengths[loop]);
    for (const std::uint64_t offset : offsets) {
      for (std::uint64_t i = 0; i < loops.lengths[loop]; ++i) next.push_back(offset + i * strides[loop]);
    }
    offsets = std::move(next);
  }
  return offsets;
}

bool counts_by_one(std::span<const std::uint64_t> offsets) {
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    if (offsets[i] != i) return false;
  }
  return true;
}

// One factor: offsets of its rows and of the cells in a row.
struct Side {
  const Operand* operand = nullptr;
  std::vector<std::uint64_t> rows, sums;
  std::size_t digits = 1;
  bool in_place = false;  // cells are 16 bits wide and rows contiguous, equally far from each other
  std::size_t stride = 0;

  Side(const Operand& of, const Loops& loops, const Nest& rows_nest, const Nest& sums_nest)
      : operand(&of), rows(offsets_of(rows_nest, loops, of.strides)), sums(offsets_of(sums_nest, loops, of.strides)) {
    const bool narrow = of.cells.largest() <= std::numeric_limits<std::int16_t>::max();
    digits = narrow || of.cells.type() != CellType::kInt32 ? 1 : 2;
    stride = rows.size() > 1 ? rows[1] : sums.size();
    in_place = of.cells.type() == CellType::kInt16 && counts_by_one(sums);
    for (std::size_t i = 0; i < rows.size() && in_place; ++i) in_place = rows[i] == i * stride;
  }
};

// Rows [first, first + count) of a side at a product's offset: where they are, or digit by digit in `memory`.
class Packed {
 public:
  Packed(const Side& side, std::uint64_t offset, std::size_t first, std::size_t count) : count_(count) {
    const Array& cells = side.operand->cells;
    length_ = side.sums.size();
    if (side.in_place) {
      stride_ = side.stride;
      data_ = static_cast<const std::int16_t*>(cells.data()) + offset + side.rows[first];
      return;
    }
    stride_ = length_;
    memory_.resize(side.digits * count * length_);
    data_ = memory_.data();
    switch (cells.type()) {
      case CellType::kInt8:
        pack(static_cast<const std::int8_t*>(cells.data()) + offset, side, first);
        break;
      case CellType::kInt16:
        pack(static_cast<const std::int16_t*>(cells.data()) + offset, side, first);
        break;
      case CellType::kInt32:
      case CellType::kFp:  // never: see add_matrix_product
        pack(static_cast<const std::int32_t*>(cells.data()) + offset, side, first);
        break;
    }
  }
  [[nodiscard]] runtime::Rows rows(std::size_t digit) const {
    return {data_ + digit * count_ * length_, stride_, count_};
  }

 private:
  template <typename T>
  void pack(const T* cells, const Side& side, std::size_t first) {
    std::int16_t* low = memory_.data();
    std::int16_t* high = low + count_ * length_;
    for (std::size_t r = 0; r < count_; ++r) {
      const T* row = cells + side.rows[first + r];
      for (std::size_t i = 0; i < length_; ++i) {
        const auto cell = static_cast<std::int32_t>(row[side.sums[i]]);
        const auto digit = static_cast<std::int16_t>(cell);
        *low++ = digit;
        if (side.digits == 2) *high++ = static_cast<std::int16_t>((cell - digit) >> 16);
      }
    }
  }

  std::size_t count_, length_ = 0, stride_ = 0;
  const std::int16_t* data_ = nullptr;
  std::vector<std::int16_t> memory_;
};

// A cell in two digits: the higher one must not be 2^15.
bool has_digits(const Array& cells) {
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 31) - (std::uint64_t{1} << 15);
  return cells.type() != CellType::kFp && (cells.type() != CellType::kInt32 || cells.largest() < kMost);
}

class MatrixProduct {
 public:
  MatrixProduct(const Loops& loops, const Operand& a, const Operand& b, const Nest& both, const Nest& rows_a,
                const Nest& rows_b, const Nest& sums)
      : a_(a, loops, rows_a, sums),
        b_(b, loops, rows_b, sums),
        out_a_(offsets_of(rows_a, loops, loops.out_strides)),
        out_b_(offsets_of(rows_b, loops, loops.out_strides)),
        both_a_(offsets_of(both, loops, a.strides)),
        both_b_(offsets_of(both, loops, b.strides)),
        both_out_(offsets_of(both, loops, loops.out_strides)) {}

  void add(std::uint64_t coefficient, std::span<std::uint64_t> out) const {
    const std::size_t length = a_.sums.size();
    const std::size_t block = std::clamp<std::size_t>(kBlockCells / length, 16, 1024);
    const std::size_t blocks = (a_.rows.size() + block - 1) / block;
    base::parallel_for(both_out_.size() * blocks, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t item = begin; item < end; ++item) {
        const std::size_t first = item % blocks * block;
        add_block(item / blocks, first, std::min(block, a_.rows.size() - first), coefficient, out);
      }
    });
  }

 private:
  void add_block(std::size_t product, std::size_t first, std::size_t count, std::uint64_t coefficient,
                 std::span<std::uint64_t> out) const {
    const Packed a(a_, a_.operand->base + both_a_[product], first, count);
    const Packed b(b_, b_.operand->base + both_b_[product], 0, b_.rows.size());
    std::vector<std::int64_t> sums(b_.rows.size() * count);
    std::uint64_t* const to = out.data() + both_out_[product];
    for (std::size_t i = 0; i < a_.digits; ++i) {
      for (std::size_t j = 0; j < b_.digits; ++j) {
        runtime::dots(a.rows(i), b.rows(j), a_.sums.size(), sums.data(), count);
        const std::uint64_t scale = coefficient << (16 * (i + j));
        for (std::size_t y = 0; y < b_.rows.size(); ++y) {
          for (std::size_t x = 0; x < count; ++x) {
            to[out_a_[first + x] + out_b_[y]] += scale * static_cast<std::uint64_t>(sums[y * count + x]);
          }
        }
      }
    }
  }

  Side a_, b_;
  std::vector<std::uint64_t> out_a_, out_b_, both_a_, both_b_, both_out_;
};

}  // namespace

bool add_matrix_product(const Loops& loops, std::span<const Operand> operands, std::uint64_t coefficient,
                        std::span<std::uint64_t> out) {
  if (operands.size() != 2 || !has_digits(operands[0].cells) || !has_digits(operands[1].cells)) return false;
  Nest both, rows_a, rows_b, sums;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    const bool in_a = operands[0].strides[i] != 0, in_b = operands[1].strides[i] != 0;
    if (i >= loops.free) {
      if (!in_a || !in_b) return false;
      sums.add(i, loops.lengths[i]);
    } else if (in_a && in_b) {
      both.add(i, loops.lengths[i]);
    } else if (in_a) {
      rows_a.add(i, loops.lengths[i]);
    } else if (in_b) {
      rows_b.add(i, loops.lengths[i]);
    } else {
      return false;  // broadcast
    }
  }
  if (sums.size < kLeastSum || sums.size > runtime::kLongestDot || rows_a.size * rows_b.size * sums.size < kLeastWork ||
      std::min(rows_a.size, rows_b.size) < 2) {
    return false;
  }
  // The kernel reads its first factor once for a few rows of the second: hence the one with more rows.
  if (rows_a.size >= rows_b.size) {
    MatrixProduct(loops, operands[0], operands[1], both, rows_a, rows_b, sums).add(coefficient, out);
  } else {
    MatrixProduct(loops, operands[1], operands[0], both, rows_b, rows_a, sums).add(coefficient, out);
  }
  return true;
}

}  // namespace avow::prover
