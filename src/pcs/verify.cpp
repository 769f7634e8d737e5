// SPDX-License-Identifier: Apache-2.0
#include "pcs/verify.hpp"

#include <fmt/format.h>

#include "base/check.hpp"
#include "hash/keccak.hpp"
#include "merkle/tree.hpp"
#include "pcs/messages.hpp"
#include "pcs/positions.hpp"

namespace avow::pcs {
namespace {

using base::ByteView;
using base::Digest;
using field::Fp;
using field::Fp3;
using transcript::Transcript;

/// Forward reader of untrusted bytes: the first failure sticks, later reads give zeros.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  [[nodiscard]] std::optional<Check> failure() const noexcept { return failure_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return rest_.size(); }
  /// Whether `count` bytes are left; a failure otherwise. Asked before anything is allocated for them.
  bool has(std::size_t count) {
    if (rest_.size() < count) fail(Check::kTruncated);
    return !failure_;
  }

  ByteView bytes(std::size_t count) {
    if (failure_ || rest_.size() < count) {
      fail(Check::kTruncated);
      return {};
    }
    const ByteView result = rest_.first(count);
    rest_ = rest_.subspan(count);
    return result;
  }
  Digest digest() {
    Digest d{};
    const ByteView b = bytes(d.size());
    if (!b.empty()) std::copy(b.begin(), b.end(), d.begin());
    return d;
  }
  std::uint64_t nonce() {
    const ByteView b = bytes(8);
    return b.empty() ? 0 : base::load_be64(b.data());
  }
  Fp3 element() {
    const ByteView b = bytes(field::kFp3Bytes);
    return b.empty() ? Fp3() : canonical(field::decode_fp3(b.data()));
  }
  /// The element at the start of bytes that were read already.
  Fp3 element_at(const std::uint8_t* bytes) { return canonical(field::decode_fp3(bytes)); }
  Fp base_at(const std::uint8_t* bytes) { return canonical(field::decode_fp(bytes)); }

 private:
  template <typename F>
  F canonical(const std::optional<F>& x) {
    if (!x) fail(Check::kNonCanonical);
    return x.value_or(F());
  }
  void fail(Check check) {
    if (!failure_) failure_ = check;
  }

  ByteView rest_;
  std::optional<Check> failure_;
};

/// What oracle i's section added to the joined weight: z^x for its out-of-domain point and p^x for the queried points
/// of oracle i-1, combined by powers of gamma. Its variables are point[first_variable ...].
struct AddedWeights {
  std::size_t first_variable;
  Fp3 gamma;
  Fp3 ood_point;
  std::vector<Fp> points;
};

class Opening {
 public:
  Opening(Transcript& transcript, const Config& config, std::span<const CommitmentKey> keys,
          std::span<const Claim> claims, ByteView proof)
      : transcript_(transcript), config_(config), keys_(keys), reader_(proof), layout_(joint_layout(keys)) {
    claims_.reserve(keys.size() + claims.size());
    for (std::uint32_t k = 0; k < keys.size(); ++k) claims_.push_back(ood_claim(keys[k], k, config.log_rows));
    claims_.insert(claims_.end(), claims.begin(), claims.end());
  }

  std::optional<Rejection> run() {
    join_claims();
    if (!sumcheck(layout_.log_columns, config_.oracles[0], messages::kSumcheck, messages::kFold)) return rejection_;
    for (oracle_ = 1; oracle_ < config_.oracles.size(); ++oracle_) {
      if (!oracle_round()) return rejection_;
    }
    oracle_ = static_cast<std::uint32_t>(config_.oracles.size()) - 1;
    if (!final_round()) return rejection_;
    return std::nullopt;
  }

 private:
  bool reject(Check check, std::size_t oracle) {
    rejection_ = Rejection{check, static_cast<std::uint32_t>(oracle)};
    return false;
  }
  bool reject(Check check) { return reject(check, oracle_); }
  bool reader_ok() { return reader_.failure() ? reject(*reader_.failure()) : true; }

  void join_claims() {
    join_ = transcript_.challenge(messages::kJoin);
    Fp3 power = field::kOne3;
    for (const Claim& claim : claims_) {
      claim_ += power * claim.value;
      power *= join_;
    }
  }

