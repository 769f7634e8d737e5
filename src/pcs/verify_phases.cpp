// SPDX-License-Identifier: Apache-2.0
#include "pcs/verify_phases.hpp"

#include "hash/keccak.hpp"
#include "merkle/tree.hpp"
#include "pcs/messages.hpp"
#include "pcs/positions.hpp"
#include "pcs/reader.hpp"

namespace avow::pcs {
namespace {

using base::ByteView;
using base::Digest;
using base::Err;
using field::Fp;
using field::Fp3;
using transcript::Transcript;

Check check_of(ReadError error) { return error == ReadError::kTruncated ? Check::kTruncated : Check::kNonCanonical; }

// The multilinear extension of x -> z^x: product of 1 - r_b + r_b z^(2^b).
template <typename F>
Fp3 power_weight(F z, std::span<const Fp3> variables) {
  Fp3 product = field::kOne3;
  for (const Fp3& r : variables) {
    product *= field::kOne3 - r + r * z;
    z *= z;
  }
  return product;
}

// The weights that fold a row of a commitment's tree: eq(column variables, column of the joint index), group by group.
std::vector<Fp3> base_row_weights(std::span<const CommitmentKey> keys, std::uint32_t tree, std::span<const Fp3> point) {
  const JointLayout layout = joint_layout(keys);
  const auto column_point = point.first(layout.log_columns);
  std::vector<Fp3> weights;
  weights.reserve(columns(keys[tree].log_groups));
  for (const Slot& slot : layout.slots) {  // a commitment's slots lie in the order of its groups
    if (slot.commitment != tree) continue;
    Fp3 scale = field::kOne3;
    for (std::size_t b = slot.log_cols; b < layout.log_columns; ++b) {
      scale *= ((slot.offset >> b) & 1) != 0 ? column_point[b] : field::kOne3 - column_point[b];
    }
    for (const Fp3& weight : field::eq_table(column_point.first(slot.log_cols))) weights.push_back(scale * weight);
  }
  return weights;
}

/// A phase at work: reads its section and changes transcript and state. Functions say whether the proof may still hold;
/// if not, rejection() is set.
class Step {
 public:
  Step(Transcript& transcript, const Config& config, std::span<const CommitmentKey> keys, OpeningState state,
       ByteView section)
      : transcript_(transcript), config_(config), keys_(keys), reader_(section), state_(std::move(state)) {}

  [[nodiscard]] const std::optional<Rejection>& rejection() const noexcept { return rejection_; }
  /// The state that the phase leaves, given what its function said. Called once.
  [[nodiscard]] base::Result<OpeningState, Rejection> result(bool good) {
    if (!good) return Err{*rejection_};
    return std::move(state_);
  }

  bool start(std::span<const Fp3> values);
  bool oracle();
  bool rows();
  bool sumcheck_of_oracle();
  bool final_coefficients();
  bool final_rows();
  bool finish(std::span<const Claim> claims);

 private:
  // Whether the whole section was read.
  bool exhausted(std::size_t oracle) { return reader_.remaining() == 0 || reject(Check::kTrailingBytes, oracle); }
  bool reject(Check check, std::size_t oracle) {
    rejection_ = Rejection{check, static_cast<std::uint32_t>(oracle)};
    return false;
  }
  bool reader_ok(std::size_t oracle) { return !reader_.failure() || reject(check_of(*reader_.failure()), oracle); }
  bool sumcheck(std::size_t rounds, std::uint32_t grinding_bits, std::size_t oracle, transcript::Label message,
                transcript::Label challenge);
  bool query(std::size_t oracle, std::vector<std::uint32_t>& positions);
  bool open_rows(const RowsPart& part, const Digest& root, std::vector<ByteView>& leaves);
  [[nodiscard]] std::vector<Fp3> later_row_weights(std::size_t oracle) const {
    return field::eq_table(std::span(state_.point).last(config_.oracles[oracle].log_fold));
  }
  Fp3 fold_base_row(ByteView row, std::span<const Fp3> weights);
  Fp3 fold_row(ByteView row, std::span<const Fp3> weights);
  [[nodiscard]] Fp3 joined_weight(std::span<const Claim> claims) const;

