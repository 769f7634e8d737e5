// SPDX-License-Identifier: Apache-2.0
// Cheating provers: a false witness, a false message, bytes that were changed. Each trips the check that is there for
// it. The reference checker says which claims of a false witness fail; the verifier has to find the first of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/test_stride.hpp"
#include "prover/session_testing.hpp"
#include "statement/builder.hpp"
#include "statement/plan.hpp"
#include "verifier/messages.hpp"
#include "verifier/sections.hpp"

namespace avow::prover {
namespace {

using field::Fp;
using field::Fp3;
using statement::Assignment;
using statement::Example;
using statement::TensorId;
using statement::TensorKind;
using testing::expected_verdict;
using testing::report_of;
using testing::Session;
namespace messages = verifier::messages;

bool has_sums(const statement::Statement& s) {
  return std::any_of(s.tensors.begin(), s.tensors.end(), [&](const auto& tensor) {
    return tensor.kind == TensorKind::kVirtual && statement::needs_sumcheck(s, tensor);
  });
}

std::int64_t centred_sum(std::int64_t value, Fp delta) { return centred(Fp::from_int(value) + delta); }

// By one, by what a shift of 8 or 10 bits turns into one, by an integer that is far too large, by half of p.
const std::vector<Fp> kDeltas = {
    Fp(1), -Fp(1), Fp(256).inverse(), -Fp(1024).inverse(), Fp(std::uint64_t{1} << 40), Fp((field::kP - 1) / 2)};

class Cheating : public ::testing::TestWithParam<Example> {
 protected:
  void expect_verdict(const Session& session, const Assignment& assignment, const std::string& what) {
    const std::string expected = expected_verdict(GetParam(), report_of(GetParam(), assignment));
    const auto proved = session.prove(assignment, {.ignore_missing = true});
    ASSERT_TRUE(proved) << proved.error();
    EXPECT_EQ(session.verdict(proved.value().proof), expected) << what;
    rejected += expected == "accepted" ? 0u : 1u;
  }
  std::size_t rejected = 0;
};

TEST_P(Cheating, ACellIsChanged) {
  const Session session(GetParam());
  const Assignment honest = GetParam().assignment();
  std::mt19937_64 rng(7);
  for (TensorId id = 0; id < honest.arrays.size(); ++id) {
    const auto& tensor = GetParam().statement.tensors[id];
    if (tensor.kind != TensorKind::kWitness || honest.arrays[id].empty()) continue;
    const std::size_t before = rejected;
    for (std::size_t i = 0; i < kDeltas.size(); i += base::kTestStride) {
      Assignment changed = honest;
      std::int64_t& cell = changed.arrays[id][rng() % changed.arrays[id].size()];
      cell = centred_sum(cell, kDeltas[i]);
      expect_verdict(session, changed, tensor.name);
    }
    // Its sign.
    Assignment changed = honest;
    std::int64_t& cell = changed.arrays[id][rng() % changed.arrays[id].size()];
    cell = cell == 0 ? 1 : -cell;
    expect_verdict(session, changed, tensor.name);
    EXPECT_GT(rejected, before) << tensor.name << ": nothing was noticed";
  }
}

TEST_P(Cheating, TwoCellsAreChangedSoThatTheirSumHolds) {
  const Session session(GetParam());
  const Assignment honest = GetParam().assignment();
  for (TensorId id = 0; id < honest.arrays.size(); ++id) {
    const auto& tensor = GetParam().statement.tensors[id];
    if (tensor.kind != TensorKind::kWitness || honest.arrays[id].size() < 2) continue;
    Assignment changed = honest;
    changed.arrays[id].front() += 1;
    changed.arrays[id].back() -= 1;
    expect_verdict(session, changed, tensor.name);
  }
}

TEST_P(Cheating, AMultiplicityIsChanged) {
  const Session session(GetParam());
  const Assignment honest = GetParam().assignment();
  const auto counted = report_of(GetParam(), honest).arrays;
  for (const auto& table : GetParam().statement.tables) {
    for (const std::int64_t delta : {std::int64_t{1}, std::int64_t{-1}, std::int64_t{1} << 40}) {
      Assignment changed = honest;
      auto& counts = changed.arrays[table.multiplicity] = counted[table.multiplicity];
      counts[counts.size() / 2] += delta;
      expect_verdict(session, changed, table.name);
    }
    // Moved from one row to another: the sum of all is right.
    Assignment changed = honest;
    auto& counts = changed.arrays[table.multiplicity] = counted[table.multiplicity];
    counts.front() += 1;
    counts.back() -= 1;
    if (counts.size() > 1) expect_verdict(session, changed, table.name);
  }
}

TEST_P(Cheating, AMessageIsChanged) {
  const Session session(GetParam());
  const Assignment honest = GetParam().assignment();
  const std::pair<transcript::Label, const char*> kinds[] = {{messages::kLookupValues, "proof.column"},
                                                             {messages::kLinearValues, "proof.linear"},
                                                             {messages::kRound, "proof.sum"},
                                                             {messages::kSumValues, "proof.sum"}};
  for (const auto& [label, check] : kinds) {
    for (std::size_t which = 0;; ++which) {
      std::size_t seen = 0;
      Faults faults;
      faults.message = [&, id = label.id](transcript::Label sent, std::vector<Fp3>& elements) {
        if (sent.id != id || elements.empty() || seen++ != which) return;
        // Of a stage's values all: one that is multiplied by zeros alone would be noticed only later.
        const bool is_product = id == messages::kSumValues.id;
        for (std::size_t i = 0; i < elements.size(); ++i) {
          if (is_product || i == which % elements.size()) elements[i] += Fp3(field::Fp(i + 1));
        }
      };
      const auto proved = session.prove(honest, faults);
      ASSERT_TRUE(proved) << proved.error();
      if (seen <= which) break;
      EXPECT_EQ(session.verdict(proved.value().proof), check) << label.name << " " << which;
    }
  }
}

TEST_P(Cheating, TheLookupArgumentOrTheOpeningCheats) {
  const Session session(GetParam());
  const Assignment honest = GetParam().assignment();
  const auto verdict = [&](const Faults& faults) {
    return session.verdict(session.prove(honest, faults).value().proof);
  };
  if (!GetParam().statement.lookups.empty()) {
    Faults faults;
    faults.lookup.columns = [](auto& columns) { columns.back().denominator += field::kOne3; };
    EXPECT_EQ(verdict(faults), "lookup.column_denominators");
    faults.lookup.columns = [](auto& columns) { columns.front().numerator += field::kOne3; };
    EXPECT_EQ(verdict(faults), "lookup.column_numerators");
    faults = {};
    faults.lookup.layer = [](std::size_t, auto& values) { values[0] += field::kOne3; };
    EXPECT_EQ(verdict(faults), "lookup.layer");
  }
  Faults faults;
  faults.open.final_polynomial = [](auto& coefficients) { coefficients[0] += field::kOne3; };
  EXPECT_EQ(verdict(faults), "pcs.final_fold");
  faults = {};
  faults.open.sumcheck = [](std::size_t round, Fp3& at0, Fp3&) { at0 += round == 0 ? field::kOne3 : Fp3(); };
  EXPECT_EQ(verdict(faults), "pcs.final_claim");
}

// Two rows of a matrix, named by public values, are added. What is claimed of the values is false, but so that the sum
// over both is as it was: only the gathering, which has the values, can tell.
TEST(PublicValues, AFalseClaimTripsTheGathering) {
  statement::Builder b;
  const auto t = b.axis("t", 4), w = b.axis("w", 40), d = b.axis("d", 2);
  const auto V = b.values("v", {t}, 40), U = b.values("u", {t}, 40);
  const auto W = b.model("w", {w, d}, statement::signed_bits(8));
  const auto E = b.input("e", {t, d}, statement::signed_bits(16));
  b.zero("sum", {t, d}, sum({w}, b.one_hot(V(t), w) * W(w, d)) + sum({w}, b.one_hot(U(t), w) * W(w, d)) - E(t, d));
  const auto statement = b.build();
  ASSERT_TRUE(statement) << statement.error().text;
  Example example{"rows", statement.value(), {{}, {{1, 2, 3, 4}, {39, 38, 37, 36}}}, {}, {}};
  auto& weights = example.arrays["w"];
  for (std::int64_t i = 0; i < 80; ++i) weights.push_back(i * i % 127 - 50);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t k = 0; k < 2; ++k) {
      const auto row = [&](std::size_t list) {
        return weights[2 * static_cast<std::size_t>(example.instance.values[list][i]) + k];
      };
      example.arrays["e"].push_back(row(0) + row(1));
    }
  }
  const Session session(example);
  const auto verifier = session.verifier();
  const auto& plan = verifier.setting().plan;
  const auto& values = plan.stages.front().sum_values;
  std::vector<std::size_t> rows;  // places of the claims on one-hot tensors
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (statement.value().tensors[plan.claims[values[i]].tensor].kind == TensorKind::kStructured) rows.push_back(i);
  }
  ASSERT_EQ(rows.size(), 2u);
  ASSERT_EQ(plan.stages.back().reads.size(), 2u);
  for (const bool cheats : {false, true}) {
    Faults faults;
    bool is_first = true;
    faults.message = [&](transcript::Label label, std::vector<Fp3>& elements) {
      if (label.id != messages::kSumValues.id || !is_first) return;
      is_first = false;
      if (!cheats) return;
      elements[rows[0]] += field::kOne3;
      elements[rows[1]] -= field::kOne3;
    };
    const auto proof = session.prove(example.assignment(), faults).value().proof;
    const auto rejection = verifier.verify(session.session, proof);
    ASSERT_EQ(rejection.has_value(), cheats);
    if (!cheats) continue;
    EXPECT_EQ(verifier::name(rejection->check), std::string("proof.sum"));
    EXPECT_EQ(rejection->where, 0u);
  }
}

