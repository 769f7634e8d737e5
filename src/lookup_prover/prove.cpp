// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/prove.hpp"

#include <optional>

#include "base/check.hpp"
#include "field/factor.hpp"
#include "lookup/messages.hpp"
#include "lookup_prover/sumcheck.hpp"

namespace avow::lookup {
namespace {

using field::kOne3;
using transcript::Transcript;

Fp3 between(const Fp3& at0, const Fp3& at1, const Fp3& r) { return at0 + r * (at1 - at0); }

bool fits(const Column& column, const ColumnData& data) {
  const std::size_t cells = data.size();
  if (cells > std::size_t{1} << column.log_size) return false;
  if (const auto* ints = std::get_if<std::span<const std::int32_t>>(&data.numerators)) return ints->size() == cells;
  if (const auto* elements = std::get_if<std::span<const Fp3>>(&data.numerators)) return elements->size() == cells;
  return true;
}

class Prover {
 public:
  Prover(Transcript& transcript, const Config& config, std::span<const ColumnData> columns, ProveTimes* times,
         const Faults& faults)
      : transcript_(transcript),
        config_(config),
        columns_(columns),
        times_(times),
        faults_(faults),
        layout_(make_layout(config)) {}

  Proved run() {
    transcript_.absorb_bytes(messages::kStatement, encode(config_));
    const auto start = std::chrono::steady_clock::now();
    build_tree();
    const auto built = std::chrono::steady_clock::now();
    send_top();
    for (unsigned k = top_log(layout_.log_cells); k + 1 < layout_.log_cells; ++k) prove_layer(k);
    const auto upper = std::chrono::steady_clock::now();
    column_claims_.resize(config_.columns.size());
    if (layout_.log_cells > kTopLog) {
      prove_layer(layout_.log_cells - 1);
    } else {
      evaluate_columns();
    }
    if (times_ != nullptr) *times_ = {built - start, std::chrono::steady_clock::now() - upper, upper - built};
    send_columns();
    return {std::move(proof_), {std::move(point_), std::move(column_claims_)}};
  }

 private:
  void send(transcript::Label label, std::span<const Fp3> elements) {
    transcript_.absorb(label, elements);
    for (const Fp3& x : elements) {
      std::uint8_t encoded[field::kFp3Bytes];
      field::encode(x, encoded);
      base::append(proof_, encoded);
    }
  }

  // levels_.back() is the top layer, levels_[0] the cells.
  void build_tree() {
    if (layout_.log_cells <= kTopLog) return;
    levels_.push_back(make_leaves(config_, layout_, columns_));
    while (levels_.back().log_size + 1 > kTopLog) levels_.push_back(add_pairs(levels_.back()));
  }

  void send_top() {
    const unsigned log_top = top_log(layout_.log_cells);
    std::vector<Fp3> top(std::size_t{2} << log_top);
    for (std::size_t x = 0; x < top.size() / 2; ++x) top[2 * x + 1] = kOne3;
    if (levels_.empty()) {
      for (std::size_t j = 0; j < columns_.size(); ++j) {
        for (std::uint64_t x = 0; x < std::uint64_t{1} << config_.columns[j].log_size; ++x) {
          const Fraction cell = cell_at(columns_[j], x);
          top[2 * (layout_.offsets[j] + x)] = cell.numerator;
          top[2 * (layout_.offsets[j] + x) + 1] = cell.denominator;
        }
      }
    } else {
      for (std::size_t x = 0; x < top.size() / 2; ++x) {
        const Fraction fraction = fraction_at(levels_.back(), x);
        top[2 * x] = fraction.numerator;
        top[2 * x + 1] = fraction.denominator;
      }
      levels_.pop_back();
    }
    if (faults_.top) faults_.top(top);
    send(messages::kTop, top);
    for (unsigned b = 0; b < log_top; ++b) point_.push_back(transcript_.challenge(messages::kTopPoint));
    const auto eq = field::eq_table(point_);
    for (std::size_t x = 0; x < eq.size(); ++x) {
      numerator_ += eq[x] * top[2 * x];
      denominator_ += eq[x] * top[2 * x + 1];
    }
  }

