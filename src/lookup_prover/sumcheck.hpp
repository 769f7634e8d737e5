// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "lookup_prover/halving.hpp"
#include "lookup_prover/layers.hpp"

namespace avow::lookup {

/// The prover's side of one layer's sumcheck (spec/lookup.md, section 4): over the entries x of the layer below,
///
///   sum over x of eq(z, x) (p0(x) q1(x) + q0(x) p1'(x)),   p1' = p1 + join q1.
///
/// Rounds bind the lowest variable. Entries that are one column's inverses (p0 = p1 = 1) keep no numerators and are
/// summed as join (q0 + 1/join) (q1 + 1/join) - 1/join, one product instead of two.
class LayerSumcheck {
 public:
  /// `point` is z, one coordinate for each variable of the layer's entries, at least one. `join` is not zero. `spare`
  /// must outlive this.
  LayerSumcheck(Layer layer, std::span<const Fp3> point, const Fp3& join, Spare& spare);

  /// The round's polynomial h without the factor eq of the round's variable and of those bound before: its value at 0
  /// and its coefficient of X^2. Not after the last variable was bound.
  [[nodiscard]] const field::QuadraticSum& round() const noexcept { return round_; }
  /// Binds the round's variable.
  void bind(const Fp3& r);

  /// What has become of entry `index`, once its segment is in the tail: p0, p1, q0, q1 at the challenges so far.
  struct Entry {
    Fp3 p0, p1, q0, q1;
  };
  [[nodiscard]] Entry entry(std::uint64_t index) const;

 private:
  struct Weights;
  struct Sums;
  [[nodiscard]] Weights make_weights() const;
  void first_round();
  void add_pairs(const Segment& segment, const Item& item, const Fractions& f, const Weights& weights,
                 Sums& sums) const;
  void add_edge(const Segment& segment, std::size_t run, const Fractions& f, std::size_t pair, const Fp3& weight,
                Sums& sums) const;
  [[nodiscard]] const Segment& old_segment(std::size_t number) const;
  struct EdgePair;
  [[nodiscard]] EdgePair edge_pair(const Segment& segment, std::size_t run, const Fp3& q1) const;
  [[nodiscard]] Edge fold_edge(const Segment& old, std::size_t run, const Fp3& q1, const Fp3& r) const;
  void fold_pairs(Halving& plan, const Item& item, const Fp3& r, Scratch& scratch) const;
  void fold_ones(Halving& plan, const Item& item, const Fractions& f, const Fp3& r) const;
  void finish(const Sums& sums);

  Layer layer_;
  std::vector<Fp3> point_;
  std::size_t bound_ = 0;
  Fp3 join_;
  Fp3 shift_;  // 1 / join
  Spare& spare_;
  field::QuadraticSum round_{};
};

}  // namespace avow::lookup
