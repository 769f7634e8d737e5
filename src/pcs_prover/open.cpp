// SPDX-License-Identifier: Apache-2.0
#include "pcs_prover/open.hpp"

#include <memory>

#include "base/check.hpp"
#include "field/kernels.hpp"
#include "merkle/tree.hpp"
#include "pcs/messages.hpp"
#include "pcs/positions.hpp"
#include "pcs/verify.hpp"
#include "pcs_prover/columns.hpp"
#include "pcs_prover/grind.hpp"

namespace avow::pcs {
namespace {

using field::Fp;
using field::Fp3;
using transcript::Transcript;

// Adds the time of its own life to a total.
class Timer {
 public:
  explicit Timer(std::chrono::nanoseconds& total) : total_(total) {}
  ~Timer() { total_ += std::chrono::steady_clock::now() - start_; }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  std::chrono::nanoseconds& total_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

class Prover {
 public:
  Prover(Transcript& transcript, const Config& config, std::span<const Opened> opened, const Faults& faults)
      : transcript_(transcript), config_(config), opened_(opened), faults_(faults) {}

  base::Bytes run(std::span<const Claim> claims, OpenTimes& times) {
    {
      const Timer timer(times.columns);
      bind(claims);
    }
    for (std::size_t i = 1; i < config_.oracles.size(); ++i) oracle_round(i, times);
    final_round(times);
    return std::move(proof_);
  }

 private:
  void bind(std::span<const Claim> claims) {
    std::vector<CommitmentKey> keys;
    std::vector<Claim> ood;
    for (const Opened& opened : opened_) {
      ood.push_back(ood_claim(opened.key, static_cast<std::uint32_t>(keys.size()), config_.log_rows));
      keys.push_back(opened.key);
    }
    absorb_statement(transcript_, config_, keys, claims);
    const Fp3 join = transcript_.challenge(messages::kJoin);
    std::vector<WeightedClaim> weighted;
    Fp3 power = field::kOne3;
    const auto add = [&](const Claim& claim) {
      weighted.push_back({power, &claim});
      power *= join;
    };
    for (const Claim& claim : ood) add(claim);
    for (const Claim& claim : claims) add(claim);
    auto bound =
        bind_columns(joint_layout(keys), config_.log_rows, opened_, weighted, [&](const field::QuadraticSum& message) {
          return exchange(message, config_.oracles[0], messages::kSumcheck, messages::kFold);
        });
    polynomial_ = std::move(bound.polynomial);
    weight_ = std::move(bound.weight);
  }

  void put(const Fp3& x) {
    std::uint8_t bytes[field::kFp3Bytes];
    field::encode(x, bytes);
    base::append(proof_, bytes);
  }

  // One sumcheck round: the message out, the challenge back.
  Fp3 exchange(field::QuadraticSum message, const OracleConfig& oracle, transcript::Label label,
               transcript::Label challenge) {
    if (faults_.sumcheck) faults_.sumcheck(point_.size(), message.at0, message.leading);
    const Fp3 sent[2] = {message.at0, message.leading};
    put(sent[0]);
    put(sent[1]);
    transcript_.absorb(label, sent);
    if (oracle.fold_grinding_bits > 0) send_nonce(messages::kFoldNonce, oracle.fold_grinding_bits, faults_.fold_nonce);
    point_.push_back(transcript_.challenge(challenge));
    return point_.back();
  }

  void send_nonce(transcript::Label label, unsigned bits, const std::function<void(std::uint64_t&)>& fault) {
    std::uint64_t nonce = grind(transcript_.nonce_prefix(label), bits);
    if (fault) fault(nonce);
    base::append_be64(proof_, nonce);
    static_cast<void>(transcript_.absorb_nonce(label, bits, nonce));
  }