  // From the claim on layer k to one on layer k + 1, whose fractions are the entries of the level on top.
  void prove_layer(unsigned k) {
    const bool cells = k + 1 == layout_.log_cells;
    const Fp3 join = transcript_.challenge(messages::kJoin);
    Fp3 expected = numerator_ + join * denominator_;
    LayerSumcheck sumcheck(std::move(levels_.back()), point_, join, spare_);
    levels_.pop_back();
    std::vector<Fp3> next(k + 1);
    if (cells) take_columns(sumcheck, 0);
    for (unsigned b = 0; b < k; ++b) {
      const auto [at0, leading] = sumcheck.round();
      // (1 - z) h(0) + z h(1) = expected gives h(1) - h(0), the sum of both coefficients. If z is 0, which happens with
      // probability 1 / |K|, it does not, and the proof will be rejected.
      Fp3 sent[2] = {(expected - at0) * point_[b].inverse() - leading, leading};
      if (faults_.round) faults_.round(k, b, sent[0], sent[1]);
      send(messages::kRound, sent);
      const Fp3 r = transcript_.challenge(messages::kBind);
      expected += (r - point_[b]) * sent[0] + (r * r - point_[b]) * sent[1];
      next[b + 1] = r;
      sumcheck.bind(r);
      if (cells) take_columns(sumcheck, b + 1);
    }
    const LayerSumcheck::Entry entry = sumcheck.entry(0);
    std::array<Fp3, 4> values = {entry.p0, entry.p1, entry.q0, entry.q1};
    if (faults_.layer) faults_.layer(k, values);
    send(messages::kLayer, values);
    next[0] = transcript_.challenge(messages::kMerge);
    numerator_ = between(values[0], values[1], next[0]);
    denominator_ = between(values[2], values[3], next[0]);
    point_ = std::move(next);
    if (cells) merge_columns();
  }

  // A column whose variables are all bound but the lowest is one entry.
  void take_columns(const LayerSumcheck& sumcheck, unsigned bound) {
    entries_.resize(config_.columns.size());
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      if (config_.columns[j].log_size != bound + 1) continue;
      entries_[j] = sumcheck.entry(layout_.offsets[j] >> (bound + 1));
    }
  }
  void merge_columns() {
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      if (config_.columns[j].log_size == 0) {
        const Fraction cell = cell_at(columns_[j], 0);
        column_claims_[j] = {cell.numerator, cell.denominator};
      } else {
        const auto& e = entries_[j];
        column_claims_[j] = {between(e.p0, e.p1, point_[0]), between(e.q0, e.q1, point_[0])};
      }
    }
  }
  // At most 2^kTopLog cells in all.
  void evaluate_columns() {
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      const auto eq = field::eq_table(std::span(point_).first(config_.columns[j].log_size));
      for (std::size_t x = 0; x < eq.size(); ++x) {
        const Fraction cell = cell_at(columns_[j], x);
        column_claims_[j].numerator += eq[x] * cell.numerator;
        column_claims_[j].denominator += eq[x] * cell.denominator;
      }
    }
  }

  void send_columns() {
    if (faults_.columns) faults_.columns(column_claims_);
    std::vector<Fp3> sent;
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      if (config_.columns[j].numerators == Numerators::kSent) sent.push_back(column_claims_[j].numerator);
      sent.push_back(column_claims_[j].denominator);
    }
    send(messages::kColumns, sent);
  }

  Transcript& transcript_;
  const Config& config_;
  std::span<const ColumnData> columns_;
  ProveTimes* times_;
  const Faults& faults_;
  Layout layout_;
  base::Bytes proof_;
  std::vector<Layer> levels_;
  Spare spare_;
  std::vector<Fp3> point_;  // of the claim on the current layer
  Fp3 numerator_;
  Fp3 denominator_;
  std::vector<LayerSumcheck::Entry> entries_;
  std::vector<ColumnClaim> column_claims_;
};

}  // namespace

Proved prove(Transcript& transcript, const Config& config, std::span<const ColumnData> columns, ProveTimes* times,
             const Faults& faults) {
  AVOW_CHECK(is_valid(config) && columns.size() == config.columns.size());
  for (std::size_t j = 0; j < columns.size(); ++j) AVOW_CHECK(fits(config.columns[j], columns[j]));
  return Prover(transcript, config, columns, times, faults).run();
}

}  // namespace avow::lookup
