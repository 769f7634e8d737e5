// SPDX-License-Identifier: Apache-2.0
#include "verifier/key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "hash/keccak.hpp"
#include "pcs/opening_state.hpp"
#include "pcs/parameters.hpp"
#include "statement/builder.hpp"
#include "statement/examples_testing.hpp"
#include "verifier/verify.hpp"

namespace avow::verifier {
namespace {

using field::Fp;
using field::Fp3;

VerifyingKey example_key() {
  VerifyingKey key;
  key.config = *pcs::choose_parameters(12, 128, pcs::Profile::kModel);
  key.statement = statement::activation_example(43).statement;
  key.model = ModelCommitment{hash::keccak256({}), Fp3(Fp(1), Fp(2), Fp(3))};
  key.application = {9, 8, 7};
  return key;
}

std::string verdict(base::ByteView bytes) {
  const auto key = parse_key(bytes);
  return key ? "accepted" : name(key.error().check);
}

TEST(Key, GivesBackWhatWasWritten) {
  const auto key = example_key();
  const auto bytes = serialize(key);
  const auto parsed = parse_key(bytes);
  ASSERT_TRUE(parsed) << to_string(parsed.error());
  EXPECT_EQ(parsed.value(), key);
  EXPECT_EQ(serialize(parsed.value()), bytes);
  EXPECT_EQ(model_id(key), hash::keccak256(bytes));
}

TEST(Key, IsRefusedAtEveryLengthButItsOwn) {
  const auto bytes = serialize(example_key());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(verdict(base::ByteView(bytes).first(size)), "accepted") << size;
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(verdict(longer), "key.statement");
}

TEST(Key, EachPartHasItsError) {
  const auto good = serialize(example_key());
  const std::size_t config_size = pcs::serialize(example_key().config).size();
  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto bytes = good;
    bytes[at] = value;
    return bytes;
  };
  EXPECT_EQ(verdict(with(3, 1)), "key.version");
  EXPECT_EQ(verdict(with(4, 1)), "key.truncated");   // a configuration of 16 MiB
  EXPECT_EQ(verdict(with(8 + 3, 9)), "key.config");  // the configuration's own version
  EXPECT_EQ(verdict(with(8 + config_size, 1)), "key.truncated");
  const std::size_t flag = 8 + config_size + 4 + 3;
  EXPECT_EQ(verdict(with(flag, 2)), "key.model");
  EXPECT_EQ(verdict(with(flag + 1 + 32, 0xff)), "accepted");  // still below p: 0xff000000...
  auto not_canonical = good;
  base::store_be64(not_canonical.data() + flag + 33, field::kP);
  EXPECT_EQ(verdict(not_canonical), "key.model");
  EXPECT_EQ(verdict(with(flag + 1 + 56, static_cast<std::uint8_t>(~good[flag + 1 + 56]))), "key.program");
  EXPECT_EQ(verdict(with(flag + 1 + 56 + 32, 2)), "key.statement");
  EXPECT_EQ(verdict(base::Bytes(kMaxKeyBytes + 1)), "key.truncated");
}

// With its last oracles cut off, a configuration can be sound, and have the state of a long final polynomial.
TEST(Key, StatesBetweenPhasesAreBounded) {
  std::size_t refused = 0;
  for (unsigned log_rows = 14; log_rows <= 21; ++log_rows) {
    auto key = example_key();
    key.config = *pcs::choose_parameters(log_rows, 128, pcs::Profile::kModel);
    while (key.config.oracles.size() > 2) {
      key.config.oracles.pop_back();
      if (pcs::validate(key.config) != pcs::ConfigError::kNone) break;
      if (pcs::max_state_bytes(key.config) <= kMaxStateBytes) continue;
      const auto parsed = parse_key(serialize(key));
      ASSERT_FALSE(parsed);
      EXPECT_EQ(parsed.error().check, Check::kKeyConfig);
      EXPECT_THAT(parsed.error().text, ::testing::HasSubstr("states of"));
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

// Between the parts of a tree's rows a state has a digest of each row.
TEST(Key, StatesWithinRowsAreBounded) {
  auto key = example_key();
  key.config = *pcs::choose_parameters(14, 100, pcs::Profile::kModel);
  ASSERT_TRUE(parse_key(serialize(key)));
  const std::size_t before = pcs::max_state_bytes(key.config);
  key.config.oracles[0].queries = 400;
  // 36 bytes for each position would be too many, the 4 of a position itself are not.
  ASSERT_LT(before + 4 * 400, kMaxStateBytes);
  const auto parsed = parse_key(serialize(key));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().check, Check::kKeyConfig);
  EXPECT_THAT(parsed.error().text, ::testing::HasSubstr("states of"));
  // Rows of few columns are one part.
  key.config.max_log_columns = 2;
  EXPECT_TRUE(parse_key(serialize(key)));
}

TEST(Key, MustReachTheLevelItNames) {
  auto key = example_key();
  key.config.oracles[0].queries -= 10;
  EXPECT_EQ(verdict(serialize(key)), "key.config");
  // Nor is it the registrar's choice to name none.
  for (auto& oracle : key.config.oracles) oracle.queries = 1;
  for (const std::uint32_t level : {0u, 1u, kMinLevel - 1, kMaxLevel + 1, 0x80000000u, 0xffffffffu}) {
    key.config.level = level;
    EXPECT_EQ(verdict(serialize(key)), "key.config") << level;
  }
}

TEST(Key, HasACommitmentJustIfThereAreModelTensors) {
  auto key = example_key();
  key.model.reset();
  EXPECT_EQ(verdict(serialize(key)), "key.model");
  key = example_key();
  key.statement = statement::product_example(3, 4).statement;
  EXPECT_EQ(verdict(serialize(key)), "key.model");
  key.model.reset();
  EXPECT_EQ(verdict(serialize(key)), "accepted");
}

// The registrar is an adversary.
TEST(Key, RefusesStatementsThatDoNotDetermineTheirWitness) {
  using statement::Builder;
  const auto refused = [](const Builder& b) {
    VerifyingKey key = example_key();
    key.statement = b.build().value();
    const bool has_model = std::any_of(key.statement.tensors.begin(), key.statement.tensors.end(),
                                       [](const auto& tensor) { return tensor.kind == statement::TensorKind::kModel; });
    if (!has_model) key.model.reset();
    const auto parsed = parse_key(serialize(key));
    return parsed ? "accepted" : to_string(parsed.error());
  };
  {
    // A table whose keys are the registrar's: two values for one key.
    Builder b;
    const auto i = b.axis("i", 8);
    const auto row = b.axis("row", 8);
    const auto X = b.input("x", {i}, statement::signed_bits(8));
    const auto Y = b.witness("y", {i}, statement::signed_bits(8));
    const auto K = b.model("keys", {row}, statement::signed_bits(8));
    const auto V = b.model("values", {row}, statement::signed_bits(8));
    b.lookup("f", {i}, {X(i), Y(i)}, b.table("t", {row}, {K(row), V(row)}));
    EXPECT_THAT(refused(b), ::testing::HasSubstr("key.analysis: statement.table_keys: table 't'"));
  }
  {
    // Nothing pins y down.
    Builder b;
    const auto i = b.axis("i", 8);
    const auto Y = b.witness("y", {i}, statement::signed_bits(8));
    b.lookup("y_range", {i}, {Y(i)}, b.range("u8", 256));
    EXPECT_THAT(refused(b), ::testing::HasSubstr("key.analysis: statement.not_determined: 'y'"));
  }
  {
    // 2^62 y wraps around p: several y for one x.
    Builder b;
    const auto i = b.axis("i", 8);
    const auto X = b.input("x", {i}, statement::signed_bits(8));
    const auto Y = b.witness("y", {i}, statement::signed_bits(8));
    const auto u8 = b.range("u8", 256);
    b.lookup("x_range", {i}, {X(i)}, u8);
    b.lookup("y_range", {i}, {Y(i)}, u8);
    const auto R = b.define("r", {i}, X(i) + (std::int64_t{1} << 62) * Y(i));
    b.lookup("r_range", {i}, {R(i)}, u8);
    EXPECT_THAT(refused(b), ::testing::HasSubstr("key.analysis: statement."));
  }
}

TEST(Key, RefusesModelTensorsWhoseSizeTheInstanceChooses) {
  statement::Builder b;
  const auto t = b.parameter("token", 8);
  const auto X = b.input("x", {t}, statement::signed_bits(8));
  const auto P = b.model("position", {t}, statement::signed_bits(8));
  b.zero("z", {t}, X(t) - P(t));
  auto key = example_key();
  key.statement = b.build().value();
  const auto parsed = parse_key(serialize(key));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().check, Check::kKeyShape);
  EXPECT_EQ(parsed.error().text, "model tensor 'position' has axis 'token', whose length is the instance's");
}

TEST(Key, RefusesWhatCommitsToNothing) {
  statement::Builder b;
  const auto i = b.axis("i", 8);
  b.zero("z", {i}, b.index(i));
  auto key = example_key();
  key.statement = b.build().value();
  key.model.reset();
  EXPECT_EQ(verdict(serialize(key)), "key.shape");
}

TEST(Setting, RefusesInstancesAndShapesThatDoNotFit) {
  auto key = example_key();
  key.statement = statement::embedding_example(6).statement;
  const auto refused = [&](statement::Instance instance) {
    const auto verifier = Verifier::make(key, std::move(instance));
    return verifier ? "accepted" : std::string(name(verifier.error().check));
  };
  EXPECT_EQ(refused({{6}, {{0, 1, 2, 3, 4, 5}}}), "accepted");
  EXPECT_EQ(refused({{5}, {{0, 1, 2, 3, 4}}}), "proof.instance");
  EXPECT_EQ(refused({{6}, {{0, 1, 2, 3, 4}}}), "proof.instance");
  EXPECT_EQ(refused({{6}, {{0, 1, 2, 3, 4, 43}}}), "proof.instance");
  EXPECT_EQ(refused({{}, {}}), "proof.instance");
  // A witness of 2^23 cells in columns of 2^12: too many columns.
  statement::Builder b;
  const auto i = b.axis("i", (std::uint64_t{1} << 22) + 1);
  const auto X = b.input("x", {i}, statement::signed_bits(8));
  b.zero("z", {i}, X(i) - b.index(i));
  key.statement = b.build().value();
  key.model.reset();
  EXPECT_EQ(refused({}), "proof.instance");
  // Axes of 255 places each are cut into 8 pieces: 8^5 weights.
  statement::Builder many;
  std::vector<statement::AxisRef> axes;
  for (const char* axis : {"a", "b", "c", "d", "e"}) axes.push_back(many.axis(axis, 255));
  const auto Y = many.input("y", axes, statement::signed_bits(8));
  many.zero("z", axes, Y(axes[0], axes[1], axes[2], axes[3], axes[4]) - many.ones(axes));
  key.statement = many.build().value();
  EXPECT_EQ(refused({}), "proof.instance");
}

}  // namespace
}  // namespace avow::verifier