  void sumcheck(std::size_t rounds, const OracleConfig& oracle, transcript::Label label, transcript::Label challenge) {
    for (std::size_t i = 0; i < rounds; ++i) {
      const Fp3 r = exchange(field::sum_products(polynomial_, weight_), oracle, label, challenge);
      polynomial_ = field::fold_pairs(polynomial_, r);
      weight_ = field::fold_pairs(weight_, r);
    }
  }

  void oracle_round(std::size_t i, OpenTimes& times) {
    const OracleConfig& oracle = config_.oracles[i];
    const base::Digest root = commit(i, times);
    base::append(proof_, root);
    transcript_.absorb_digest(messages::kOracleRoot, root);
    const Fp3 ood_point = transcript_.challenge(messages::kOracleOodPoint);
    const auto factors = field::power_factors(ood_point, config_.log_len(i));
    answer(i, factors);

    const auto positions = query(i - 1, times);
    send_rows(i - 1, positions, times);
    {
      const Timer timer(times.sumcheck);
      const Fp3 gamma = transcript_.challenge(messages::kCombine);
      std::vector<Fp> points;
      std::vector<Fp3> coefficients;
      Fp3 power = gamma;
      for (const std::uint32_t p : positions) {
        points.push_back(field::domain_point(config_.log_domain(i - 1), p));
        coefficients.push_back(power *= gamma);
      }
      field::add_tensor(weight_, factors, gamma);
      field::add_powers(weight_, points, coefficients);
      sumcheck(oracle.log_fold, oracle, messages::kSumcheck, messages::kFold);
    }
  }

  // Commits to the polynomial as oracle i.
  base::Digest commit(std::size_t i, OpenTimes& times) {
    const Timer timer(times.encode);
    if (faults_.polynomial) faults_.polynomial(i, polynomial_);
    Committed next{polynomial_, nullptr};
    const OracleConfig& oracle = config_.oracles[i];
    const auto cells = field::MatrixView::of(std::span<const Fp3>(next.polynomial), std::size_t{1} << oracle.log_fold);
    next.oracle = std::make_unique<TreeOracle>(config_.log_len(i + 1), oracle.log_inv_rate, std::vector{cells});
    committed_.push_back(std::move(next));
    return committed_.back().oracle->root();
  }

  // Answers the out-of-domain question about the polynomial.
  void answer(std::size_t oracle, std::span<const field::Factor> factors) {
    std::vector<Fp3> powers(polynomial_.size());
    field::add_tensor(powers, factors, field::kOne3);
    Fp3 value = field::inner_product(powers, polynomial_);
    if (faults_.ood_value) faults_.ood_value(oracle, value);
    put(value);
    transcript_.absorb(messages::kOracleOodValue, std::span(&value, 1));
  }

  std::vector<std::uint32_t> query(std::size_t oracle, OpenTimes& times) {
    const Timer timer(times.grinding);
    const std::uint32_t bits = config_.oracles[oracle].query_grinding_bits;
    if (bits > 0) send_nonce(messages::kQueryNonce, bits, faults_.query_nonce);
    return draw_positions(transcript_, config_, oracle);
  }

  void send_rows(std::size_t oracle, std::span<const std::uint32_t> positions, OpenTimes& times) {
    const Timer timer(times.rows);
    const auto send = [&](const Oracle& o) {
      auto words = o.rows(positions);
      if (faults_.rows) faults_.rows(oracle, words);
      for (const std::uint64_t word : words) base::append_be64(proof_, word);
      for (const base::Digest& sibling : merkle::open(o.heap(), positions)) base::append(proof_, sibling);
    };
    if (oracle == 0) {
      for (const Opened& opened : opened_) send(*opened.oracle);
    } else {
      send(*committed_[oracle - 1].oracle);
      committed_[oracle - 1] = {};  // opened once only
    }
  }

