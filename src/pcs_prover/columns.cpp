// SPDX-License-Identifier: Apache-2.0
#include "pcs_prover/columns.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace avow::pcs {
namespace {

using field::Fp3;
using field::QuadraticSum;

// A term while its group's column variables are being bound. Both arrays run over the group's columns.
struct ColumnTerm {
  const Term* term;
  Fp3 coefficient;          // of claim and term
  std::vector<Fp3> weight;  // column part of the weight
  std::vector<Fp3> dots;    // sum over rows of cell * row part of the weight
};

// A group whose columns are bound, or several that were merged: scale_f * f and scale_w * w are 2^log_rows long.
struct Node {
  std::uint32_t index;  // offset >> round
  Fp3 sum;              // <scale_f f, scale_w w>
  Fp3 scale_f = field::kOne3;
  Fp3 scale_w = field::kOne3;
  std::vector<Fp3> f;
  std::vector<Fp3> w;
};

Fp3 evaluate(const QuadraticSum& h, const Fp3& claim, const Fp3& r) {
  return h.at0 + r * (claim - h.at0 - h.at0 - h.leading + r * h.leading);
}

// The row part of a term's weight on its span, in a scratch vector that grows to the largest: a fresh one of megabytes
// for every term would be paged in again each time.
std::span<const Fp3> row_weights(const RowSpan& span, std::vector<Fp3>& scratch) {
  const std::size_t size = std::size_t{1} << span.factors.size();
  if (scratch.size() < size) scratch.resize(size);
  const auto weights = std::span(scratch).first(size);
  std::fill(weights.begin(), weights.end(), Fp3());
  field::add_tensor(weights, span.factors, field::kOne3);
  return weights;
}

void scale(std::vector<Fp3>& values, const Fp3& factor) {
  if (!(factor == field::kOne3)) field::combine(values, factor, values, Fp3());
}

// Everything about one group until its column variables are bound.
class Group {
 public:
  Group(const Slot& slot, const field::MatrixView& cells) : slot_(slot), cells_(cells) {}

  void add(const Term& term, const Fp3& claim_coefficient, std::vector<Fp3>& scratch) {
    const auto factors = std::span(term.factors);
    const RowSpan span = support(factors.subspan(slot_.log_cols));
    terms_.push_back({&term, claim_coefficient * term.coefficient,
                      field::tensor_table(factors.first(slot_.log_cols), field::kOne3),
                      field::column_dots(cells_, span.first, row_weights(span, scratch))});
  }
  [[nodiscard]] std::uint32_t log_cols() const { return slot_.log_cols; }

  [[nodiscard]] QuadraticSum message() const {
    QuadraticSum total;
    for (const ColumnTerm& t : terms_) {
      const QuadraticSum part = field::sum_products_ref(t.weight, t.dots);
      total.at0 += t.coefficient * part.at0;
      total.leading += t.coefficient * part.leading;
    }
    return total;
  }
  [[nodiscard]] Fp3 sum() const {
    Fp3 total;
    for (const ColumnTerm& t : terms_) {
      for (std::size_t c = 0; c < t.weight.size(); ++c) total += t.coefficient * t.weight[c] * t.dots[c];
    }
    return total;
  }
  void bind(const Fp3& r) {
    for (ColumnTerm& t : terms_) {
      t.weight = field::fold_pairs_ref(t.weight, r);
      t.dots = field::fold_pairs_ref(t.dots, r);
    }
  }
  // All column variables are bound to `point`.
  [[nodiscard]] Node finish(std::span<const Fp3> point) const {
    Node node{slot_.offset >> slot_.log_cols, sum(), field::kOne3, field::kOne3, std::vector<Fp3>(cells_.rows),
              std::vector<Fp3>(cells_.rows)};
    field::add_row_dots(cells_, field::eq_table(point.first(slot_.log_cols)), node.f);
    for (const ColumnTerm& t : terms_) {
      const RowSpan span = support(std::span(t.term->factors).subspan(slot_.log_cols));
      field::add_tensor(std::span(node.w).subspan(span.first, std::size_t{1} << span.factors.size()), span.factors,
                        t.coefficient * t.weight[0]);
    }
    return node;
  }

 private:
  Slot slot_;
  field::MatrixView cells_;
  std::vector<ColumnTerm> terms_;
};

// Two nodes that differ in the bit being bound: a where it is 0, b where it is 1.
struct Pair {
  Node a;
  Node b;
  Fp3 cross;  // <f_a, w_b> + <f_b, w_a>

