// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/folder_testing.hpp"
#include "base/test_stride.hpp"
#include "pcs/parameters.hpp"
#include "prover/memory.hpp"
#include "prover/session_testing.hpp"
#include "verifier/security.hpp"

namespace avow::prover {
namespace {

using testing::Session;

std::string name_of(const ::testing::TestParamInfo<statement::Example>& info) { return info.param.name; }

class Operation : public ::testing::TestWithParam<statement::Example> {};

TEST_P(Operation, HonestProofsVerify) {
  const Session session(GetParam());
  transcript::Manifest provers, verifiers;
  const auto proved = session.prove(GetParam().assignment(), {}, &provers);
  ASSERT_TRUE(proved) << proved.error();
  const auto rejection = session.verifier().verify(session.session, proved.value().proof, &verifiers);
  ASSERT_FALSE(rejection) << verifier::to_string(*rejection);
  EXPECT_EQ(provers, verifiers);
}

INSTANTIATE_TEST_SUITE_P(All, Operation, ::testing::ValuesIn(base::some_of(statement::all_examples(), 2)), name_of);
INSTANTIATE_TEST_SUITE_P(Shaped, Operation, ::testing::ValuesIn(base::some_of(statement::shaped_examples(1), 5)),
                         name_of);

// The same block with 4 and with 64 layers, and the same parameters, as a key fixes them: no more messages, no more
// claims, and hardly more bytes.
TEST(Depth, IsFree) {
  const auto proved = [](std::uint64_t layers, reduction::Plan& plan) {
    const auto example = statement::block_example(layers, 4, 12);
    const Session session(example, *pcs::choose_parameters(14, 128, pcs::Profile::kModel));
    plan = session.verifier().setting().plan;
    const auto proof = session.prove(example.assignment()).value().proof;
    EXPECT_EQ(session.verdict(proof), "accepted");
    return proof.size();
  };
  reduction::Plan few, many;
  const auto few_bytes = static_cast<double>(proved(4, few));
  const auto many_bytes = static_cast<double>(proved(64, many));
  EXPECT_EQ(few.claims.size(), many.claims.size());
  EXPECT_EQ(few.opened.size(), many.opened.size());
  EXPECT_LT(many_bytes, 1.1 * few_bytes);
}

// Of a product the stage joins one claim, the gathering both on x.
TEST(Security, CountsWhatIsJoined) {
  const Session session(statement::matmul_example(4, 12, 8));
  const auto verifier = session.verifier();
  const auto rounds = verifier::argument_rounds(verifier.setting());
  const auto join = std::find_if(rounds.begin(), rounds.end(),
                                 [](const auto& round) { return round.name == "join of a stage's claims"; });
  ASSERT_NE(join, rounds.end());
  EXPECT_EQ(join->error, "2 / q");
}

TEST(Prove, SaysWhichTupleIsMissing) {
  const auto example = statement::activation_example(12);
  const Session session(example);
  auto changed = example.assignment();
  for (statement::TensorId id = 0; id < changed.arrays.size(); ++id) {
    if (example.statement.tensors[id].name == "y") changed.arrays[id][7] += 1;
  }
  const auto proved = session.prove(changed);
  ASSERT_FALSE(proved);
  EXPECT_THAT(proved.error(), ::testing::HasSubstr("lookup 'activation'"));
  EXPECT_THAT(proved.error(), ::testing::HasSubstr("at cell 7 is not in table 'activation_table'"));
}

TEST(Prove, TellsItsProgressAndCanBeCancelled) {
  const auto example = statement::matmul_example(3, 12, 5);
  const Session session(example);
  const auto arrays = example.assignment().arrays;
  std::vector<Phase> phases;
  std::vector<std::uint64_t> done;
  std::atomic<bool> cancelled{false};
  Phase cancel_in = Phase::kEvaluate;
  bool cancel = false;
  ProveOptions options;
  options.cancelled = &cancelled;
  options.progress = [&](Phase next, std::uint64_t part, std::uint64_t total) {
    phases.push_back(next);
    done.push_back(part);
    EXPECT_LT(part, total);
    if (cancel && next == cancel_in) cancelled = true;
  };
  EXPECT_TRUE(prove(session.model(), session.instance, testing::to_arrays(arrays), options));
  const std::vector<Phase> all = {Phase::kEvaluate, Phase::kCommit, Phase::kLookups, Phase::kStages, Phase::kOpen};
  EXPECT_EQ(phases, all);
  EXPECT_EQ(done[0], 0);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));

  cancel = true;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    SCOPED_TRACE(name(all[i]));
    cancel_in = all[i];
    cancelled = false;
    phases.clear();
    const auto proved = prove(session.model(), session.instance, testing::to_arrays(arrays), options);
    ASSERT_FALSE(proved);
    EXPECT_EQ(proved.error(), kCancelled);
    EXPECT_EQ(phases.size(), i + 1);
  }
}

