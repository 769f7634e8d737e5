// SPDX-License-Identifier: Apache-2.0
#include "answer/model_key.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "answer/answers_testing.hpp"
#include "base/test_stride.hpp"
#include "compile/compile.hpp"
#include "compile/plans_testing.hpp"
#include "hash/keccak.hpp"
#include "statement/builder.hpp"
#include "statement/serialize.hpp"

namespace avow::answer {
namespace {

using testing::example_key;
using testing::small_plan;
using testing::verdict;

std::string verdict_of(const verifier::VerifyingKey& key) { return verdict(ModelKey::parse(serialize(key))); }

TEST(ModelKey, SaysWhatItWasMadeOf) {
  const auto plans = compile::small_plans();
  for (std::size_t i = 0; i < plans.size(); i += base::kTestStride) {
    const compile::Plan& plan = plans[i].second;
    SCOPED_TRACE(plans[i].first);
    const auto made = example_key(plan);
    const auto bytes = serialize(made);
    const auto key = ModelKey::parse(bytes);
    ASSERT_TRUE(key) << to_string(key.error());
    EXPECT_EQ(key.value().key(), made);
    EXPECT_EQ(key.value().id(), hash::keccak256(bytes));
    EXPECT_EQ(key.value().info().plan, plan);
    EXPECT_EQ(application_bytes(key.value().info()), made.application);
  }
}

TEST(ModelKey, OfALargeModelIsSmallEnough) {
  const auto bytes = serialize(example_key(compile::plan_of_124m()));
  EXPECT_LE(bytes.size(), verifier::kMaxKeyBytes);
}

// All of these are keys to the verifier: valid statements that determine their witness.
TEST(ModelKey, HasTheStatementOfItsPlan) {
  const auto with = [](statement::Statement statement) {
    auto key = example_key(small_plan());
    key.statement = std::move(statement);
    EXPECT_TRUE(verifier::parse_key(serialize(key)));
    return verdict_of(key);
  };
  const auto plans = compile::small_plans();
  for (std::size_t k = 1; k < plans.size(); k += base::kTestStride) {
    EXPECT_EQ(with(example_key(plans[k].second).statement), "answer.statement") << plans[k].first;
  }
  // With tensors of the same sizes; with a larger context.
  compile::Plan other = small_plan();
  other.query_shift += 1;
  EXPECT_EQ(with(example_key(other).statement), "answer.statement");
  other = small_plan();
  other.context *= 2;
  EXPECT_EQ(with(example_key(other).statement), "answer.statement");
  // Without a claim that the analysis does not miss.
  auto without = compile::compile(small_plan()).value();
  const auto dropped = std::erase_if(without.lookups, [](const auto& l) { return l.name == "max_above"; });
  ASSERT_EQ(dropped, 1u);
  EXPECT_EQ(with(statement::unnamed(std::move(without))), "answer.statement");
  // What the analysis refuses is not analysed: a statement that somebody made for it could take it long.
  statement::Builder b;
  const auto i = b.axis("i", 4);
  const auto X = b.witness("x", {i}, statement::signed_bits(8));
  b.zero("either", {i}, X(i) * X(i) - X(i));
  auto key = example_key(small_plan());
  key.statement = statement::unnamed(b.build().value());
  key.model.reset();
  const auto analysed = verifier::parse_key(serialize(key));
  ASSERT_FALSE(analysed);
  EXPECT_EQ(analysed.error().check, verifier::Check::kKeyAnalysis);
  EXPECT_EQ(verdict_of(key), "answer.statement");
}

TEST(ModelKey, HasApplicationBytesOfOneForm) {
  const auto good = example_key(small_plan()).application;
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_EQ(verdict(parse_application(base::ByteView(good).first(length))),
              length < 68 ? "answer.application" : "answer.plan")
        << length;
  }
  const auto info = parse_application(good).value();
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto changed = good;
    changed[i] ^= 1;
    const auto parsed = parse_application(changed);
    if (i < 4) {
      EXPECT_EQ(verdict(parsed), "answer.application");
    } else if (parsed) {
      EXPECT_NE(parsed.value(), info);
      EXPECT_EQ(application_bytes(parsed.value()), changed);
    } else {
      EXPECT_EQ(verdict(parsed), "answer.plan");
    }
  }
  // And keys have them.
  const auto with = [&](const base::Bytes& application) {
    auto key = example_key(small_plan());
    key.application = application;
    return verdict_of(key);
  };
  EXPECT_EQ(with({}), "answer.application");
  auto bytes = good;
  bytes[4] ^= 1;  // nothing is proven of it
  EXPECT_EQ(with(bytes), "accepted");
  bytes.push_back(0);
  EXPECT_EQ(with(bytes), "answer.plan");
  bytes.resize(verifier::kMaxApplicationBytes + 1);
  EXPECT_EQ(with(bytes), "key.truncated");
  compile::Plan other = small_plan();
  other.query_shift += 1;
  EXPECT_EQ(with(application_bytes({other, {}, {}})), "answer.statement");
}

TEST(ModelKey, RefusesWhatTheVerifierRefuses) {
  auto key = example_key(small_plan());
  key.config.oracles[0].queries -= 10;
  EXPECT_EQ(verdict_of(key), "key.config");
  key = example_key(small_plan());
  key.model.reset();
  EXPECT_EQ(verdict_of(key), "key.model");
  const auto rejection = ModelKey::parse({}).error();
  EXPECT_EQ(rejection.check, Check::kKey);
  ASSERT_TRUE(rejection.reason);
  EXPECT_EQ(rejection.reason->check, verifier::Check::kKeyTruncated);
}

TEST(ModelKey, RefusesDeliveriesBeforeItLooksAtAProof) {
  const auto key = ModelKey::parse(serialize(example_key(small_plan()))).value();
  Delivery delivery = testing::example_delivery();
  EXPECT_EQ(verdict(key.verify({}, {})), "answer.truncated");
  EXPECT_EQ(verdict(key.verify(encode(delivery, 2), {})), "answer.model");
  delivery.model_id = key.id();
  EXPECT_EQ(verdict(key.verify(encode(delivery, 2), {})), "proof.truncated");
  EXPECT_NE(verdict(key.verify(encode(delivery, 3), {})), "proof.truncated");
  delivery.answers[1].output[0] = 9;
  EXPECT_EQ(verdict(key.verify(encode(delivery, 2), {})), "answer.stop");
}

}  // namespace
}  // namespace avow::answer