  Pair(Node first, Node second) : a(std::move(first)), b(std::move(second)) {
    cross =
        a.scale_f * b.scale_w * field::inner_product(a.f, b.w) + b.scale_f * a.scale_w * field::inner_product(b.f, a.w);
  }
  [[nodiscard]] QuadraticSum message() const { return {a.sum, a.sum + b.sum - cross}; }
  [[nodiscard]] Node bind(const Fp3& r) && {
    const Fp3 s = field::kOne3 - r;
    Node node{a.index >> 1,  evaluate(message(), a.sum + b.sum, r), field::kOne3, field::kOne3, std::move(a.f),
              std::move(a.w)};
    field::combine(node.f, s * a.scale_f, b.f, r * b.scale_f);
    field::combine(node.w, s * a.scale_w, b.w, r * b.scale_w);
    return node;
  }
};

// The columns on the other side of the bit do not exist: only the scale changes.
QuadraticSum single_message(const Node& node) { return {(node.index & 1) != 0 ? Fp3() : node.sum, node.sum}; }
void bind_single(Node& node, const Fp3& r) {
  const Fp3 factor = (node.index & 1) != 0 ? r : field::kOne3 - r;
  node.sum *= factor * factor;
  node.scale_f *= factor;
  node.scale_w *= factor;
  node.index >>= 1;
}

}  // namespace

RowSpan support(std::span<const field::Factor> row_factors) {
  RowSpan span{0, row_factors};
  while (!span.factors.empty()) {
    const field::Factor& top = span.factors.back();
    const bool one = top == field::bit_factor(true);
    if (!one && !(top == field::bit_factor(false))) break;
    span.factors = span.factors.first(span.factors.size() - 1);
    if (one) span.first += std::size_t{1} << span.factors.size();
  }
  return span;
}

BoundColumns bind_columns(const JointLayout& layout, std::uint32_t log_rows, std::span<const Opened> opened,
                          std::span<const WeightedClaim> claims, const RoundExchange& exchange) {
  std::vector<Group> groups;
  for (const Slot& slot : layout.slots) groups.emplace_back(slot, opened[slot.commitment].groups[slot.group]);
  std::vector<Fp3> scratch;
  for (const WeightedClaim& weighted : claims) {
    for (const Term& term : weighted.claim->terms) {
      for (std::size_t i = 0; i < groups.size(); ++i) {
        if (layout.slots[i].commitment == term.commitment && layout.slots[i].group == term.group) {
          groups[i].add(term, weighted.coefficient, scratch);
        }
      }
    }
  }

  std::vector<Node> nodes;
  std::vector<Fp3> point;
  const auto collect_finished = [&] {
    for (const Group& group : groups) {
      if (group.log_cols() == point.size()) nodes.push_back(group.finish(point));
    }
  };
  collect_finished();
  while (point.size() < layout.log_columns) {
    std::vector<Pair> pairs;
    std::vector<Node> singles;
    while (!nodes.empty()) {
      Node node = std::move(nodes.back());
      nodes.pop_back();
      const auto sibling =
          std::find_if(nodes.begin(), nodes.end(), [&](const Node& n) { return n.index == (node.index ^ 1); });
      if (sibling == nodes.end()) {
        singles.push_back(std::move(node));
        continue;
      }
      Node other = std::move(*sibling);
      nodes.erase(sibling);
      if ((node.index & 1) != 0) std::swap(node, other);
      pairs.emplace_back(std::move(node), std::move(other));
    }

    QuadraticSum message;
    const auto add = [&](const QuadraticSum& part) {
      message.at0 += part.at0;
      message.leading += part.leading;
    };
    for (const Group& group : groups) {
      if (group.log_cols() > point.size()) add(group.message());
    }
    for (const Pair& pair : pairs) add(pair.message());
    for (const Node& node : singles) add(single_message(node));

    const Fp3 r = exchange(message);
    for (Group& group : groups) {
      if (group.log_cols() > point.size()) group.bind(r);
    }
    for (Pair& pair : pairs) nodes.push_back(std::move(pair).bind(r));
    for (Node& node : singles) {
      bind_single(node, r);
      nodes.push_back(std::move(node));
    }
    point.push_back(r);
    collect_finished();
  }
  AVOW_CHECK(nodes.size() == 1 && nodes[0].f.size() == std::size_t{1} << log_rows);
  scale(nodes[0].f, nodes[0].scale_f);
  scale(nodes[0].w, nodes[0].scale_w);
  return {std::move(nodes[0].f), std::move(nodes[0].w)};
}

}  // namespace avow::pcs