// A proof needs of the file that it is there, not which of the ways made it.
TEST(Model, KeepsItsTreeInAFile) {
  const auto example = statement::block_example(3, 4, 12);
  const auto config = testing::small_config(1 << 14);
  const base::testing::ScratchFolder directory;
  std::vector<pcs::CacheError> reports;
  std::size_t builds = 0;
  const auto proof_of = [&](const CommitOptions& options) {
    const auto model =
        Model::commit(example.statement, config, testing::to_arrays(example.assignment().arrays), {}, options);
    EXPECT_TRUE(model);
    auto proved = prove(*model.value(), example.instance, testing::to_arrays(example.assignment().arrays));
    EXPECT_TRUE(proved);
    return std::move(proved).value().proof;
  };
  const auto expected = proof_of({});
  for (const pcs::CacheMode mode : {pcs::CacheMode::kTreeOnly, pcs::CacheMode::kFull}) {
    CommitOptions options;
    options.cache = directory / "tree";
    options.mode = mode;
    options.report = [&](const pcs::CacheProblem& problem) { reports.push_back(problem.code); };
    options.progress = [&](std::size_t done, std::size_t total) {
      builds += done == total ? 1 : 0;
      return true;
    };
    reports.clear();
    EXPECT_EQ(proof_of(options), expected);  // made, the second time in place of one of another mode
    EXPECT_EQ(proof_of(options), expected);  // opened
  }
  EXPECT_EQ(builds, 2);
  EXPECT_EQ(reports, std::vector{pcs::CacheError::kForeign});

  CommitOptions nowhere;
  nowhere.cache = directory / "missing" / "tree";
  nowhere.report = [&](const pcs::CacheProblem& problem) { reports.push_back(problem.code); };
  reports.clear();
  EXPECT_EQ(proof_of(nowhere), expected);  // in memory
  EXPECT_EQ(reports, std::vector{pcs::CacheError::kIo});
}

TEST(Memory, GrowsWithTheInstanceAndTheModelsTree) {
  const auto example = statement::block_example(3, 4, 12);
  ASSERT_FALSE(example.instance.lengths.empty());
  const auto made = [&](unsigned log_rows) {
    return Session(example, *pcs::choose_parameters(log_rows, 128, pcs::Profile::kModel));
  };
  const Session small = made(12), large = made(16);
  auto lengths = example.instance.lengths;
  const auto least = estimate_memory(small.model(), lengths);
  ASSERT_TRUE(least);
  EXPECT_GE(*least, small.model().memory_bytes());
  const auto more = estimate_memory(large.model(), lengths);
  ASSERT_TRUE(more);
  // The trees of model and witness are 15/16 of what is more.
  EXPECT_GE(*more - *least, 2 * (large.model().memory_bytes() - small.model().memory_bytes()) * 15 / 16);

  auto longer = lengths;
  longer[0] *= 2;
  EXPECT_GT(estimate_memory(small.model(), longer).value_or(0), *least);
  EXPECT_EQ(estimate_memory(small.model(), {}), std::nullopt);
  longer[0] = std::uint64_t{1} << 33;
  EXPECT_EQ(estimate_memory(small.model(), longer), std::nullopt);
}

TEST(Model, RefusesWeightsOutsideTheirNoteAndWhatCanWrap) {
  auto example = statement::matmul_example(3, 12, 5);
  const auto refused = [&] {
    const auto error = check_model(example.statement, testing::to_arrays(example.assignment().arrays));
    return error ? std::string(statement::name(error->cause)) + " " + error->text : "accepted";
  };
  EXPECT_EQ(refused(), "accepted");
  example.arrays["w"][7] = std::int64_t{1} << 20;
  EXPECT_THAT(refused(), ::testing::HasSubstr("statement.model_bounds 'w'"));
  for (auto& tensor : example.statement.tensors) {
    if (tensor.name == "w") tensor.range.bits = 62;
  }
  example.arrays["w"][7] = std::int64_t{1} << 60;
  EXPECT_THAT(refused(), ::testing::HasSubstr("statement.wrap"));
  EXPECT_THAT(refused(), ::testing::HasSubstr("'acc'"));
}

TEST(Prove, RefusesArraysOfTheWrongSize) {
  const auto example = statement::activation_example(12);
  const Session session(example);
  auto changed = example.assignment();
  for (auto& cells : changed.arrays) {
    if (cells.size() == 12) cells.pop_back();
  }
  const auto proved = session.prove(changed);
  ASSERT_FALSE(proved);
  EXPECT_EQ(proved.error(), "tensor 'x': 11 cells given, it has 12");
}

}  // namespace
}  // namespace avow::prover
