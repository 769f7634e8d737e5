// SPDX-License-Identifier: Apache-2.0
// Statements over axes of one place: all points of a tensor are the same there, whatever challenges they are made of.
#include <gtest/gtest.h>

#include "prover/session_testing.hpp"
#include "statement/builder.hpp"

namespace avow::prover {
namespace {

using statement::Example;
using testing::Session;

// r = x - 5 is 0, and a byte.
Example looked_up_zero(std::uint64_t tokens, std::int64_t x) {
  statement::Builder b;
  const auto t = b.parameter("token", 8);
  const auto X = b.input("x", {t}, statement::signed_bits(8));
  const auto R = b.define("r", {t}, X(t) - 5);
  b.zero(R);
  b.lookup("r_range", {t}, {R(t)}, b.range("u8", 256));
  Example example;
  example.name = "looked_up_zero";
  example.statement = b.build().value();
  example.instance = {{tokens}, {}};
  example.arrays["x"] = std::vector<std::int64_t>(tokens, x);
  return example;
}

std::string verdict(const Example& example) {
  const Session session(example);
  const auto proved = session.prove(example.assignment());
  return proved ? session.verdict(proved.value().proof) : proved.error();
}

TEST(OnePlace, AZeroClaimHoldsWhereALookupReadsTheSameTensor) {
  for (const std::uint64_t tokens : {1u, 2u, 3u}) {
    EXPECT_EQ(verdict(looked_up_zero(tokens, 5)), "accepted") << tokens;
    EXPECT_EQ(verdict(looked_up_zero(tokens, 7)), "proof.linear") << tokens;
  }
}

}  // namespace
}  // namespace avow::prover