  void final_round(OpenTimes& times) {
    if (faults_.final_polynomial) faults_.final_polynomial(polynomial_);
    for (const Fp3& c : polynomial_) put(c);
    transcript_.absorb(messages::kFinal, polynomial_);
    const std::size_t last = config_.oracles.size() - 1;
    const auto positions = query(last, times);
    send_rows(last, positions, times);
    sumcheck(config_.final_log_len(), OracleConfig{}, messages::kFinalSumcheck, messages::kFinalFold);
  }

  Transcript& transcript_;
  const Config& config_;
  std::span<const Opened> opened_;
  const Faults& faults_;
  base::Bytes proof_;
  std::vector<Fp3> polynomial_;
  std::vector<Fp3> weight_;
  std::vector<Fp3> point_;
  // Oracles 1, 2, ...: a vector keeps its cells where they are when it is moved, as the tree's view of them needs.
  struct Committed {
    std::vector<Fp3> polynomial;
    std::unique_ptr<Oracle> oracle;
  };
  std::vector<Committed> committed_;
};

}  // namespace

Fp3 evaluate_claim(std::span<const Opened> opened, const Claim& claim) {
  Fp3 value;
  for (const Term& term : claim.terms) {
    const Opened& commitment = opened[term.commitment];
    const std::size_t log_cols = commitment.key.log_groups[term.group];
    const auto factors = std::span(term.factors);
    const RowSpan span = support(factors.subspan(log_cols));
    std::vector<Fp3> weights(std::size_t{1} << span.factors.size());
    field::add_tensor(weights, span.factors, field::kOne3);
    const auto dots = field::column_dots(commitment.groups[term.group], span.first, weights);
    const auto columns = field::tensor_table(factors.first(log_cols), term.coefficient);
    for (std::size_t c = 0; c < dots.size(); ++c) value += columns[c] * dots[c];
  }
  return value;
}

Fp3 ood_value(std::span<const field::MatrixView> groups, const Fp3& point) {
  Opened opened{{}, {groups.begin(), groups.end()}, nullptr};
  std::uint32_t log_rows = 0;
  while (std::size_t{1} << log_rows < groups[0].rows) ++log_rows;
  std::size_t cols = 0;
  for (const auto& group : groups) cols += group.cols;
  opened.key.log_groups = groups_of(cols);
  opened.key.ood_point = point;
  return evaluate_claim(std::span(&opened, 1), ood_claim(opened.key, 0, log_rows));
}

CommitmentKey send_commitment(Transcript& transcript, const Oracle& oracle, std::span<const field::MatrixView> groups) {
  // The point depends on the root alone, so the answer can be computed before both are absorbed.
  auto preview = transcript.fork();
  preview.record(nullptr);
  std::size_t cols = 0;
  for (const auto& group : groups) cols += group.cols;
  const auto log_groups = groups_of(cols);
  const Fp3 point = receive_commitment(preview, oracle.root(), log_groups, Fp3()).ood_point;
  return receive_commitment(transcript, oracle.root(), log_groups, ood_value(groups, point));
}

base::Bytes open(Transcript& transcript, const Config& config, std::span<const Opened> opened,
                 std::span<const Claim> claims, OpenTimes* times, const Faults& faults) {
  std::vector<CommitmentKey> keys;
  for (const Opened& o : opened) keys.push_back(o.key);
  AVOW_CHECK(validate(config) == ConfigError::kNone && keys_are_valid(keys, config.max_log_columns) &&
             claims_are_valid(keys, claims, config.log_rows));
  for (const Opened& o : opened) {
    AVOW_CHECK(o.oracle != nullptr && o.oracle->root() == o.key.root && o.groups.size() == o.key.log_groups.size());
    for (std::size_t g = 0; g < o.groups.size(); ++g) {
      AVOW_CHECK(o.groups[g].rows == std::size_t{1} << config.log_rows &&
                 o.groups[g].cols == std::size_t{1} << o.key.log_groups[g]);
    }
  }
  OpenTimes unused;
  return Prover(transcript, config, opened, faults).run(claims, times != nullptr ? *times : unused);
}

}  // namespace avow::pcs
