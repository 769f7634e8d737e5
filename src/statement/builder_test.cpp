// SPDX-License-Identifier: Apache-2.0
#include "statement/builder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statement/binding.hpp"
#include "statement/validate.hpp"

namespace avow::statement {
namespace {

using ::testing::HasSubstr;

// Axes and tensors that most cases need. What no claim depends on would be refused, hence the two claims.
struct Fixture {
  Builder b;
  AxisRef t = b.parameter("token", 48);
  AxisRef k = b.alias("key", t);
  AxisRef i = b.axis("in", 12);
  AxisRef j = b.axis("also", 12);
  AxisRef o = b.axis("out", 5);
  TensorRef x = b.witness("x", {t, i}, signed_bits(16));
  TensorRef w = b.model("w", {o, i}, signed_bits(16));
  TableRef table = b.range("small", 7);
  Fixture() {
    b.zero("used", {t, o}, sum({i}, x(t, i) * w(o, i)));
    b.lookup("looked", {t, i}, {x(t, i)}, table);
  }

  void expect(Cause cause, const std::string& text = "") const {
    const auto statement = b.build();
    ASSERT_FALSE(statement.ok());
    EXPECT_EQ(name(statement.error().cause), std::string(name(cause))) << statement.error().text;
    EXPECT_THAT(statement.error().text, HasSubstr(text));
  }
};

TEST(Builder, BuildsTheFixture) {
  const Fixture f;
  const auto statement = f.b.build();
  ASSERT_TRUE(statement.ok()) << statement.error().text;
  EXPECT_EQ(statement.value().zero_claims.size(), 1u);
}

TEST(Builder, RefusesNames) {
  // Control bytes and foreign letters are not shown, and no more than a name may have.
  const std::pair<std::string, std::string> names[] = {{"", ""},           {"1st", "1st"},
                                                       {"a b", "a b"},     {"a-b", "a-b"},
                                                       {"_a", "_a"},       {std::string(41, 'a'), std::string(40, 'a')},
                                                       {"\xc3\xa9", "??"}, {"x\x1b[2K\n", "x?[2K?"}};
  for (const auto& [bad, shown] : names) {
    Fixture f;
    f.b.axis(bad, 3);
    f.expect(Cause::kName, "'" + shown + "': not a name");
  }
}

TEST(Builder, RefusesRepeatedNames) {
  {
    Fixture f;
    f.b.axis("in", 3);
    f.expect(Cause::kRepeatedName, "axis 'in'");
  }
  {
    Fixture f;
    f.b.model("x", {f.i}, signed_bits(8));
    f.expect(Cause::kRepeatedName, "tensor 'x'");
  }
  {
    Fixture f;
    f.b.zero("used", {f.t, f.i}, f.x(f.t, f.i));
    f.expect(Cause::kRepeatedName, "'used'");
  }
  {
    Fixture f;
    f.b.lookup("looked", {f.t, f.i}, {f.x(f.t, f.i)}, f.table);
    f.expect(Cause::kRepeatedName, "'looked'");
  }
  {
    Fixture f;
    f.b.values("v", {}, 2);
    f.b.values("v", {}, 2);
    f.expect(Cause::kRepeatedName, "'v'");
  }
}

TEST(Builder, RefusesADuplicateAxis) {
  {
    Fixture f;
    f.b.witness("y", {f.t, f.t}, signed_bits(8));
    f.expect(Cause::kDuplicateAxis, "'y': axis 'token' twice");
  }
  // The diagonal of a matrix over an axis and its alias.
  {
    Fixture f;
    const auto S = f.b.witness("s", {f.t, f.k}, signed_bits(8));
    f.b.zero("diagonal", {f.t}, S(f.t, f.t));
    f.expect(Cause::kDuplicateAxis, "'diagonal': reads tensor 's' along 'token' twice");
  }
  {
    Fixture f;
    f.b.zero("z", {f.t, f.i}, sum({f.i}, f.x(f.t, f.i)));
    f.expect(Cause::kDuplicateAxis, "'z'");
  }
  {
    Fixture f;
    f.b.zero("z", {f.t}, sum({f.i}, sum({f.i}, f.x(f.t, f.i))));
    f.expect(Cause::kDuplicateAxis, "'z'");
  }
  // (sum_i x)(sum_i x) is not sum_i x x.
  {
    Fixture f;
    f.b.zero("z", {f.t}, sum({f.i}, f.x(f.t, f.i)) * sum({f.i}, f.x(f.t, f.i)));
    f.expect(Cause::kDuplicateAxis, "'z'");
  }
}

TEST(Builder, RefusesLengthMismatches) {
  {
    Fixture f;
    f.b.zero("z", {f.t, f.o}, f.x(f.t, f.o) - f.x(f.o, f.o));
    f.expect(Cause::kDuplicateAxis);
  }
  {
    Fixture f;
    f.b.zero("z", {f.k, f.t}, f.x(f.k, f.t));
    f.expect(Cause::kLengthMismatch, "'z': reads 'in' of tensor 'x' along 'token'");
  }
  {
    Fixture f;
    f.b.zero("z", {f.i}, f.w(f.i, f.i));
    f.expect(Cause::kDuplicateAxis);
  }
  {
    Fixture f;
    f.b.zero("z", {f.i, f.j}, f.w(f.i, f.j));
    f.expect(Cause::kLengthMismatch, "'out' of tensor 'w' along 'in'");
  }
  {
    Fixture f;
    f.b.zero("z", {f.o}, f.x(f.o, f.o));
    f.expect(Cause::kDuplicateAxis);
  }
  // A parameter's axis is never read along one of fixed length, however short.
  {
    Fixture f;
    f.b.zero("z", {f.o, f.i}, f.x(f.o, f.i));
    f.expect(Cause::kLengthMismatch, "'token' of tensor 'x' along 'out'");
  }
}

TEST(Builder, ReadsAxesOfOneLengthAliasesAndPrefixes) {
  Fixture f;
  f.b.zero("same_length", {f.t, f.j}, f.x(f.t, f.j));
  f.b.zero("alias", {f.k, f.i}, f.x(f.k, f.i));
  f.b.zero("prefix", {f.t, f.o}, f.x(f.t, f.o));
  f.b.zero("place", {f.t}, f.x(f.t, at(11)) - f.x(at(0), at(0)));
  const auto statement = f.b.build();
  ASSERT_TRUE(statement.ok()) << statement.error().text;
}

TEST(Builder, RefusesIndices) {
  {
    Fixture f;
    f.b.zero("z", {f.t}, f.x(f.t, at(12)));
    f.expect(Cause::kIndexRange, "at 12 of 'in'");
  }
  {
    Fixture f;
    f.b.zero("z", {f.i}, f.x(at(1), f.i));
    f.expect(Cause::kIndexRange, "at 1 of 'token'");
  }
  {
    Fixture f;
    f.b.zero("z", {f.t}, f.x(f.t));
    f.expect(Cause::kRank, "1 indices, it has 2 axes");
  }
}

TEST(Builder, RefusesWhatIsNotDeclared) {
  {
    Fixture f;
    f.b.zero("z", {f.t}, TensorRef{}(f.t));
    f.expect(Cause::kUnknownTensor, "'z'");
  }
  {
    Fixture f;
    f.b.zero("z", {AxisRef{}}, 1);
    f.expect(Cause::kUnknownAxis, "'z'");
  }
  {
    Fixture f;
    f.b.zero("z", {f.t}, f.x(f.t, AxisRef{}));
    f.expect(Cause::kUnboundAxis, "'z'");
  }
  {
    Fixture f;
    f.b.alias("a", AxisRef{});
    f.expect(Cause::kUnknownAxis, "'a'");
  }
  {
    Fixture f;
    f.b.zero("z", {f.t}, f.b.value(ValuesAt{9, {f.t.id}}));
    f.expect(Cause::kUnknownValues);
  }
  {
    Fixture f;
    f.b.lookup("l", {f.t, f.i}, {f.x(f.t, f.i)}, TableRef{});
    f.expect(Cause::kUnknownTable, "'l'");
  }
  {
    Fixture f;
    f.b.declare("later", {f.t});
    f.expect(Cause::kUnknownTensor, "'later'");
  }
  {
    Fixture f;
    f.b.zero(TensorRef{});
    f.expect(Cause::kUnknownTensor);
  }
}

TEST(Builder, RefusesSums) {
  {
    Fixture f;
    f.b.zero("z", {f.t, f.i}, sum({f.o}, f.x(f.t, f.i)));
    f.expect(Cause::kEmptySum, "'z'");
  }
  {
    Fixture f;
    f.b.zero("z", {f.t}, 0);
    f.expect(Cause::kEmptySum, "'z': no terms");
  }
  {
    Fixture f;
    f.b.zero("z", {f.t}, f.x(f.t, f.i));
    f.expect(Cause::kUnboundAxis, "'z': axis 'in'");
  }
}

TEST(Builder, RefusesCoefficients) {
  constexpr std::int64_t kLarge = std::int64_t{1} << 62;
  {
    Fixture f;
    f.b.zero("z", {f.t, f.i}, f.x(f.t, f.i) * kLarge * 2);
    f.expect(Cause::kCoefficient, "'z'");
  }
  {
    Fixture f;
    f.b.zero("z", {f.t, f.i}, f.x(f.t, f.i) * (kLarge + 1));
    f.expect(Cause::kCoefficient, "'z'");
  }
  {
    Fixture f;
    f.b.zero("z", {f.t, f.i}, f.x(f.t, f.i) * std::numeric_limits<std::int64_t>::min());
    f.expect(Cause::kCoefficient);
  }
  {
    Fixture f;
    f.b.zero("z", {f.t, f.i}, f.x(f.t, f.i) * -kLarge);
    EXPECT_TRUE(f.b.build().ok());
  }
}

TEST(Builder, RefusesCycles) {
  {
    Fixture f;
    const auto A = f.b.declare("a", {f.t});
    const auto B = f.b.define("b", {f.t}, A(f.t) + 1);
    f.b.define(A, B(f.t) + 1);
    f.b.zero(B);
    f.expect(Cause::kCycle, "'a': depends on itself");
  }
  {
    Fixture f;
    const auto A = f.b.declare("a", {f.t});
    f.b.define(A, A(f.t) * 2);
    f.b.zero(A);
    f.expect(Cause::kCycle, "'a'");
  }
}

TEST(Builder, SortsDefinitionsThatAreGivenLater) {
  Fixture f;
  const auto B = f.b.declare("b", {f.t, f.i});
  const auto A = f.b.declare("a", {f.t, f.i});
  f.b.define(B, A(f.t, f.i) + 1);
  f.b.define(A, f.x(f.t, f.i) - 1);
  f.b.zero(B);
  const auto statement = f.b.build();
  ASSERT_TRUE(statement.ok()) << statement.error().text;
  EXPECT_FALSE(validate(statement.value()).has_value());
}

TEST(Builder, RefusesTooManyStages) {
  for (const int depth : {6, 7}) {
    Fixture f;
    auto V = f.x;
    for (int d = 0; d < depth; ++d) {
      // Linear steps between the squares cost no stage.
      const auto half = f.b.define(fmt::format("linear{}", d), {f.t, f.i}, V(f.t, f.i) * 3 + 1);
      V = f.b.define(fmt::format("square{}", d), {f.t, f.i}, half(f.t, f.i) * half(f.t, f.i));
    }
    f.b.zero(V);
    if (depth == 6) {
      EXPECT_TRUE(f.b.build().ok());
    }
    if (depth == 7) f.expect(Cause::kDepth, "'square6': stage 7");
  }
}

TEST(Builder, RefusesDegrees) {
  {
    Fixture f;
    const auto x = f.x(f.t, f.i);
    f.b.zero("z", {f.t, f.i}, x * x * x);
    EXPECT_TRUE(f.b.build().ok());
  }
  {
    Fixture f;
    const auto x = f.x(f.t, f.i);
    f.b.zero("z", {f.t, f.i}, x * x * x * x);
    f.expect(Cause::kDegree, "'z': degree 5 in 'token'");
  }
}

TEST(Builder, RefusesKinds) {
  {
    Fixture f;
    f.b.define(f.x, f.x(f.t, f.i));
    f.expect(Cause::kKind, "'x': is not virtual");
  }
  {
    Fixture f;
    f.b.zero(f.x);
    f.expect(Cause::kZeroClaim, "'x'");
  }
  {
    Fixture f;
    f.b.table("t", {f.t, f.i}, {f.x(f.t, f.i)});
    f.expect(Cause::kKind, "table 't'");
  }
  {
    Fixture f;
    f.b.lookup("l", {f.t, f.i}, {f.x(f.t, f.i)}, f.table, f.x(f.t, f.i));
    f.expect(Cause::kKind, "lookup 'l'");
  }
  {
    Fixture f;
    f.b.lookup("l", {f.t, f.i}, {f.x(f.t, f.i)}, f.table, f.b.index(f.t));
    f.expect(Cause::kKind, "lookup 'l'");
  }
  {
    Fixture f;
    const auto v = f.b.define("v", {f.t, f.i}, f.x(f.t, f.i));
    f.b.define(v, 1);
    f.expect(Cause::kRepeatedName, "'v'");
  }
  {
    Fixture f;
    const auto v = f.b.define("v", {f.t, f.i}, f.x(f.t, f.i));
    f.b.zero(v);
    f.b.zero(v);
    f.expect(Cause::kZeroClaim, "'v'");
  }
}

TEST(Builder, RefusesTuples) {
  {
    Fixture f;
    f.b.lookup("l", {f.t, f.i}, {f.x(f.t, f.i), 1}, f.table);
    f.expect(Cause::kTuple, "2 entries for the 1 columns of 'small'");
  }
  {
    Fixture f;
    f.b.lookup("l", {f.t, f.i}, {f.x(f.t, f.i) * f.x(f.t, f.i)}, f.table);
    f.expect(Cause::kTuple, "'l'");
  }
  {
    Fixture f;
    f.b.lookup("l", {f.t}, {sum({f.i}, f.x(f.t, f.i))}, f.table);
    f.expect(Cause::kUnboundAxis, "'l'");
  }
  {
    Fixture f;
    f.b.lookup("l", {f.t, f.o}, {f.x(f.t, f.o)}, f.table);
    f.expect(Cause::kLengthMismatch, "lookup 'l': reads a prefix of 'in' of tensor 'x'");
  }
  {
    Fixture f;
    f.b.table("none", {f.t}, {});
    f.expect(Cause::kCount, "'none'");
  }
}

TEST(Builder, RefusesStructuredTensors) {
  {
    Fixture f;
    f.b.zero("z", {f.t}, f.b.equal(f.t, f.t));
    f.expect(Cause::kDuplicateAxis);
  }
  {
    Fixture f;
    f.b.zero("z", {f.t, f.i, f.o}, f.b.shift(f.t, f.i, f.o, {.stride = 0}));
    f.expect(Cause::kStructured);
  }
  {
    Fixture f;
    f.b.zero("z", {f.t, f.i, f.o}, f.b.shift(f.t, f.i, f.o, {.stride = 65}));
    f.expect(Cause::kStructured);
  }
  {
    Fixture f;
    f.b.zero("z", {f.o}, f.b.piecewise(f.o, {{4, 0, 1}}));
    f.expect(Cause::kStructured);
  }
  {
    Fixture f;
    f.b.zero("z", {f.t}, f.b.piecewise(f.t, {{48, 0, 1}}));
    f.expect(Cause::kStructured);
  }
  {
    Fixture f;
    const auto v = f.b.values("v", {f.t}, 5);
    f.b.zero("z", {f.i, f.o}, f.b.one_hot(v(f.i), f.o));
    f.expect(Cause::kLengthMismatch, "'in' is not as long as 'token' of 'v'");
  }
}

TEST(Builder, RefusesLengths) {
  {
    Fixture f;
    f.b.axis("zero", 0);
    f.expect(Cause::kLength, "'zero'");
  }
  {
    Fixture f;
    f.b.axis("long", (std::uint64_t{1} << 32) + 1);
    f.expect(Cause::kLength, "'long'");
  }
  {
    Fixture f;
    f.b.witness("wide", {f.t}, signed_bits(63));
    f.expect(Cause::kLength, "'wide'");
  }
  {
    Fixture f;
    f.b.values("v", {f.t}, 0);
    f.expect(Cause::kLength, "'v'");
  }
}

TEST(Builder, RefusesWhatNoClaimDependsOn) {
  {
    Fixture f;
    f.b.witness("free", {f.t}, signed_bits(8));
    f.expect(Cause::kUnused, "'free'");
  }
  {
    Fixture f;
    f.b.define("v", {f.t, f.i}, f.x(f.t, f.i));
    f.expect(Cause::kUnused, "'v'");
  }
  {
    Fixture f;
    f.b.range("idle", 3);
    f.expect(Cause::kUnused, "'idle'");
  }
}

TEST(Builder, RefusesTooMany) {
  {
    Fixture f;
    Expr expr = f.x(f.t, f.i);
    for (int n = 0; n < 64; ++n) expr = expr + f.x(f.t, f.i);
    f.b.zero("z", {f.t, f.i}, expr);
    f.expect(Cause::kCount, "65 terms");
  }
  {
    Fixture f;
    Expr expr = 0;
    for (int n = 0; n < 9; ++n) expr = expr + f.x(f.t, f.i);
    f.b.zero("z", {f.t, f.i}, expr * expr);
    f.expect(Cause::kCount, "'z'");
  }
  {
    Fixture f;
    Expr expr = f.x(f.t, at(0));
    for (int n = 0; n < 6; ++n) expr = expr * f.w(at(0), at(0));
    f.b.zero("z", {f.t}, expr);
    f.expect(Cause::kCount, "7 factors");
  }
}

// A hostile description that no builder makes.
TEST(Validate, RefusesMultiplicitiesOfTwoTables) {
  const Fixture f;
  Statement statement = f.b.build().value();
  statement.tables.push_back(statement.tables[0]);
  statement.tables[1].name = "second";
  EXPECT_EQ(validate(statement)->cause, Cause::kMultiplicity);
  statement.tables.pop_back();
  statement.tables[0].multiplicity = 0;
  EXPECT_EQ(validate(statement)->cause, Cause::kMultiplicity);
  statement.tables[0].multiplicity = 77;
  EXPECT_EQ(validate(statement)->cause, Cause::kUnknownTensor);
}

TEST(Binding, RefusesInstances) {
  Fixture f;
  const auto v = f.b.values("v", {f.t}, 5);
  f.b.zero("z", {f.t}, f.b.value(v(f.t)) + f.x(f.t, at(0)));
  const Statement statement = f.b.build().value();
  const auto cause = [&](std::vector<std::uint64_t> lengths, std::vector<std::vector<std::int64_t>> values) {
    const auto binding = Binding::bind(statement, {std::move(lengths), std::move(values)});
    return binding.ok() ? Cause{} : binding.error().cause;
  };
  EXPECT_EQ(cause({3}, {{0, 4, 2}}), Cause{});
  EXPECT_EQ(cause({3}, {{0, 5, 2}}), Cause::kInstance);
  EXPECT_EQ(cause({3}, {{0, -1, 2}}), Cause::kInstance);
  EXPECT_EQ(cause({3}, {{0, 4}}), Cause::kInstance);
  EXPECT_EQ(cause({3}, {}), Cause::kInstance);
  EXPECT_EQ(cause({}, {{0, 4, 2}}), Cause::kInstance);
  EXPECT_EQ(cause({3, 3}, {{0, 4, 2}}), Cause::kInstance);
  EXPECT_EQ(cause({0}, {{}}), Cause::kInstance);
  for (const std::uint64_t length : {1u, 2u, 3u, 4u, 6u, 8u, 12u, 16u, 24u, 32u, 48u}) {
    EXPECT_EQ(cause({length}, {std::vector<std::int64_t>(length)}), Cause{}) << length;
  }
  for (const std::uint64_t length : {5u, 7u, 9u, 10u, 36u, 40u, 64u}) {
    EXPECT_EQ(cause({length}, {std::vector<std::int64_t>(length)}), Cause::kInstance) << length;
  }
}

TEST(Binding, RefusesHugeTensors) {
  Builder b;
  const auto i = b.axis("i", std::uint64_t{1} << 32);
  const auto j = b.axis("j", std::uint64_t{1} << 32);
  const auto k = b.axis("k", std::uint64_t{1} << 32);
  b.zero("z", {i, j, k}, b.witness("huge", {i, j, k}, signed_bits(16))(i, j, k));
  const auto statement = b.build();
  ASSERT_TRUE(statement.ok());
  const auto binding = Binding::bind(statement.value(), {});
  ASSERT_FALSE(binding.ok());
  EXPECT_EQ(binding.error().cause, Cause::kTooLarge);
}

}  // namespace
}  // namespace avow::statement
