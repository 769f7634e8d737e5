// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pcs/parameters.hpp"
#include "prover/session_testing.hpp"

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

INSTANTIATE_TEST_SUITE_P(All, Operation, ::testing::ValuesIn(statement::all_examples()), name_of);
INSTANTIATE_TEST_SUITE_P(Shaped, Operation, ::testing::ValuesIn(statement::shaped_examples(1)), name_of);

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
  EXPECT_EQ(few.committed.size(), many.committed.size());
  EXPECT_LT(many_bytes, 1.1 * few_bytes);
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