  Transcript& transcript_;
  const Config& config_;
  std::span<const CommitmentKey> keys_;
  Reader reader_;
  OpeningState state_;
  std::optional<Rejection> rejection_;
};

bool Step::start(std::span<const Fp3> values) {
  state_.join = transcript_.challenge(messages::kJoin);
  Fp3 power = field::kOne3;
  const auto add = [&](const Fp3& value) {
    state_.claim += power * value;
    power *= state_.join;
  };
  for (const CommitmentKey& key : keys_) add(key.ood_value);
  for (const Fp3& value : values) add(value);
  return sumcheck(log_columns(keys_), config_.oracles[0].fold_grinding_bits, 0, messages::kSumcheck, messages::kFold) &&
         exhausted(0);
}

// `rounds` variables: h(0) and the leading coefficient of h are sent, h(1) = claim - h(0).
bool Step::sumcheck(std::size_t rounds, std::uint32_t grinding_bits, std::size_t oracle, transcript::Label message,
                    transcript::Label challenge) {
  for (std::size_t i = 0; i < rounds; ++i) {
    const Fp3 sent[2] = {reader_.element(), reader_.element()};
    if (!reader_ok(oracle)) return false;
    transcript_.absorb(message, sent);
    if (grinding_bits > 0) {
      const std::uint64_t nonce = reader_.be64();
      if (!reader_ok(oracle)) return false;
      if (!transcript_.absorb_nonce(messages::kFoldNonce, grinding_bits, nonce)) {
        return reject(Check::kFoldGrinding, oracle);
      }
    }
    const Fp3 r = transcript_.challenge(challenge);
    const Fp3 linear = state_.claim - sent[0] - sent[0] - sent[1];
    state_.claim = sent[0] + r * (linear + r * sent[1]);
    state_.point.push_back(r);
  }
  return true;
}

// Rows are not part of the transcript, so the combining challenge can be drawn before they are read. Then each row is
// added to the claim when it is read, and no folded value has to be kept.
bool Step::oracle() {
  const Digest root = reader_.digest();
  if (!reader_ok(state_.oracle)) return false;
  transcript_.absorb_digest(messages::kOracleRoot, root);
  AddedWeight added;
  added.ood_point = transcript_.challenge(messages::kOracleOodPoint);
  const Fp3 ood_value = reader_.element();
  if (!reader_ok(state_.oracle)) return false;
  transcript_.absorb(messages::kOracleOodValue, std::span(&ood_value, 1));
  if (!query(state_.oracle - 1, added.positions) || !exhausted(state_.oracle)) return false;
  added.gamma = transcript_.challenge(messages::kCombine);
  state_.claim += added.gamma * ood_value;
  state_.added.push_back(std::move(added));
  state_.roots.push_back(root);
  state_.phase = Phase::kRows;
  return true;
}

// Checks the grinding nonce before oracle `oracle`'s positions and draws them.
bool Step::query(std::size_t oracle, std::vector<std::uint32_t>& positions) {
  const std::uint32_t bits = config_.oracles[oracle].query_grinding_bits;
  if (bits > 0) {
    const std::uint64_t nonce = reader_.be64();
    if (!reader_ok(oracle)) return false;
    if (!transcript_.absorb_nonce(messages::kQueryNonce, bits, nonce)) return reject(Check::kQueryGrinding, oracle);
  }
  positions = draw_positions(transcript_, config_, oracle);
  return true;
}

bool Step::rows() {
  const RowsPart part = rows_part(config_, keys_, state_);
  const bool base = part.oracle == 0;
  std::vector<ByteView> leaves;
  if (!open_rows(part, base ? keys_[state_.tree].root : state_.roots.front(), leaves)) return false;
  const auto weights = base ? base_row_weights(keys_, state_.tree, state_.point) : later_row_weights(part.oracle);
  const Fp3& gamma = state_.added.back().gamma;
  Fp3 power = gamma;
  for (std::size_t q = 0; q < part.first; ++q) power *= gamma;
  for (const ByteView leaf : leaves) {
    power *= gamma;
    state_.claim += power * (base ? fold_base_row(leaf, weights) : fold_row(leaf, weights));
  }
  if (!reader_ok(part.oracle) || !exhausted(part.oracle)) return false;
  if (!part.is_last()) return true;
  state_.rows.clear();
  if (base && ++state_.tree < keys_.size()) return true;
  state_.tree = 0;
  if (!base) state_.roots.erase(state_.roots.begin());
  state_.phase = Phase::kSumcheck;
  return true;
}

// Reads the leaves of a part, and adds their digests to the state's; behind the last ones the multi-proof's hashes, and
// checks all digests against the root.
bool Step::open_rows(const RowsPart& part, const Digest& root, std::vector<ByteView>& leaves) {
  const std::uint32_t depth = config_.log_domain(part.oracle);
  const std::size_t hashes = part.is_last() ? merkle::proof_length(depth, part.positions) : 0;
  if (!reader_.has((part.end - part.first) * part.leaf_bytes + hashes * sizeof(Digest))) return reader_ok(part.oracle);
  for (std::size_t q = part.first; q < part.end; ++q) {
    leaves.push_back(reader_.bytes(part.leaf_bytes));
    state_.rows.push_back(hash::keccak256(leaves.back()));
  }
  if (!part.is_last()) return true;
  std::vector<Digest> siblings(hashes);
  for (Digest& sibling : siblings) sibling = reader_.digest();
  return merkle::root_of(depth, part.positions, state_.rows, siblings) == root || reject(Check::kMerkle, part.oracle);
}

Fp3 Step::fold_base_row(ByteView row, std::span<const Fp3> weights) {
  Fp3 sum;
  for (std::size_t c = 0; c < weights.size(); ++c) sum += weights[c] * reader_.base_at(row.data() + 8 * c);
  return sum;
}

Fp3 Step::fold_row(ByteView row, std::span<const Fp3> weights) {
  Fp3 sum;
  for (std::size_t c = 0; c < weights.size(); ++c) {
    sum += weights[c] * reader_.element_at(row.data() + field::kFp3Bytes * c);
  }
  return sum;
}

bool Step::sumcheck_of_oracle() {
  const OracleConfig& oracle = config_.oracles[state_.oracle];
  if (!sumcheck(oracle.log_fold, oracle.fold_grinding_bits, state_.oracle, messages::kSumcheck, messages::kFold)) {
    return false;
  }
  if (!exhausted(state_.oracle)) return false;
  if (state_.oracle + 1 < config_.oracles.size()) {
    ++state_.oracle;
    state_.phase = Phase::kOracle;
  } else {
    state_.phase = Phase::kFinal;
  }
  return true;
}

bool Step::final_coefficients() {
  const std::size_t count = std::size_t{1} << config_.final_log_len();
  if (!reader_.has(count * field::kFp3Bytes)) return reader_ok(state_.oracle);
  state_.final_coefficients.resize(count);
  for (Fp3& c : state_.final_coefficients) c = reader_.element();
  if (!reader_ok(state_.oracle)) return false;
  transcript_.absorb(messages::kFinal, state_.final_coefficients);
  if (!query(state_.oracle, state_.final_positions) || !exhausted(state_.oracle)) return false;
  state_.phase = Phase::kFinalRows;
  return true;
}

bool Step::final_rows() {
  const std::size_t oracle = state_.oracle;
  const RowsPart part = rows_part(config_, keys_, state_);
  std::vector<ByteView> leaves;
  if (!open_rows(part, state_.roots.front(), leaves)) return false;
  const auto weights = later_row_weights(oracle);
  std::vector<Fp3> folded;
  for (const ByteView leaf : leaves) folded.push_back(fold_row(leaf, weights));
  if (!reader_ok(oracle)) return false;
  for (std::size_t q = 0; q < folded.size(); ++q) {
    const Fp x = field::domain_point(config_.log_domain(oracle), part.positions[part.first + q]);
    Fp3 value;
    for (std::size_t i = state_.final_coefficients.size(); i-- > 0;) value = value * x + state_.final_coefficients[i];
    if (!(value == folded[q])) return reject(Check::kFinalFold, oracle);
  }
  if (!exhausted(oracle)) return false;
  if (!part.is_last()) return true;
  state_.rows.clear();
  state_.roots.clear();
  state_.final_positions.clear();
  state_.phase = Phase::kFinish;
  return true;
}

bool Step::finish(std::span<const Claim> claims) {
  const std::size_t first_final_variable = state_.point.size();
  if (!sumcheck(config_.final_log_len(), 0, state_.oracle, messages::kFinalSumcheck, messages::kFinalFold)) {
    return false;
  }
  if (!exhausted(state_.oracle)) return false;
  const auto eq = field::eq_table(std::span(state_.point).subspan(first_final_variable));
  Fp3 value;
  for (std::size_t i = 0; i < eq.size(); ++i) value += eq[i] * state_.final_coefficients[i];
  return value * joined_weight(claims) == state_.claim || reject(Check::kFinalClaim, state_.oracle);
}

// The joined weight at the point of all challenges.
Fp3 Step::joined_weight(std::span<const Claim> claims) const {
  const JointLayout layout = joint_layout(keys_);
  Fp3 weight;
  Fp3 power = field::kOne3;
  const auto add = [&](const Claim& claim) {
    for (const Term& term : claim.terms) weight += power * evaluate_weight(layout, term, state_.point);
    power *= state_.join;
  };
  for (std::uint32_t k = 0; k < keys_.size(); ++k) add(ood_claim(keys_[k], k, config_.log_rows));
  for (const Claim& claim : claims) add(claim);
  for (std::size_t i = 0; i < state_.added.size(); ++i) {
    const AddedWeight& added = state_.added[i];
    const auto variables = std::span(state_.point).last(config_.log_len(i + 1));
    power = added.gamma;
    weight += power * power_weight(added.ood_point, variables);
    for (const std::uint32_t position : added.positions) {
      power *= added.gamma;
      weight += power * power_weight(field::domain_point(config_.log_domain(i), position), variables);
    }
  }
  return weight;
}

// Whether the points of keys that are made once are those that their roots fix.
bool points_are_fixed(const Config& config, std::span<const CommitmentKey> keys) {
  const Digest protocol = protocol_id(config);
  for (const CommitmentKey& key : keys) {
    if (key.made_once && !(key.ood_point == fixed_ood_point(protocol, key.log_groups, key.root))) return false;
  }
  return true;
}

}  // namespace

base::Result<OpeningState, Rejection> start_opening(Transcript& transcript, const Config& config,
                                                    std::span<const CommitmentKey> keys, std::span<const Fp3> values,
                                                    ByteView section) {
  if (validate(config) != ConfigError::kNone) return Err{Rejection{Check::kConfig, 0}};
  if (!keys_are_valid(keys, config.max_log_columns)) return Err{Rejection{Check::kKey, 0}};
  if (!points_are_fixed(config, keys)) return Err{Rejection{Check::kKey, 0}};
  absorb_statement(transcript, config, keys, values);
  Step step(transcript, config, keys, {}, section);
  return step.result(step.start(values));
}

base::Result<OpeningState, Rejection> continue_opening(Transcript& transcript, const Config& config,
                                                       std::span<const CommitmentKey> keys, OpeningState state,
                                                       ByteView section) {
  if (!is_valid(config, keys, state)) return Err{Rejection{Check::kState, 0}};
  const Phase phase = state.phase;
  Step step(transcript, config, keys, std::move(state), section);
  switch (phase) {
    case Phase::kOracle:
      return step.result(step.oracle());
    case Phase::kRows:
      return step.result(step.rows());
    case Phase::kSumcheck:
      return step.result(step.sumcheck_of_oracle());
    case Phase::kFinal:
      return step.result(step.final_coefficients());
    case Phase::kFinalRows:
      return step.result(step.final_rows());
    case Phase::kFinish:
      break;
  }
  return Err{Rejection{Check::kState, 0}};
}

std::optional<Rejection> finish_opening(Transcript& transcript, const Config& config,
                                        std::span<const CommitmentKey> keys, std::span<const Claim> claims,
                                        OpeningState state, ByteView section) {
  if (!is_valid(config, keys, state) || state.phase != Phase::kFinish) return Rejection{Check::kState, 0};
  if (!claims_are_valid(keys, claims, config.log_rows)) return Rejection{Check::kClaim, 0};
  Step step(transcript, config, keys, std::move(state), section);
  return step.finish(claims) ? std::nullopt : step.rejection();
}

}  // namespace avow::pcs