  // `rounds` variables: h(0) and the leading coefficient of h are sent, h(1) = claim - h(0).
  bool sumcheck(std::size_t rounds, const OracleConfig& oracle, transcript::Label message,
                transcript::Label challenge) {
    for (std::size_t i = 0; i < rounds; ++i) {
      const Fp3 sent[2] = {reader_.element(), reader_.element()};
      if (!reader_ok()) return false;
      transcript_.absorb(message, sent);
      if (oracle.fold_grinding_bits > 0) {
        const std::uint64_t nonce = reader_.nonce();
        if (!reader_ok()) return false;
        if (!transcript_.absorb_nonce(messages::kFoldNonce, oracle.fold_grinding_bits, nonce)) {
          return reject(Check::kFoldGrinding);
        }
      }
      const Fp3 r = transcript_.challenge(challenge);
      const Fp3 linear = claim_ - sent[0] - sent[0] - sent[1];
      claim_ = sent[0] + r * (linear + r * sent[1]);
      point_.push_back(r);
    }
    return true;
  }

  bool oracle_round() {
    const Digest root = reader_.digest();
    if (!reader_ok()) return false;
    transcript_.absorb_digest(messages::kOracleRoot, root);
    AddedWeights added{point_.size(), {}, transcript_.challenge(messages::kOracleOodPoint), {}};
    const Fp3 ood_value = reader_.element();
    if (!reader_ok()) return false;
    transcript_.absorb(messages::kOracleOodValue, std::span(&ood_value, 1));

    const auto positions = query(oracle_ - 1);
    if (!positions) return false;
    const auto folded = open_rows(oracle_ - 1, *positions);
    if (!folded) return false;

    added.gamma = transcript_.challenge(messages::kCombine);
    Fp3 power = added.gamma;
    claim_ += power * ood_value;
    for (std::size_t q = 0; q < positions->size(); ++q) {
      power *= added.gamma;
      claim_ += power * (*folded)[q];
      added.points.push_back(field::domain_point(config_.log_domain(oracle_ - 1), (*positions)[q]));
    }
    added_.push_back(std::move(added));
    roots_.push_back(root);
    const OracleConfig& oracle = config_.oracles[oracle_];
    return sumcheck(oracle.log_fold, oracle, messages::kSumcheck, messages::kFold);
  }

  // Checks the grinding nonce before oracle `oracle`'s positions and draws them.
  std::optional<std::vector<std::uint32_t>> query(std::size_t oracle) {
    const std::uint32_t bits = config_.oracles[oracle].query_grinding_bits;
    if (bits > 0) {
      const std::uint64_t nonce = reader_.nonce();
      if (reader_.failure()) {
        reject(*reader_.failure(), oracle);
        return std::nullopt;
      }
      if (!transcript_.absorb_nonce(messages::kQueryNonce, bits, nonce)) {
        reject(Check::kQueryGrinding, oracle);
        return std::nullopt;
      }
    }
    return draw_positions(transcript_, config_, oracle);
  }

  // Reads the rows at these positions, checks them against the oracle's root (or every commitment's), and folds each
  // with the challenges of the oracle's sumcheck rounds: the values of the next polynomial at the positions' points.
  std::optional<std::vector<Fp3>> open_rows(std::size_t oracle, std::span<const std::uint32_t> positions) {
    const std::size_t hashes = merkle::proof_length(config_.log_domain(oracle), positions);
    std::size_t needed = 0;
    for (std::size_t tree = 0; tree < trees(oracle); ++tree) {
      needed += positions.size() * leaf_bytes(oracle, tree) + hashes * sizeof(Digest);
    }
    if (!reader_.has(needed)) {
      reject(*reader_.failure(), oracle);
      return std::nullopt;
    }
    std::vector<Fp3> folded(positions.size());
    const auto weights = oracle == 0 ? field::eq_table(std::span(point_).first(layout_.log_columns))
                                     : field::eq_table(std::span(point_).last(config_.oracles[oracle].log_fold));
    for (std::uint32_t tree = 0; tree < trees(oracle); ++tree) {
      const auto rows = open_tree(oracle, tree, positions, hashes);
      if (!rows) return std::nullopt;
      for (std::size_t q = 0; q < positions.size(); ++q) {
        folded[q] += oracle == 0 ? fold_base_row(tree, (*rows)[q], weights) : fold_row((*rows)[q], weights);
      }
      // Before the next tree is read: a reader that failed gives no more bytes.
      if (reader_.failure()) {
        reject(*reader_.failure(), oracle);
        return std::nullopt;
      }
    }
    return folded;
  }