// Of the selection every public value follows from the logits, so each other one is refused: another token, threshold,
// random number, temperature, k or p.
TEST(Selection, OtherPublicValuesAreRefused) {
  for (const statement::Selection& how :
       {statement::Selection{.name = "greedy", .greedy = true}, statement::Selection{.name = "top_k", .k = 5},
        statement::Selection{.name = "top_p", .p = 200}}) {
    const Example honest = statement::selection_example(how, 3);
    for (std::size_t i = 0; i < honest.instance.values.size(); ++i) {
      for (const std::int64_t delta : {1, -1}) {
        Example example = honest;
        std::int64_t& value = example.instance.values[i][0];
        value += delta;
        if (value < 0 || static_cast<std::uint64_t>(value) >= example.statement.values[i].bound) continue;
        const auto report = report_of(example, example.assignment());
        EXPECT_FALSE(report.ok()) << how.name << " " << example.statement.values[i].name;
        const Session session(example);
        Faults faults;
        faults.ignore_missing = true;
        const auto proof = session.prove(example.assignment(), faults).value().proof;
        EXPECT_EQ(session.verdict(proof), expected_verdict(example, report)) << example.statement.values[i].name;
      }
    }
    // A threshold that lets all words through, and one that is shown, but not used.
    Example example = honest;
    for (std::size_t i = 0; i < example.instance.values.size(); ++i) {
      const auto& name = example.statement.values[i].name;
      if (name == "last_k") example.instance.values[i][0] = 0;
      if (name == "above_k") example.instance.values[i][0] = 64;
    }
    const auto failures = report_of(example, example.assignment()).failures;
    EXPECT_TRUE(std::any_of(failures.begin(), failures.end(),
                            [](const auto& failure) { return failure.name == "above_k_follows"; }));
  }
}

