// SPDX-License-Identifier: Apache-2.0
#include "prover/memory.hpp"

#include <algorithm>
#include <bit>

#include "base/buffer.hpp"
#include "statement/plan.hpp"

// What is alive at once in each phase; sizes follow from the statement, but for the width of virtual tensors.
namespace avow::prover {

using statement::AxisId;
using statement::Statement;
using statement::Tensor;
using statement::TensorKind;

namespace {

constexpr std::uint64_t kDigestBytes = sizeof(base::Digest);
constexpr std::uint64_t kElementBytes = sizeof(field::Fp3);
constexpr std::uint64_t kProcess = std::uint64_t{64}
                                   << 20;  // what is there before anything else, small things included

std::uint64_t bytes_of(const statement::Range& range) {
  const unsigned bits = range.bits + (range.is_signed ? 0u : 1u);
  return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
}

class Estimate {
 public:
  Estimate(const Model& model, std::vector<std::uint64_t> lengths, const reduction::DenseLayout& witness)
      : model_(model), s_(model.key().statement), config_(model.key().config), lengths_(std::move(lengths)) {
    columns_ = reduction::columns(witness);
    groups_ = witness.log_groups.size() + (model.opened() ? model.opened()->groups.size() : 0);
  }

  [[nodiscard]] std::uint64_t total() const {
    // What a phase gives back is kept for those after it, which ask for other sizes.
    const std::uint64_t idle = std::min<std::uint64_t>(encoding() + lookups(), base::kKeptMemory);
    return kProcess + model_.memory_bytes() + arrays() + witness() + idle +
           std::max({encoding(), lookups(), opening()});
  }

 private:
  [[nodiscard]] std::uint64_t cells(std::span<const AxisId> axes) const {
    std::uint64_t count = 1;
    for (const AxisId axis : axes) count = statement::saturating_product(count, lengths_[axis]);
    return count;
  }
  // The same with the padding that lies between them.
  [[nodiscard]] std::uint64_t padded_cells(std::span<const AxisId> axes) const {
    std::uint64_t last = 0;
    for (const AxisId axis : axes) last = last * std::bit_ceil(lengths_[axis]) + lengths_[axis] - 1;
    return last + 1;
  }
  [[nodiscard]] std::uint64_t rows() const { return std::uint64_t{1} << config_.log_rows; }

  // Tensors of the proof, and what is looked up.
  [[nodiscard]] std::uint64_t arrays() const {
    constexpr std::uint64_t kVirtualBytes = 4;  // most are sums and remainders of a few bytes
    std::uint64_t bytes = 0;
    for (const Tensor& tensor : s_.tensors) {
      if (tensor.kind == TensorKind::kWitness) bytes += cells(tensor.axes) * bytes_of(tensor.range);
      if (tensor.kind == TensorKind::kVirtual) bytes += cells(tensor.axes) * kVirtualBytes;
    }
    for (const auto& lookup : s_.lookups) {
      for (const auto& entry : lookup.tuple) {
        if (entry.size() != 1 || entry[0].coefficient != 1) bytes += cells(lookup.axes) * 2;
      }
    }
    return bytes;
  }
  // Its cells in the order of the commitment, and the tree.
  [[nodiscard]] std::uint64_t witness() const {
    constexpr std::uint64_t kDenseBytes = 4;
    return columns_ * rows() * kDenseBytes + (2 * kDigestBytes * rows() << config_.oracles[0].log_inv_rate);
  }
  // A coset of codewords.
  [[nodiscard]] std::uint64_t encoding() const { return columns_ * rows() * sizeof(field::Fp); }

  // The layers above the second take 24 bytes a cell together. The lowest one, folded once and again, takes 12 and 6
  // where numerators are one, twice as much elsewhere. Padding between cells takes none, but in tables.
  [[nodiscard]] std::uint64_t lookups() const {
    std::uint64_t tree = 0, bottom = 0;
    const auto add = [&](std::uint64_t stored, bool ones) {
      tree += kElementBytes * stored;
      bottom += stored * kElementBytes * (ones ? 3 : 6) / 4;
    };
    for (const auto& table : s_.tables) add(padded_cells(table.axes), false);
    for (const auto& lookup : s_.lookups) add(cells(lookup.axes), !lookup.mask);
    return std::max(tree, bottom);
  }

  // Polynomial and weight of every group, then those of the joined columns with the first of the later oracles.
  [[nodiscard]] std::uint64_t opening() const {
    const std::uint64_t polynomial = kElementBytes * rows();
    const std::uint64_t fold = std::uint64_t{1} << config_.oracles[1].log_fold;
    const std::uint64_t tree = 2 * kDigestBytes * (rows() << config_.oracles[1].log_inv_rate) / fold;
    return std::max(2 * polynomial * groups_, 5 * polynomial + tree);
  }

  const Model& model_;
  const Statement& s_;
  const pcs::Config& config_;
  std::vector<std::uint64_t> lengths_;
  std::uint64_t columns_ = 0;
  std::uint64_t groups_ = 0;
};

}  // namespace

std::optional<std::uint64_t> estimate_memory(const Model& model, std::span<const std::uint64_t> lengths) {
  const Statement& s = model.key().statement;
  std::vector<std::uint64_t> all;
  std::size_t next = 0;
  for (AxisId axis = 0; axis < s.axes.size(); ++axis) {
    const auto& a = s.axes[s.root(axis)];
    if (s.axes[axis].kind == statement::AxisKind::kAlias) {
      all.push_back(all[s.root(axis)]);
      continue;
    }
    if (a.kind == statement::AxisKind::kParameter) {
      if (next == lengths.size() || lengths[next] == 0 || lengths[next] > a.length) return std::nullopt;
      all.push_back(lengths[next++]);
    } else {
      all.push_back(a.length);
    }
  }
  if (next != lengths.size()) return std::nullopt;
  const auto& config = model.key().config;
  const auto witness = reduction::dense_layout(s, all, TensorKind::kWitness, config.log_rows, config.max_log_columns);
  if (!witness) return std::nullopt;
  return Estimate(model, std::move(all), witness.value()).total();
}

}  // namespace avow::prover