  // Oracle 0 is one tree a commitment.
  [[nodiscard]] std::size_t trees(std::size_t oracle) const { return oracle == 0 ? keys_.size() : 1; }
  [[nodiscard]] std::size_t leaf_bytes(std::size_t oracle, std::size_t tree) const {
    return oracle == 0 ? 8 * columns(keys_[tree].log_groups) : field::kFp3Bytes << config_.oracles[oracle].log_fold;
  }

  Fp3 fold_row(ByteView row, std::span<const Fp3> weights) {
    Fp3 sum;
    for (std::size_t c = 0; c < weights.size(); ++c) {
      sum += weights[c] * reader_.element_at(row.data() + field::kFp3Bytes * c);
    }
    return sum;
  }

  Fp3 fold_base_row(std::uint32_t commitment, ByteView row, std::span<const Fp3> weights) {
    Fp3 sum;
    const std::uint8_t* cell = row.data();
    for (std::uint32_t g = 0; g < keys_[commitment].log_groups.size(); ++g) {
      const Slot& slot = layout_.slot(commitment, g);
      for (std::size_t c = 0; c < std::size_t{1} << slot.log_cols; ++c, cell += 8) {
        sum += weights[slot.offset + c] * reader_.base_at(cell);
      }
    }
    return sum;
  }

  // The leaves at the positions, then the multi-proof's hashes; the bytes are known to be there.
  std::optional<std::vector<ByteView>> open_tree(std::size_t oracle, std::size_t tree,
                                                 std::span<const std::uint32_t> positions, std::size_t hashes) {
    std::vector<ByteView> leaves;
    std::vector<Digest> digests;
    for (std::size_t q = 0; q < positions.size(); ++q) {
      leaves.push_back(reader_.bytes(leaf_bytes(oracle, tree)));
      digests.push_back(hash::keccak256(leaves.back()));
    }
    std::vector<Digest> siblings(hashes);
    for (Digest& sibling : siblings) sibling = reader_.digest();
    const Digest& root = oracle == 0 ? keys_[tree].root : roots_[oracle - 1];
    if (merkle::root_of(config_.log_domain(oracle), positions, digests, siblings) != root) {
      reject(Check::kMerkle, oracle);
      return std::nullopt;
    }
    return leaves;
  }

  bool final_round() {
    const std::size_t final_len = std::size_t{1} << config_.final_log_len();
    if (!reader_.has(final_len * field::kFp3Bytes)) return reader_ok();
    std::vector<Fp3> final_coefficients(final_len);
    for (Fp3& c : final_coefficients) c = reader_.element();
    if (!reader_ok()) return false;
    transcript_.absorb(messages::kFinal, final_coefficients);

    const std::size_t first_final_variable = point_.size();
    const auto positions = query(oracle_);
    if (!positions) return false;
    const auto folded = open_rows(oracle_, *positions);
    if (!folded) return false;
    for (std::size_t q = 0; q < positions->size(); ++q) {
      const Fp x = field::domain_point(config_.log_domain(oracle_), (*positions)[q]);
      Fp3 value;
      for (std::size_t i = final_coefficients.size(); i-- > 0;) value = value * x + final_coefficients[i];
      if (!(value == (*folded)[q])) return reject(Check::kFinalFold);
    }

    if (!sumcheck(config_.final_log_len(), OracleConfig{}, messages::kFinalSumcheck, messages::kFinalFold))
      return false;
    if (reader_.remaining() != 0) return reject(Check::kTrailingBytes);
    const auto eq = field::eq_table(std::span(point_).subspan(first_final_variable));
    Fp3 value;
    for (std::size_t i = 0; i < eq.size(); ++i) value += eq[i] * final_coefficients[i];
    return value * joined_weight() == claim_ ? true : reject(Check::kFinalClaim);
  }

  // The joined weight at the point of all challenges.
  Fp3 joined_weight() const {
    Fp3 weight;
    Fp3 power = field::kOne3;
    for (const Claim& claim : claims_) {
      for (const Term& term : claim.terms) weight += power * evaluate_weight(layout_, term, point_);
      power *= join_;
    }
    for (const AddedWeights& added : added_) {
      const auto variables = std::span(point_).subspan(added.first_variable);
      power = added.gamma;
      weight += power * power_weight(added.ood_point, variables);
      for (const Fp x : added.points) {
        power *= added.gamma;
        weight += power * power_weight(x, variables);
      }
    }
    return weight;
  }

