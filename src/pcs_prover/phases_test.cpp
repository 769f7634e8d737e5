// SPDX-License-Identifier: Apache-2.0
// The opening verifier run phase by phase. That it comes to the same result as in one go is checked wherever a test
// verifies a proof (Instance::verify); here is what the phases have beyond that.
#include <gtest/gtest.h>

#include <numeric>

#include "pcs/verify_phases.hpp"
#include "pcs_prover/instance_testing.hpp"

namespace avow::pcs {
namespace {

using testing::Instance;
using testing::kTwoCommitments;
using testing::PhasesOutcome;

constexpr std::size_t kThreeCommitments[] = {3, 8, 1};

std::string text(const PhasesOutcome& outcome) {
  if (outcome.refused) return "refused";
  return outcome.rejection ? to_string(*outcome.rejection) : "accepted";
}
std::string text(const base::Result<OpeningState, Rejection>& result) {
  return result.ok() ? "good" : to_string(result.error());
}

/// What lies before each phase of a proof but the first: state, transcript, and the phase's section.
struct Boundary {
  OpeningState state;
  base::Digest transcript;
  base::Bytes section;
};
std::vector<Boundary> boundaries(const Instance& instance, const base::Digest& start, base::ByteView proof) {
  std::vector<Boundary> result;
  std::size_t at = start_bytes(instance.config, instance.keys);
  const auto outcome = instance.verify_in_phases(start, proof, [&](OpeningState& state, base::Digest& transcript) {
    const auto section = proof.subspan(at, section_bytes(instance.config, instance.keys, state));
    result.push_back({state, transcript, {section.begin(), section.end()}});
    at += section.size();
  });
  EXPECT_EQ(text(outcome), "accepted");
  EXPECT_EQ(at, proof.size());
  return result;
}

TEST(Phases, ComeInTheOrderOfTheProof) {
  const Instance instance(testing::small_config(7), kThreeCommitments, 3, 20);
  const auto outcome = instance.verify_in_phases(instance.transcript().state(), instance.prove());
  EXPECT_EQ(text(outcome), "accepted");
  using enum Phase;
  const std::vector<Phase> expected = {kOracle, kRows,      kRows,     kRows, kSumcheck,  // oracle 0: three trees
                                       kOracle, kRows,      kSumcheck,                    // the second round
                                       kFinal,  kFinalRows, kFinish};
  EXPECT_EQ(outcome.phases, expected);
}

TEST(Phases, SectionsAreTheWholeProof) {
  std::mt19937_64 rng(21);
  for (int round = 0; round < 40; ++round) {
    const Config config = testing::random_config(rng);
    std::vector<std::size_t> columns(1 + rng() % 3);
    for (auto& c : columns) c = 1 + rng() % 20;
    const Instance instance(config, columns, rng() % 4, rng());
    const auto proof = instance.prove();
    std::size_t bytes = start_bytes(config, instance.keys);
    for (const Boundary& b : boundaries(instance, instance.transcript().state(), proof)) {
      if (b.state.phase == Phase::kRows && b.state.tree == 0) {
        EXPECT_GE(rows_bytes(config, instance.keys, b.state), b.section.size());
      }
      bytes += b.section.size();
    }
    ASSERT_EQ(bytes, proof.size()) << round;
  }
}

TEST(Phases, RowsOfAllTreesAddUp) {
  const Instance instance(testing::small_config(6), kThreeCommitments, 0, 22);
  std::vector<std::size_t> sections;
  std::vector<std::size_t> rest;
  for (const Boundary& b : boundaries(instance, instance.transcript().state(), instance.prove())) {
    if (b.state.phase != Phase::kRows || b.state.oracle != 1) continue;
    sections.push_back(b.section.size());
    rest.push_back(rows_bytes(instance.config, instance.keys, b.state));
  }
  ASSERT_EQ(sections.size(), 3u);
  for (std::size_t tree = 0; tree < 3; ++tree) {
    EXPECT_EQ(rest[tree],
              std::accumulate(sections.begin() + static_cast<std::ptrdiff_t>(tree), sections.end(), std::size_t{0}));
  }
}

// The phases that read rows do not look at claims: a caller needs their values first and their weights last.
TEST(Phases, UseTheWeightsInTheLastPhaseOnly) {
  Instance instance(testing::small_config(6), kTwoCommitments, 2, 23);
  const auto proof = instance.prove();
  const auto start = instance.transcript().state();
  const auto honest = instance.claims;
  const auto without_values = [&](OpeningState& state, base::Digest&) {
    if (state.phase != Phase::kFinish) return;
    instance.claims = honest;
    for (Claim& claim : instance.claims) claim.value = {};
  };
  for (Claim& claim : instance.claims) claim.terms.clear();
  EXPECT_EQ(text(instance.verify_in_phases(start, proof, without_values)), "accepted");
  instance.claims = honest;
  instance.claims[1].terms[0].factors.pop_back();
  EXPECT_EQ(text(instance.verify_in_phases(start, proof)), "pcs.claim (oracle 0)");
  instance.claims = honest;
  instance.claims[1].terms[0].coefficient += field::kOne3;
  EXPECT_EQ(text(instance.verify_in_phases(start, proof)), "pcs.final_claim (oracle 2)");
}

// Verdicts of proofs that are honest but for where they are verified, in one go and in phases.
TEST(Phases, AgreeOnProofsOfAnotherStatement) {
  Instance instance(testing::small_config(7), kTwoCommitments, 3, 12);
  const auto proof = instance.prove();
  const auto both = [&](const base::Digest& start) {
    auto t = transcript::Transcript::resume(start);
    const auto rejection = verify_opening(t, instance.config, instance.keys, instance.claims, proof);
    const auto outcome = instance.verify_in_phases(start, proof);
    EXPECT_EQ(outcome.rejection, rejection);
    return text(outcome);
  };
  EXPECT_EQ(both(instance.transcript(0).state()), "accepted");
  EXPECT_EQ(both(instance.transcript(1).state()), "pcs.fold_grinding (oracle 0)");
  const auto start = instance.transcript().state();
  instance.keys[0] = fixed_key(protocol_id(instance.config), base::Digest{1}, instance.keys[0].log_groups, {});
  EXPECT_EQ(both(start), "pcs.fold_grinding (oracle 0)");
}

// --- states that are not those of the proof --------------------------------------------------------------------------

// State and digest of another honest proof in the place of this one's, one or both, at each boundary.
TEST(ForeignState, LeadsToRejection) {
  const Instance instance(testing::small_config(6), kTwoCommitments, 2, 24);
  const auto start = instance.transcript().state();
  const auto proof = instance.prove();
  const Instance same_keys_other_claims(testing::small_config(6), kTwoCommitments, 3, 24);
  const Instance other_keys(testing::small_config(6), kTwoCommitments, 2, 25);
  for (const Instance* other : {&same_keys_other_claims, &other_keys}) {
    const auto foreign = boundaries(*other, other->transcript().state(), other->prove());
    for (std::size_t at = 0; at < foreign.size(); ++at) {
      for (const int what : {1, 2, 3}) {
        std::size_t boundary = 0;
        const auto replace = [&](OpeningState& state, base::Digest& transcript) {
          if (boundary++ != at) return;
          ASSERT_EQ(state.phase, foreign[at].state.phase);
          if ((what & 1) != 0) state = foreign[at].state;
          if ((what & 2) != 0) transcript = foreign[at].transcript;
        };
        const auto outcome = instance.verify_in_phases(start, proof, replace);
        ASSERT_TRUE(outcome.rejection.has_value()) << at << " " << what;
      }
    }
  }
}

TEST(ForeignState, OfAnotherBoundaryLeadsToRejection) {
  const Instance instance(testing::small_config(5), kTwoCommitments, 1, 26);
  const auto start = instance.transcript().state();
  const auto proof = instance.prove();
  const auto own = boundaries(instance, start, proof);
  for (std::size_t at = 0; at < own.size(); ++at) {
    for (std::size_t from = 0; from < own.size(); ++from) {
      if (from == at) continue;
      std::size_t boundary = 0;
      const auto replace = [&](OpeningState& state, base::Digest&) {
        if (boundary++ == at) state = own[from].state;
      };
      ASSERT_TRUE(instance.verify_in_phases(start, proof, replace).rejection.has_value()) << at << " " << from;
    }
  }
}

// Every byte of a state matters to what comes after it.
TEST(ForeignState, WithAFlippedBitIsRefusedOrRejected) {
  const Instance instance(testing::small_config(5), kTwoCommitments, 1, 27);
  const auto proof = instance.prove();
  std::mt19937_64 rng(27);
  std::size_t at = start_bytes(instance.config, instance.keys);
  for (const Boundary& b : boundaries(instance, instance.transcript().state(), proof)) {
    const auto honest = encode_state(b.state);
    for (std::size_t i = 0; i < honest.size(); ++i) {
      auto bytes = honest;
      bytes[i] ^= static_cast<std::uint8_t>(1u << (rng() % 8));
      auto state = decode_state(instance.config, instance.keys, bytes);
      if (!state) continue;
      ASSERT_EQ(encode_state(state.value()), bytes);
      // The rest of the proof from the changed state on.
      base::ByteView rest = base::ByteView(proof).subspan(at);
      auto t = transcript::Transcript::resume(b.transcript);
      base::Result<OpeningState, Rejection> next = std::move(state).value();
      while (next && next.value().phase != Phase::kFinish) {
        const auto size = std::min(rest.size(), section_bytes(instance.config, instance.keys, next.value()));
        next = continue_opening(t, instance.config, instance.keys, std::move(next).value(), rest.first(size));
        rest = rest.subspan(size);
      }
      if (!next) continue;
      ASSERT_TRUE(
          finish_opening(t, instance.config, instance.keys, instance.claims, std::move(next).value(), rest).has_value())
          << "phase " << static_cast<int>(b.state.phase) << " byte " << i;
    }
    at += b.section.size();
  }
}

// --- rows that are read in parts -------------------------------------------------------------------------------------

struct Cut {
  const char* name;
  Config config;
  std::vector<std::size_t> columns;
  std::size_t parts;  // of trees that have more than one
};

// Trees with one and with two rows in a part; then two, of a later oracle that is the last one or is not.
std::vector<Cut> cuts() {
  Config base;
  base.log_rows = 4;
  base.max_log_columns = 12;
  base.oracles = {{.log_inv_rate = 3, .log_fold = 0, .queries = 7},
                  {.log_inv_rate = 2, .log_fold = 2, .queries = 3},
                  {.log_inv_rate = 3, .log_fold = 1, .queries = 2}};
  Config last;
  last.log_rows = 9;
  last.oracles = {{.log_inv_rate = 1, .log_fold = 0, .queries = 3}, {.log_inv_rate = 6, .log_fold = 8, .queries = 14}};
  Config later = last;
  later.oracles.push_back({.log_inv_rate = 3, .log_fold = 1, .queries = 2});
  return {{"base", base, {700, 3, 1050}, 4 + 7}, {"last", last, {2}, 6}, {"later", later, {2}, 7}};
}

class CutRows : public ::testing::TestWithParam<Cut> {
 protected:
  // Where the section of a part lies in the proof.
  struct Part {
    OpeningState state;
    base::Digest transcript;
    RowsPart part;  // its positions are not used
    std::size_t at;
    std::size_t size;
  };