TEST_P(Cheating, AnotherSessionInstanceOrModel) {
  const Example& example = GetParam();
  const Session session(example);
  const auto proof = session.prove(example.assignment()).value().proof;
  ASSERT_EQ(session.verdict(proof), "accepted");
  const bool looks_up = !example.statement.lookups.empty();
  const auto expect_stale = [&](const Session& other) {
    // With other challenges the first layer of the lookup argument fails; without lookups the first sumcheck, and where
    // there is none the opening's first proof of work.
    const std::string verdict = other.verdict(proof);
    if (looks_up) {
      EXPECT_EQ(verdict, "lookup.layer");
    } else {
      EXPECT_EQ(verdict, has_sums(example.statement) ? "proof.sum" : "pcs.fold_grinding");
    }
  };
  Session other(example);
  other.session = {1, 2, 4};
  expect_stale(other);
  Example changed = example;
  bool has_model = false;
  for (const auto& tensor : example.statement.tensors) {
    if (tensor.kind != TensorKind::kModel || has_model) continue;
    changed.arrays.at(tensor.name)[0] += 1;
    has_model = true;
  }
  if (has_model) expect_stale(Session(changed));
  for (std::size_t i = 0; i < example.instance.values.size(); ++i) {
    Session asked(example);
    std::int64_t& value = asked.instance.values[i].back();
    value += static_cast<std::uint64_t>(value) + 1 < example.statement.values[i].bound ? 1 : -1;
    expect_stale(asked);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Cheating, ::testing::ValuesIn(base::some_of(statement::all_examples(), 4)),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace avow::prover
