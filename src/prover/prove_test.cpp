// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace avow::prover