  Instance instance{GetParam().config, GetParam().columns, 2, 31};
  base::Digest start = instance.transcript().state();
  base::Bytes proof = instance.prove();
  std::vector<Part> parts;  // of the trees that have more than one

  void SetUp() override {
    std::size_t at = start_bytes(instance.config, instance.keys);
    for (Boundary& b : boundaries(instance, start, proof)) {
      const std::size_t size = b.section.size();
      if (b.state.phase == Phase::kRows || b.state.phase == Phase::kFinalRows) {
        const RowsPart part = rows_part(instance.config, instance.keys, b.state);
        const bool whole = part.first == 0 && part.is_last();
        if (!whole) parts.push_back({std::move(b.state), b.transcript, part, at, size});
      }
      at += size;
    }
  }
  std::string verdict(base::ByteView changed) const {
    const auto rejection = instance.verify(changed);  // in one go and in phases
    return rejection ? to_string(*rejection) : "accepted";
  }
  static bool is_last(const Part& part) { return part.part.end == part.part.positions.size(); }
};

TEST_P(CutRows, AreWholeRowsUpToTheLengthOfAPart) {
  ASSERT_EQ(parts.size(), GetParam().parts);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& [state, transcript, part, at, size] = parts[i];
    EXPECT_EQ(state.rows.size(), part.first);
    const std::size_t leaves = (part.end - part.first) * part.leaf_bytes;
    EXPECT_TRUE(leaves <= kPartBytes || part.end == part.first + 1);
    if (is_last(parts[i])) {
      EXPECT_GE(size, leaves);
      continue;
    }
    EXPECT_EQ(size, leaves);
    EXPECT_GT(leaves + part.leaf_bytes, kPartBytes);
    // The next one goes on behind these rows, with the same tree and transcript.
    const Part& next = parts[i + 1];
    EXPECT_EQ(next.at, at + size);
    EXPECT_EQ(next.part.first, part.end);
    EXPECT_EQ(next.state.tree, state.tree);
    EXPECT_EQ(next.transcript, transcript);
    EXPECT_EQ(rows_bytes(instance.config, instance.keys, state),
              rows_bytes(instance.config, instance.keys, next.state) + size);
  }
}

// A row is checked against the root with the last part, unless something else is wrong with it before.
TEST_P(CutRows, AChangedRowOrSiblingIsRefused) {
  for (const Part& p : parts) {
    const std::string oracle = " (oracle " + std::to_string(p.part.oracle) + ")";
    const std::size_t rows = p.part.end - p.part.first;
    const bool folds_at_once = p.state.phase == Phase::kFinalRows && !is_last(p);
    for (const std::size_t row : {std::size_t{0}, rows / 2, rows - 1}) {
      auto changed = proof;
      const std::size_t word = p.at + row * p.part.leaf_bytes + p.part.leaf_bytes / 2;
      changed[word + 7] ^= 1;
      EXPECT_EQ(verdict(changed), (folds_at_once ? "pcs.final_fold" : "pcs.merkle") + oracle);
      std::fill_n(changed.begin() + static_cast<std::ptrdiff_t>(word), 8, 0xff);
      EXPECT_EQ(verdict(changed), (is_last(p) ? "pcs.merkle" : "pcs.non_canonical") + oracle);
    }
    if (!is_last(p)) continue;
    for (std::size_t sibling = p.at + rows * p.part.leaf_bytes; sibling < p.at + p.size; sibling += 32) {
      auto changed = proof;
      changed[sibling] ^= 1;
      EXPECT_EQ(verdict(changed), "pcs.merkle" + oracle);
    }
  }
}

TEST_P(CutRows, ExchangedRowsAreRefused) {
  const Part& first = parts.front();
  auto changed = proof;
  const auto begin = changed.begin() + static_cast<std::ptrdiff_t>(first.at);
  const auto length = static_cast<std::ptrdiff_t>(first.part.leaf_bytes);
  std::swap_ranges(begin, begin + length, begin + static_cast<std::ptrdiff_t>(first.size));
  const bool folds_at_once = first.state.phase == Phase::kFinalRows;
  EXPECT_EQ(verdict(changed), std::string(folds_at_once ? "pcs.final_fold" : "pcs.merkle") + " (oracle " +
                                  std::to_string(first.part.oracle) + ")");
}

TEST_P(CutRows, AProofThatEndsWithinAPartIsTruncated) {
  for (const Part& p : parts) {
    const std::string expected = "pcs.truncated (oracle " + std::to_string(p.part.oracle) + ")";
    for (const std::size_t size : {p.at, p.at + 1, p.at + p.part.leaf_bytes, p.at + p.size - 1}) {
      EXPECT_EQ(verdict(base::ByteView(proof).first(size)), expected);
    }
  }
}

TEST_P(CutRows, APartTakesExactlyItsBytes) {
  for (const Part& p : parts) {
    const auto go_on = [&](std::size_t size) {
      auto t = transcript::Transcript::resume(p.transcript);
      return text(
          continue_opening(t, instance.config, instance.keys, p.state, base::ByteView(proof).subspan(p.at, size)));
    };
    const std::string oracle = " (oracle " + std::to_string(p.part.oracle) + ")";
    EXPECT_EQ(go_on(p.size), "good");
    EXPECT_EQ(go_on(p.size - 1), "pcs.truncated" + oracle);
    EXPECT_EQ(go_on(p.size + 1), "pcs.trailing_bytes" + oracle);
  }
}

// Every byte of a state between two parts matters to what comes after it.
TEST_P(CutRows, AChangedStateIsRefusedOrRejected) {
  std::mt19937_64 rng(32);
  for (const Part& p : parts) {
    // Of each tree one state.
    if (p.part.first == 0 || !is_last(p)) continue;
    const auto honest = encode_state(p.state);
    for (std::size_t i = 0; i < honest.size(); ++i) {
      auto bytes = honest;
      bytes[i] ^= static_cast<std::uint8_t>(1u << (rng() % 8));
      const auto state = decode_state(instance.config, instance.keys, bytes);
      if (!state) continue;
      ASSERT_EQ(encode_state(state.value()), bytes);
      bool here = false;
      const auto outcome = instance.verify_in_phases(start, proof, [&](OpeningState& at, base::Digest&) {
        if (at == p.state) {
          at = state.value();
          here = true;
        }
      });
      ASSERT_TRUE(here);
      ASSERT_TRUE(outcome.rejection || outcome.refused) << GetParam().name << " rows " << p.part.first << " byte " << i;
    }
  }
}

// Digests of other rows, or fewer of them: the multi-proof is of all.
TEST_P(CutRows, OtherDigestsAreRejected) {
  const auto last = std::find_if(parts.begin(), parts.end(), is_last);
  ASSERT_NE(last, parts.end());
  const auto run = [&](const std::function<void(OpeningState&)>& change) {
    OpeningState state = last->state;
    change(state);
    auto t = transcript::Transcript::resume(last->transcript);
    return text(continue_opening(t, instance.config, instance.keys, state,
                                 base::ByteView(proof).subspan(last->at, last->size)));
  };
  const std::string oracle = " (oracle " + std::to_string(last->part.oracle) + ")";
  EXPECT_EQ(run([](OpeningState&) {}), "good");
  EXPECT_EQ(run([](OpeningState& s) { std::swap(s.rows.front(), s.rows.back()); }), "pcs.merkle" + oracle);
  EXPECT_EQ(run([](OpeningState& s) { s.rows.front() = {}; }), "pcs.merkle" + oracle);
  EXPECT_EQ(run([](OpeningState& s) { s.rows.pop_back(); }), "pcs.state (oracle 0)");
  EXPECT_EQ(run([](OpeningState& s) { s.rows.emplace_back(); }), "pcs.state (oracle 0)");
}

INSTANTIATE_TEST_SUITE_P(Phases, CutRows, ::testing::ValuesIn(cuts()),
                         [](const auto& test) { return std::string(test.param.name); });

// --- what a caller can get wrong -------------------------------------------------------------------------------------

class PhaseCall : public ::testing::Test {
 protected:
  Instance instance{testing::small_config(5), kTwoCommitments, 1, 28};
  base::Bytes proof = instance.prove();
  std::vector<Boundary> all = boundaries(instance, instance.transcript().state(), proof);

