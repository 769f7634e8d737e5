// SPDX-License-Identifier: Apache-2.0
// Random small statements against the reference checker: what it says of a witness, the verifier must say of its proof.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/test_stride.hpp"
#include "prover/random_statement_testing.hpp"
#include "prover/session_testing.hpp"
#include "statement/plan.hpp"

namespace avow::prover {
namespace {

using statement::Example;
using statement::TensorId;
using statement::TensorKind;
using testing::Session;

// Whether the statement holds; nothing if it cannot be told, as where multiplicities depend on themselves, or if the
// instance is refused.
std::optional<bool> holds(const Example& example, const statement::Assignment& assignment) {
  const auto binding = statement::Binding::bind(example.statement, example.instance);
  if (!binding) return std::nullopt;
  const auto report = statement::check(binding.value(), assignment);
  return report ? std::optional(report.value().ok()) : std::nullopt;
}

// One cell of one witness tensor, by one or by anything.
statement::Assignment changed(const Example& example, std::mt19937_64& rng) {
  auto assignment = example.assignment();
  std::vector<TensorId> witness;
  for (TensorId id = 0; id < assignment.arrays.size(); ++id) {
    const bool given = !assignment.arrays[id].empty();
    if (example.statement.tensors[id].kind == TensorKind::kWitness && given) witness.push_back(id);
  }
  auto& cells = assignment.arrays[witness[rng() % witness.size()]];
  auto& cell = cells[rng() % cells.size()];
  cell = centred(field::Fp::from_int(cell) + field::Fp(rng() % 2 == 0 ? 1 : rng()));
  return assignment;
}

// The verdict in phases, each state by way of its bytes.
std::string stepwise_verdict(const Session& session, base::ByteView proof) {
  const auto verifier = session.verifier();
  proof = proof.subspan(verifier::kHeaderBytes);
  verifier::State state;
  while (state.phase < verifier.phases()) {
    const std::size_t size = std::min(verifier.section_bytes(state), proof.size());
    auto next = verifier.advance(std::move(state), session.session, proof.first(size));
    if (!next) return verifier::name(next.error().check);
    state = std::move(next).value();
    proof = proof.subspan(size);
    if (state.phase == verifier.phases()) break;
    const auto bytes = verifier.encode(state);
    EXPECT_LE(bytes.size(), verifier::kMaxStateBytes);
    auto decoded = verifier.decode(bytes);
    if (!decoded) return verifier::name(decoded.error().check);
    state = std::move(decoded).value();
  }
  return "accepted";
}

// Every claim is opened or discharged once, and every zero claim has a value of its own.
void expect_all_discharged(const Session& session) {
  const auto verifier = session.verifier();
  const auto& plan = verifier.setting().plan;
  std::vector<std::size_t> discharged(plan.claims.size());
  for (const auto& stage : plan.stages) {
    for (const auto& equation : stage.linear) ++discharged[equation.claim];
    for (const auto& sum : stage.sums) ++discharged[sum.claim];
    for (const auto& gathered : stage.gathered) {
      for (const auto& claim : gathered.claims) ++discharged[claim.claim];
    }
    for (const auto& read : stage.reads) ++discharged[read.claim];
  }
  for (const auto claim : plan.opened) ++discharged[claim];
  EXPECT_EQ(std::count(discharged.begin(), discharged.end(), 1u), std::ssize(discharged));
  EXPECT_EQ(plan.zero_claims.size(), session.model().key().statement.zero_claims.size());
}

struct Tally {
  std::size_t statements = 0;
  std::size_t stages = 0;
  std::size_t lookups = 0;
  std::size_t rejected = 0;
};

void compare(std::uint64_t seed, Tally& tally) {
  const auto example = testing::random_statement(seed);
  if (!example) return;
  const auto honest = holds(*example, example->assignment());
  if (!honest) return;
  ASSERT_TRUE(*honest);
  ++tally.statements;
  tally.lookups += example->statement.lookups.size();
  const auto stages = statement::stages(example->statement);
  tally.stages += *std::max_element(stages.begin(), stages.end());

  const Session session(*example);
  expect_all_discharged(session);
  const auto proved = session.prove(example->assignment());
  ASSERT_TRUE(proved) << proved.error();
  EXPECT_EQ(session.verdict(proved.value().proof), "accepted");
  EXPECT_EQ(stepwise_verdict(session, proved.value().proof), "accepted");
  std::mt19937_64 rng(seed);
  for (int i = 0; i < 2; ++i) {
    const auto assignment = changed(*example, rng);
    const auto expected = holds(*example, assignment);
    ASSERT_TRUE(expected);
    const auto forged = session.prove(assignment, {.ignore_missing = true});
    ASSERT_TRUE(forged) << forged.error();
    const std::string verdict = session.verdict(forged.value().proof);
    EXPECT_EQ(verdict == "accepted", *expected) << verdict << ", change " << i;
    EXPECT_EQ(stepwise_verdict(session, forged.value().proof), verdict);
    tally.rejected += *expected ? 0u : 1u;
  }
}

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// AVOW_FIRST_SEED and AVOW_SEEDS: for longer runs, and to come back to one seed.
TEST(RandomStatements, ProofsAgreeWithTheChecker) {
  Tally tally;
  const std::uint64_t first = number_of("AVOW_FIRST_SEED", 1);
  const std::uint64_t seeds = number_of("AVOW_SEEDS", 500 / base::kTestStride);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    compare(seed, tally);
  }
  // They have to be of the kind that matters.
  if (seeds < 100) return;
  EXPECT_GT(tally.statements, seeds / 3);
  EXPECT_GT(tally.stages, tally.statements);
  EXPECT_GT(tally.lookups, tally.statements);
  EXPECT_GT(tally.rejected, tally.statements);
}

}  // namespace
}  // namespace avow::prover