  // Multilinear extension of x -> z^x: product of 1 - r_b + r_b z^(2^b).
  template <typename F>
  static Fp3 power_weight(F z, std::span<const Fp3> variables) {
    Fp3 product = field::kOne3;
    for (const Fp3& r : variables) {
      product *= field::kOne3 - r + r * z;
      z *= z;
    }
    return product;
  }

  Transcript& transcript_;
  const Config& config_;
  std::span<const CommitmentKey> keys_;
  Reader reader_;
  JointLayout layout_;
  std::vector<Claim> claims_;

  std::uint32_t oracle_ = 0;
  Fp3 join_;
  Fp3 claim_;
  std::vector<Fp3> point_;     // sumcheck challenges so far: column variables, then row variables, lowest first
  std::vector<Digest> roots_;  // of oracles 1, 2, ...
  std::vector<AddedWeights> added_;
  std::optional<Rejection> rejection_;
};

}  // namespace

const char* name(Check check) noexcept {
  switch (check) {
    case Check::kConfig:
      return "pcs.config";
    case Check::kKey:
      return "pcs.key";
    case Check::kClaim:
      return "pcs.claim";
    case Check::kTruncated:
      return "pcs.truncated";
    case Check::kTrailingBytes:
      return "pcs.trailing_bytes";
    case Check::kNonCanonical:
      return "pcs.non_canonical";
    case Check::kFoldGrinding:
      return "pcs.fold_grinding";
    case Check::kQueryGrinding:
      return "pcs.query_grinding";
    case Check::kMerkle:
      return "pcs.merkle";
    case Check::kFinalFold:
      return "pcs.final_fold";
    case Check::kFinalClaim:
      return "pcs.final_claim";
  }
  return "pcs.unknown";
}

std::string to_string(const Rejection& rejection) {
  return fmt::format("{} (oracle {})", name(rejection.check), rejection.oracle);
}

CommitmentKey receive_commitment(Transcript& transcript, const Digest& root, std::span<const std::uint8_t> log_groups,
                                 const Fp3& ood_value) {
  transcript.absorb_digest(messages::kRoot, root);
  const Fp3 point = transcript.challenge(messages::kOodPoint);
  transcript.absorb(messages::kOodValue, std::span(&ood_value, 1));
  return {root, {log_groups.begin(), log_groups.end()}, point, ood_value};
}

void absorb_statement(Transcript& transcript, const Config& config, std::span<const CommitmentKey> keys,
                      std::span<const Claim> claims) {
  base::Bytes bytes;
  const auto put = [&](const Fp3& x) {
    std::uint8_t encoded[field::kFp3Bytes];
    field::encode(x, encoded);
    base::append(bytes, encoded);
  };
  base::append(bytes, protocol_id(config));
  base::append_be32(bytes, static_cast<std::uint32_t>(keys.size()));
  for (const CommitmentKey& key : keys) {
    base::append_be32(bytes, static_cast<std::uint32_t>(columns(key.log_groups)));
    base::append(bytes, key.root);
    put(key.ood_point);
    put(key.ood_value);
  }
  base::append_be32(bytes, static_cast<std::uint32_t>(claims.size()));
  for (const Claim& claim : claims) put(claim.value);
  transcript.absorb_bytes(messages::kStatement, bytes);
}

std::optional<Rejection> verify_opening(Transcript& transcript, const Config& config,
                                        std::span<const CommitmentKey> keys, std::span<const Claim> claims,
                                        ByteView proof) {
  if (validate(config) != ConfigError::kNone) return Rejection{Check::kConfig, 0};
  if (!keys_are_valid(keys, config.max_log_columns)) return Rejection{Check::kKey, 0};
  if (!claims_are_valid(keys, claims, config.log_rows)) return Rejection{Check::kClaim, 0};
  const Digest protocol = protocol_id(config);
  for (const CommitmentKey& key : keys) {
    if (key.made_once && !(key.ood_point == fixed_ood_point(protocol, key.log_groups, key.root))) {
      return Rejection{Check::kKey, 0};
    }
  }
  absorb_statement(transcript, config, keys, claims);
  return Opening(transcript, config, keys, claims, proof).run();
}

}  // namespace avow::pcs