  std::string go_on(const Boundary& b, const OpeningState& state, base::ByteView section) {
    auto t = transcript::Transcript::resume(b.transcript);
    return text(continue_opening(t, instance.config, instance.keys, state, section));
  }
  std::string finish(const Boundary& b, const OpeningState& state, base::ByteView section) {
    auto t = transcript::Transcript::resume(b.transcript);
    const auto rejection = finish_opening(t, instance.config, instance.keys, instance.claims, state, section);
    return rejection ? to_string(*rejection) : "accepted";
  }
};

// The oracle that a check of a phase's section concerns.
std::string oracle_of(const OpeningState& state, bool rows_only) {
  const bool before = state.phase == Phase::kRows && rows_only;
  return " (oracle " + std::to_string(before ? state.oracle - 1 : state.oracle) + ")";
}

TEST_F(PhaseCall, SectionOfAnotherLength) {
  for (const Boundary& b : all) {
    const bool last = b.state.phase == Phase::kFinish;
    const auto call = [&](base::ByteView section) {
      return last ? finish(b, b.state, section) : go_on(b, b.state, section);
    };
    ASSERT_EQ(call(b.section), last ? "accepted" : "good");
    for (std::size_t size = 0; size < b.section.size(); ++size) {
      ASSERT_EQ(call(base::ByteView(b.section).first(size)).substr(0, 13), "pcs.truncated") << size;
    }
    auto longer = b.section;
    longer.push_back(0);
    ASSERT_EQ(call(longer), "pcs.trailing_bytes" + oracle_of(b.state, true));
  }
  auto t = instance.transcript();
  const auto longer = base::ByteView(proof).first(start_bytes(instance.config, instance.keys) + 1);
  EXPECT_EQ(text(start_opening(t, instance.config, instance.keys, values_of(instance.claims), longer)),
            "pcs.trailing_bytes (oracle 0)");
}

TEST_F(PhaseCall, WithAStateOfAnotherFunction) {
  for (const Boundary& b : all) {
    if (b.state.phase == Phase::kFinish) {
      EXPECT_EQ(go_on(b, b.state, b.section), "pcs.state (oracle 0)");
    } else {
      EXPECT_EQ(finish(b, b.state, b.section), "pcs.state (oracle 0)");
    }
  }
}

TEST_F(PhaseCall, WithAStateThatIsNotValid) {
  for (const Boundary& b : all) {
    OpeningState state = b.state;
    state.point.pop_back();
    const bool last = state.phase == Phase::kFinish;
    EXPECT_EQ(last ? finish(b, state, b.section) : go_on(b, state, b.section), "pcs.state (oracle 0)");
    state = b.state;
    state.phase = Phase{9};
    EXPECT_EQ(go_on(b, state, b.section), "pcs.state (oracle 0)");
  }
}

TEST_F(PhaseCall, StartChecksConfigurationAndKeys) {
  const auto start = [&](const Instance& with) {
    auto t = with.transcript();
    return text(start_opening(t, with.config, with.keys, values_of(with.claims), {}));
  };
  EXPECT_EQ(start(instance), "pcs.truncated (oracle 0)");
  Instance bad(testing::small_config(5), kTwoCommitments, 1, 28);
  bad.keys[1].ood_point += field::kOne3;
  EXPECT_EQ(start(bad), "pcs.key (oracle 0)");
  bad.keys[0].log_groups = {61};
  EXPECT_EQ(start(bad), "pcs.key (oracle 0)");
  bad.config.oracles[0].queries = 0;
  EXPECT_EQ(start(bad), "pcs.config (oracle 0)");
}

}  // namespace
}  // namespace avow::pcs
