// SPDX-License-Identifier: Apache-2.0
#include "pcs_prover/open.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "hash/keccak.hpp"
#include "merkle/tree.hpp"
#include "pcs/parameters.hpp"
#include "pcs_prover/grind.hpp"
#include "pcs_prover/instance_testing.hpp"

namespace avow::pcs {
namespace {

using field::Fp;
using field::Fp3;
using testing::Instance;
using testing::kTwoCommitments;

constexpr std::size_t kOneColumn[] = {1};

// `make test-long` asks for full sizes.
bool long_run() { return std::getenv("AVOW_LONG") != nullptr; }

std::string text(const std::optional<Rejection>& rejection) { return rejection ? to_string(*rejection) : "accepted"; }

TEST(Opening, AcceptsHonestProofsOfRandomShapes) {
  std::mt19937_64 rng(1);
  for (int round = 0; round < (long_run() ? 1500 : 60); ++round) {
    const Config config = testing::random_config(rng);
    ASSERT_EQ(validate(config), ConfigError::kNone);
    std::vector<std::size_t> columns(1 + rng() % 3);
    for (auto& c : columns) c = 1 + rng() % 20;
    const Instance instance(config, columns, rng() % 6, rng());
    for (const Claim& claim : instance.claims) {
      ASSERT_EQ(claim.value, testing::evaluate_naive(instance.opened, claim));
    }
    ASSERT_EQ(text(instance.verify(instance.prove())), "accepted") << "round " << round;
  }
}

// The parameters in use, at both levels: a model and a witness together, the model of many columns.
TEST(Opening, AcceptsHonestProofsAtScale) {
  const std::uint32_t log_rows = long_run() ? 19 : 12;
  const std::size_t columns[] = {long_run() ? std::size_t{128} : std::size_t{24}, 6};
  for (const std::uint32_t level : {100u, 128u}) {
    const auto config = choose_parameters(log_rows, level, Profile::kModel);
    ASSERT_TRUE(config.has_value());
    const Instance instance(*config, columns, 12, level);
    const auto proof = instance.prove();
    EXPECT_EQ(text(instance.verify(proof)), "accepted") << level;
    auto bad = proof;
    bad[bad.size() / 2] ^= 1;
    EXPECT_TRUE(instance.verify(bad).has_value());
  }
}

TEST(Opening, OodClaimIsTheUnivariateValueOverAllColumns) {
  const Instance instance(testing::small_config(4), kTwoCommitments, 0, 2);
  // 11 columns are 8 + 2 + 1: column c of row x counts as coefficient c + 16 x.
  const Opened& o = instance.opened[0];
  Fp3 value;
  for (std::size_t x = 0; x < 16; ++x) {
    std::size_t c = 0;
    for (const auto& group : o.groups) {
      for (std::size_t k = 0; k < group.cols; ++k, ++c) value += o.key.ood_point.pow(c + 16 * x) * group.at(x, k);
    }
  }
  EXPECT_EQ(value, o.key.ood_value);
}

TEST(Opening, EveryCellTypeOpens) {
  std::mt19937_64 rng(3);
  const Config config = testing::small_config(5);
  std::vector<std::int8_t> a(4 << 5);
  std::vector<std::int32_t> b(2 << 5);
  std::vector<Fp> c(1 << 5);
  for (auto& v : a) v = static_cast<std::int8_t>(rng());
  for (auto& v : b) v = static_cast<std::int32_t>(rng());
  for (auto& v : c) v = Fp(rng());
  Opened o;
  o.groups = {field::MatrixView::of(std::span<const std::int8_t>(a), 4),
              field::MatrixView::of(std::span<const std::int32_t>(b), 2),
              field::MatrixView::of(std::span<const Fp>(c), 1)};
  const TreeOracle oracle(5, 2, o.groups);
  o.oracle = &oracle;
  const auto start = [&] { return transcript::Transcript(protocol_id(config), {}, {}); };
  auto prover = start();
  o.key = send_commitment(prover, oracle, o.groups);
  const auto proof = open(prover, config, std::span(&o, 1), {});
  auto verifier = start();
  const CommitmentKey key = receive_commitment(verifier, o.key.root, o.key.log_groups, o.key.ood_value);
  EXPECT_EQ(key.ood_point, o.key.ood_point);
  EXPECT_EQ(text(verify_opening(verifier, config, std::span(&key, 1), {}, proof)), "accepted");
}

TEST(Opening, ManifestsOfBothSidesAgree) {
  const Instance instance(testing::small_config(6), kTwoCommitments, 3, 4);
  transcript::Manifest prover;
  transcript::Manifest verifier;
  const auto proof = instance.prove({}, &prover);
  ASSERT_EQ(text(instance.verify(proof, &verifier)), "accepted");
  EXPECT_EQ(prover, verifier);
  EXPECT_GT(prover.size(), 20u);
}

TEST(Opening, IsDeterministic) {
  const Instance instance(testing::small_config(6), kTwoCommitments, 3, 5);
  EXPECT_EQ(instance.prove(), instance.prove());
}

// --- malformed bytes -------------------------------------------------------------------------------------------------

TEST(MalformedOpening, IsRejectedAtEveryLength) {
  const Instance instance(testing::small_config(5), kTwoCommitments, 2, 6);
  const auto proof = instance.prove();
  for (std::size_t size = 0; size < proof.size(); ++size) {
    const auto rejection = instance.verify(base::ByteView(proof).first(size));
    ASSERT_TRUE(rejection.has_value()) << size;
    ASSERT_EQ(rejection->check, Check::kTruncated) << size << " " << text(rejection);
  }
}

TEST(MalformedOpening, TrailingBytes) {
  const Instance instance(testing::small_config(5), kOneColumn, 1, 7);
  auto proof = instance.prove();
  proof.push_back(0);
  EXPECT_EQ(text(instance.verify(proof)), "pcs.trailing_bytes (oracle 2)");
}

TEST(MalformedOpening, EveryFlippedByteIsRejected) {
  const Instance instance(testing::small_config(5), kTwoCommitments, 2, 8);
  const auto proof = instance.prove();
  std::mt19937_64 rng(8);
  for (std::size_t i = 0; i < proof.size(); ++i) {
    auto bad = proof;
    bad[i] ^= static_cast<std::uint8_t>(1u << (rng() % 8));
    ASSERT_TRUE(instance.verify(bad).has_value()) << i;
  }
}

// Every field element of the proof, replaced by its other representative x + p or by p itself.
TEST(MalformedOpening, NonCanonicalElements) {
  const Instance instance(testing::small_config(5), kOneColumn, 0, 9);
  const auto proof = instance.prove();
  // First element of the first sumcheck message; kappa = 0 has none, so the out-of-domain answer after oracle 1's root.
  auto bad = proof;
  base::store_be64(bad.data() + 32, field::kP);
  EXPECT_EQ(text(instance.verify(bad)), "pcs.non_canonical (oracle 1)");

  const Instance wide(testing::small_config(5), kTwoCommitments, 0, 9);
  bad = wide.prove();
  base::store_be64(bad.data() + 40, ~std::uint64_t{0});
  EXPECT_EQ(text(wide.verify(bad)), "pcs.non_canonical (oracle 0)");
}

// A non-canonical cell in an opened row: the leaf is hashed as it stands, so the prover must have committed to it.
TEST(MalformedOpening, NonCanonicalCommittedCell) {
  Instance instance(testing::small_config(4), kOneColumn, 0, 10);
  // One row [cell] as 8 bytes; all rows the same bad word, hashed into a tree of its own.
  class BadOracle final : public Oracle {
   public:
    BadOracle() : heap_(2 << 6) {
      const std::uint64_t word = field::kP;
      for (std::size_t i = 64; i < 128; ++i) hash::keccak256_rows(&word, 1, 1, 1, &heap_[i]);
      merkle::build(heap_);
    }
    [[nodiscard]] std::span<const base::Digest> heap() const override { return heap_; }
    [[nodiscard]] std::vector<std::uint64_t> rows(std::span<const std::uint32_t> positions) const override {
      return std::vector<std::uint64_t>(positions.size(), field::kP);
    }

   private:
    std::vector<base::Digest> heap_;
  };
  const BadOracle bad;
  instance.opened[0].oracle = &bad;
  instance.opened[0].key.root = bad.root();
  instance.opened[0].key.made_once = false;  // else its point would be another
  instance.keys[0] = instance.opened[0].key;
  EXPECT_EQ(text(instance.verify(instance.prove())), "pcs.non_canonical (oracle 0)");
}

TEST(MalformedOpening, InvalidConfiguration) {
  Instance instance(testing::small_config(5), kOneColumn, 0, 11);
  const auto proof = instance.prove();
  instance.config.oracles[1].queries = 0;
  EXPECT_EQ(text(instance.verify(proof)), "pcs.config (oracle 0)");
}

TEST(MalformedOpening, KeysThatNoRegistrarMayMake) {
  const Instance instance(testing::small_config(5), kTwoCommitments, 0, 16);
  const auto proof = instance.prove();
  const std::vector<std::uint8_t> bad_groups[] = {{},   {0, 1}, {1, 1}, {3, 3}, {11},    {10, 9},
                                                  {31}, {32},   {61},   {255},  {60, 60}};
  for (const auto& groups : bad_groups) {
    Instance bad(testing::small_config(5), kTwoCommitments, 0, 16);
    bad.keys[0].log_groups = groups;
    bad.keys[0].made_once = false;
    EXPECT_EQ(text(bad.verify(proof)), "pcs.key (oracle 0)") << ::testing::PrintToString(groups);
  }
  Instance none(testing::small_config(5), kTwoCommitments, 0, 16);
  none.keys.clear();
  EXPECT_EQ(text(none.verify(proof)), "pcs.key (oracle 0)");
}

// A registrar that chooses the point of its out-of-domain claim could pick a root of the difference of two models.
TEST(MalformedOpening, KeyWithAPointOfItsOwn) {
  Instance instance(testing::small_config(5), kTwoCommitments, 0, 17);
  instance.opened[0].key.ood_point += field::kOne3;
  instance.opened[0].key.ood_value = ood_value(instance.opened[0].groups, instance.opened[0].key.ood_point);
  instance.keys[0] = instance.opened[0].key;
  EXPECT_EQ(text(instance.verify(instance.prove())), "pcs.key (oracle 0)");
}

TEST(MalformedOpening, ClaimsAboutWhatDoesNotExist) {
  const Instance honest(testing::small_config(5), kTwoCommitments, 1, 18);
  const auto proof = honest.prove();
  const std::function<void(Term&)> changes[] = {[](Term& t) { t.commitment = 2; }, [](Term& t) { t.group = 7; },
                                                [](Term& t) { t.factors.clear(); },
                                                [](Term& t) { t.factors.push_back(t.factors[0]); }};
  for (const auto& change : changes) {
    Instance instance(testing::small_config(5), kTwoCommitments, 1, 18);
    change(instance.claims[0].terms[0]);
    EXPECT_EQ(text(instance.verify(proof)), "pcs.claim (oracle 0)");
  }
}

// The last tree's rows must not be read once an earlier tree's cell was refused.
TEST(MalformedOpening, NonCanonicalCellBeforeAnotherTree) {
  Instance instance(testing::small_config(4), kTwoCommitments, 0, 19);
  class BadOracle final : public Oracle {
   public:
    BadOracle() : heap_(2 << 6) {
      const std::vector<std::uint64_t> row(11, field::kP);
      for (std::size_t i = 64; i < 128; ++i) hash::keccak256_rows(row.data(), 11, 11, 1, &heap_[i]);
      merkle::build(heap_);
    }
    [[nodiscard]] std::span<const base::Digest> heap() const override { return heap_; }
    [[nodiscard]] std::vector<std::uint64_t> rows(std::span<const std::uint32_t> positions) const override {
      return std::vector<std::uint64_t>(11 * positions.size(), field::kP);
    }

   private:
    std::vector<base::Digest> heap_;
  };
  const BadOracle bad;
  instance.opened[0].oracle = &bad;
  instance.opened[0].key.root = bad.root();
  instance.opened[0].key.made_once = false;
  instance.keys[0] = instance.opened[0].key;
  EXPECT_EQ(text(instance.verify(instance.prove())), "pcs.non_canonical (oracle 0)");
}

// --- cheating provers: each trips the one check that is there for it
// ---------------------------------------------------

class CheatingProver : public ::testing::Test {
 protected:
  Instance instance{testing::small_config(7), kTwoCommitments, 3, 12};
  std::string outcome(const Faults& faults) { return text(instance.verify(instance.prove(faults))); }
};

TEST_F(CheatingProver, ClaimsAnotherValue) {
  instance.claims[1].value += field::kOne3;
  EXPECT_EQ(outcome({}), "pcs.final_claim (oracle 2)");
}

TEST_F(CheatingProver, AnswersTheCommitmentsOodQuestionWrongly) {
  instance.opened[1].key.ood_value += field::kOne3;
  instance.keys[1].ood_value = instance.opened[1].key.ood_value;
  EXPECT_EQ(outcome({}), "pcs.final_claim (oracle 2)");
}

TEST_F(CheatingProver, AnswersAnOraclesOodQuestionWrongly) {
  for (const std::size_t target : {1u, 2u}) {
    Faults faults;
    faults.ood_value = [&](std::size_t oracle, Fp3& value) {
      if (oracle == target) value += field::kOne3;
    };
    EXPECT_EQ(outcome(faults), "pcs.final_claim (oracle 2)") << target;
  }
}

// A polynomial that is not the fold of the previous oracle: the queried rows say otherwise.
TEST_F(CheatingProver, CommitsToAWrongFold) {
  for (const std::size_t target : {1u, 2u}) {
    Faults faults;
    faults.polynomial = [&](std::size_t oracle, std::vector<Fp3>& f) {
      if (oracle == target) f[3] += field::kOne3;
    };
    EXPECT_EQ(outcome(faults), "pcs.final_claim (oracle 2)") << target;
  }
}

TEST_F(CheatingProver, SendsAWrongFinalPolynomial) {
  Faults faults;
  faults.final_polynomial = [](std::vector<Fp3>& f) { f[0] += field::kOne3; };
  EXPECT_EQ(outcome(faults), "pcs.final_fold (oracle 2)");
}

TEST_F(CheatingProver, SendsAWrongSumcheckMessage) {
  for (std::size_t target = 0; target < 4; ++target) {
    for (const bool leading : {false, true}) {
      Faults faults;
      faults.sumcheck = [&](std::size_t round, Fp3& at0, Fp3& top) {
        if (round == target) (leading ? top : at0) += field::kOne3;
      };
      EXPECT_EQ(outcome(faults), "pcs.final_claim (oracle 2)") << target;
    }
  }
}

TEST_F(CheatingProver, OpensOtherRowsThanItCommittedTo) {
  for (std::size_t target = 0; target < 3; ++target) {
    Faults faults;
    faults.rows = [&](std::size_t oracle, std::vector<std::uint64_t>& rows) {
      if (oracle == target) rows[0] = rows[0] == 0 ? 1 : rows[0] - 1;
    };
    EXPECT_EQ(outcome(faults), "pcs.merkle (oracle " + std::to_string(target) + ")");
  }
}

TEST_F(CheatingProver, GrindsTooLittleBeforeQueries) {
  instance.config.oracles[0].query_grinding_bits = 16;
  instance = Instance(instance.config, kTwoCommitments, 1, 13);
  Faults faults;
  faults.query_nonce = [](std::uint64_t& nonce) { nonce ^= 1; };
  EXPECT_EQ(outcome(faults), "pcs.query_grinding (oracle 0)");
}

TEST_F(CheatingProver, GrindsTooLittleBeforeFolds) {
  instance.config.oracles[1].fold_grinding_bits = 16;
  instance.config.oracles[0].fold_grinding_bits = 0;
  instance = Instance(instance.config, kTwoCommitments, 1, 14);
  Faults faults;
  faults.fold_nonce = [](std::uint64_t& nonce) { nonce ^= 1; };
  EXPECT_EQ(outcome(faults), "pcs.fold_grinding (oracle 1)");
}

// The oracle is no codeword: every row of commitment 0 is replaced after the honest encoding, so that its tree is
// consistent and only proximity can tell.
TEST_F(CheatingProver, CommitsToAWordFarFromTheCode) {
  class Noise final : public Oracle {
   public:
    Noise(std::size_t leaves, std::size_t cols) : cols_(cols), words_(leaves * cols), heap_(2 * leaves) {
      std::mt19937_64 rng(15);
      for (auto& w : words_) w = rng() % field::kP;
      hash::keccak256_rows(words_.data(), cols, cols, leaves, &heap_[leaves]);
      merkle::build(heap_);
    }
    [[nodiscard]] std::span<const base::Digest> heap() const override { return heap_; }
    [[nodiscard]] std::vector<std::uint64_t> rows(std::span<const std::uint32_t> positions) const override {
      std::vector<std::uint64_t> out;
      for (const auto p : positions) {
        for (std::size_t c = 0; c < cols_; ++c) out.push_back(words_[p * cols_ + c]);
      }
      return out;
    }

   private:
    std::size_t cols_;
    std::vector<std::uint64_t> words_;
    std::vector<base::Digest> heap_;
  };
  const Noise noise(std::size_t{1} << 9, 11);
  instance.opened[0].oracle = &noise;
  instance.opened[0].key.root = noise.root();
  instance.opened[0].key.made_once = false;  // else its point would be another
  instance.keys[0] = instance.opened[0].key;
  EXPECT_EQ(outcome({}), "pcs.final_claim (oracle 2)");
}

TEST_F(CheatingProver, ReplaysAProofInAnotherSession) {
  const auto proof = instance.prove();
  auto other = instance.transcript(1);
  // The first thing that depends on the session alone is the first grinding nonce.
  EXPECT_EQ(text(verify_opening(other, instance.config, instance.keys, instance.claims, proof)),
            "pcs.fold_grinding (oracle 0)");
}

// Roots and claimed values are absorbed before anything else: with others the first grinding nonce is no longer one.
TEST_F(CheatingProver, UsesAnotherCommitmentsRoot) {
  const auto proof = instance.prove();
  auto t = instance.transcript();
  instance.keys[0] = fixed_key(protocol_id(instance.config), base::Digest{1}, instance.keys[0].log_groups, {});
  EXPECT_EQ(text(verify_opening(t, instance.config, instance.keys, instance.claims, proof)),
            "pcs.fold_grinding (oracle 0)");
}

TEST_F(CheatingProver, ShiftsValuesBetweenClaims) {
  const auto proof = instance.prove();
  // With the joining challenge known beforehand, +d and -d / challenge would cancel.
  instance.claims[0].value += field::kOne3;
  instance.claims[1].value = instance.claims[1].value - field::kOne3;
  EXPECT_EQ(text(instance.verify(proof)), "pcs.fold_grinding (oracle 0)");
}

TEST(Grind, FindsTheSmallestNonce) {
  const base::Bytes prefix(40, 7);
  for (const unsigned bits : {0u, 1u, 5u, 12u}) {
    const std::uint64_t nonce = grind(prefix, bits);
    for (std::uint64_t n = 0; n <= nonce; ++n) {
      base::Bytes message = prefix;
      base::append_be64(message, n);
      ASSERT_EQ(hash::has_leading_zeros(hash::keccak256(message), bits), n == nonce) << bits << " " << n;
    }
  }
}

}  // namespace
}  // namespace avow::pcs
