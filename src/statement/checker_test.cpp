// SPDX-License-Identifier: Apache-2.0
#include "statement/checker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/test_stride.hpp"
#include "statement/builder.hpp"
#include "statement/examples_testing.hpp"

namespace avow::statement {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Report report_of(const Example& example, Assignment assignment) {
  const auto binding = Binding::bind(example.statement, example.instance);
  EXPECT_TRUE(binding.ok()) << example.name << (binding ? "" : binding.error().text);
  auto report = check(binding.value(), std::move(assignment));
  EXPECT_TRUE(report.ok()) << example.name << (report ? "" : report.error().text);
  return std::move(report).value();
}

TensorId id_of(const Statement& statement, const std::string& name) {
  for (TensorId id = 0; id < statement.tensors.size(); ++id) {
    if (statement.tensors[id].name == name) return id;
  }
  ADD_FAILURE() << name;
  return 0;
}

void expect_honest_passes(const Example& example) {
  const Report report = report_of(example, example.assignment());
  EXPECT_TRUE(report.ok()) << example.name << ": " << (report.ok() ? "" : report.failures[0].text);
  EXPECT_TRUE(report.warnings.empty()) << example.name << ": " << report.warnings[0].name;
  // With the multiplicities that it counted, too.
  Assignment full = example.assignment();
  for (const Table& table : example.statement.tables)
    full.arrays[table.multiplicity] = report.arrays[table.multiplicity];
  EXPECT_TRUE(report_of(example, std::move(full)).ok()) << example.name;
}

TEST(Checker, PassesHonestWitnesses) {
  for (const Example& example : all_examples()) expect_honest_passes(example);
}

TEST(Checker, PassesHonestWitnessesOfManyShapes) {
  expect_honest_passes(matmul_example(1, 1, 1));
  expect_honest_passes(matmul_example(6, 43, 12));
  expect_honest_passes(matmul_example(2, 768, 3));
  for (const std::uint64_t length : {1u, 3u, 12u, 43u, 768u, 1000u}) {
    expect_honest_passes(product_example(3, length));
    expect_honest_passes(row_sums_example(length, 3));
    expect_honest_passes(activation_example(length));
  }
  for (const std::uint64_t tokens : {1u, 2u, 3u, 8u, 24u}) expect_honest_passes(softmax_example(tokens));
  for (const std::uint64_t tokens : {1u, 3u, 8u, 12u}) expect_honest_passes(embedding_example(tokens));
  expect_honest_passes(convolution_example(12, 1, 1));
  expect_honest_passes(convolution_example(9, 3, 0));
}

// A cell under the causal mask's zeros, of a tensor [.., token, key].
bool is_future(const Example& example, std::size_t cell) {
  const std::uint64_t tokens = example.instance.lengths[0];
  return cell % tokens > cell / tokens % tokens;
}

constexpr bool kSampled = base::kTestStride > 1;

TEST(Checker, ReportsEverySingleCellChangeByName) {
  for (const Example& example : all_examples()) {
    for (const Tensor& tensor : example.statement.tensors) {
      if (tensor.kind != TensorKind::kWitness || example.arrays.find(tensor.name) == example.arrays.end()) continue;
      EXPECT_TRUE(std::any_of(example.mutations.begin(), example.mutations.end(), [&](const Mutation& mutation) {
        return mutation.tensor == tensor.name;
      })) << tensor.name;
    }
    const Assignment honest = example.assignment();
    for (const Mutation& mutation : example.mutations) {
      const TensorId id = id_of(example.statement, mutation.tensor);
      // Several cells of each; all of them in the long run.
      const std::size_t size = honest.arrays[id].size();
      const std::size_t step = std::getenv("AVOW_LONG") != nullptr ? 1 : kSampled ? size : size / 4 + 1;
      for (std::size_t cell = size % step; cell < size; cell += step) {
        if (mutation.causal && is_future(example, cell)) continue;
        for (const std::int64_t delta : mutation.deltas) {
          Assignment changed = honest;
          changed.arrays[id][cell] += delta;
          const Report report = report_of(example, std::move(changed));
          const auto expected = [&](const Failure& failure) {
            const auto& names = mutation.noticed_by;
            return std::find(names.begin(), names.end(), failure.name) != names.end();
          };
          EXPECT_TRUE(std::any_of(report.failures.begin(), report.failures.end(), expected))
              << example.name << ": " << mutation.tensor << " cell " << cell << " by " << delta;
        }
      }
    }
  }
}

TEST(Checker, SaysWhereAndWhat) {
  const Example example = product_example(3, 43);
  Assignment changed = example.assignment();
  const TensorId c = id_of(example.statement, "c");
  changed.arrays[c][43 + 5] += 9;
  changed.arrays[c][2 * 43] += 1;
  const Report report = report_of(example, changed);
  ASSERT_EQ(report.failures.size(), 1u);
  const Failure& failure = report.failures[0];
  EXPECT_EQ(failure.kind, ClaimKind::kZero);
  EXPECT_EQ(failure.name, "product");
  EXPECT_THAT(failure.index, ElementsAre(1, 5));
  EXPECT_THAT(failure.values, ElementsAre(-9));
  EXPECT_EQ(failure.text, "'product' is -9 at [row=1, col=5], not 0");
}

TEST(Checker, NamesTheTupleThatIsNoRow) {
  const Example example = activation_example(12);
  Assignment changed = example.assignment();
  changed.arrays[id_of(example.statement, "x")][7] = 3;
  changed.arrays[id_of(example.statement, "y")][7] = 28;
  const Report report = report_of(example, changed);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.failures[0].kind, ClaimKind::kLookup);
  EXPECT_THAT(report.failures[0].index, ElementsAre(7));
  EXPECT_THAT(report.failures[0].values, ElementsAre(3, 28));
  EXPECT_EQ(report.failures[0].text, "lookup 'activation': (3, 28) at [cell=7] is not in table 'activation_table'");
}

TEST(Checker, CountsAndChecksMultiplicities) {
  const Example example = activation_example(1000);
  const Report report = report_of(example, example.assignment());
  const TensorId count = example.statement.tables[0].multiplicity;
  std::vector<std::int64_t> expected(41);
  for (const std::int64_t x : example.arrays.at("x")) ++expected[static_cast<std::size_t>(x + 20)];
  EXPECT_EQ(report.arrays[count], expected);
  for (std::size_t row = 0; row < expected.size(); ++row) {
    Assignment changed = example.assignment();
    changed.arrays[count] = expected;
    changed.arrays[count][row] -= 1;
    const Report bad = report_of(example, changed);
    ASSERT_EQ(bad.failures.size(), 1u);
    EXPECT_EQ(bad.failures[0].kind, ClaimKind::kMultiplicity);
    EXPECT_EQ(bad.failures[0].name, "activation_table");
    EXPECT_THAT(bad.failures[0].index, ElementsAre(row));
    EXPECT_THAT(bad.failures[0].values, ElementsAre(expected[row] - 1, expected[row]));
  }
}

TEST(Checker, RefusesTablesWithARowTwice) {
  Builder b;
  const auto i = b.axis("i", 3);
  const auto keys = b.model("keys", {b.axis("row", 4)}, signed_bits(16));
  const auto X = b.witness("x", {i}, signed_bits(16));
  const auto row = AxisRef{1};
  b.lookup("any", {i}, {X(i)}, b.table("rows", {row}, {keys(row)}));
  const auto statement = b.build();
  ASSERT_TRUE(statement.ok()) << statement.error().text;
  const auto binding = Binding::bind(statement.value(), {});
  ASSERT_TRUE(binding.ok());
  const auto report = check(binding.value(), {{{5, 7, 5, 8}, {5, 5, 7}, {}}});
  ASSERT_TRUE(report.ok()) << report.error().text;
  ASSERT_EQ(report.value().failures.size(), 1u);
  EXPECT_EQ(report.value().failures[0].kind, ClaimKind::kRows);
  EXPECT_THAT(report.value().failures[0].index, ElementsAre(2));
}

// Histogram of the lookups of one table inside a definition: the selection statement's way.
TEST(Checker, CountsBeforeDefinitionsThatReadMultiplicities) {
  Builder b;
  const auto i = b.axis("i", 12);
  const auto X = b.witness("x", {i}, unsigned_bits(2));
  const auto total = b.witness("sum", {}, unsigned_bits(8));
  const auto table = b.range("u2", 4);
  const AxisRef row{1};
  b.lookup("x_range", {i}, {X(i)}, table);
  b.zero("sum_by_histogram", {}, sum({row}, b.multiplicity(table)(row) * b.index(row)) - total());
  const auto statement = b.build();
  ASSERT_TRUE(statement.ok()) << statement.error().text;
  const auto binding = Binding::bind(statement.value(), {});
  ASSERT_TRUE(binding.ok());
  Assignment assignment;
  for (const Tensor& tensor : statement.value().tensors) {
    if (tensor.name == "x")
      assignment.arrays.push_back({0, 3, 1, 2, 3, 3, 0, 0, 1, 1, 2, 3});
    else if (tensor.name == "sum")
      assignment.arrays.push_back({19});
    else
      assignment.arrays.emplace_back();
  }
  const auto report = check(binding.value(), assignment);
  ASSERT_TRUE(report.ok()) << report.error().text;
  EXPECT_TRUE(report.value().ok()) << report.value().failures[0].text;
}

TEST(Checker, RefusesMultiplicitiesThatDependOnThemselves) {
  Builder b;
  const auto row = b.axis("row", 4);
  const auto X = b.witness("x", {row}, unsigned_bits(2));
  const auto table = b.table("t", {row}, {b.index(row)});
  b.lookup("x_range", {row}, {X(row) + b.multiplicity(table)(row)}, table);
  const auto statement = b.build();
  ASSERT_TRUE(statement.ok()) << statement.error().text;
  const auto binding = Binding::bind(statement.value(), {});
  ASSERT_TRUE(binding.ok());
  Assignment assignment;
  for (const Tensor& tensor : statement.value().tensors) {
    assignment.arrays.push_back(tensor.name == "x" ? std::vector<std::int64_t>{0, 1, 2, 3}
                                                   : std::vector<std::int64_t>());
  }
  const auto report = check(binding.value(), assignment);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().cause, Cause::kArrays);
  EXPECT_THAT(report.error().text, HasSubstr("'t.count'"));
}

TEST(Checker, RefusesMissingAndShortArrays) {
  const Example example = product_example(3, 12);
  const auto binding = Binding::bind(example.statement, example.instance);
  Assignment assignment = example.assignment();
  assignment.arrays[0].pop_back();
  EXPECT_EQ(check(binding.value(), assignment).error().cause, Cause::kArrays);
  assignment.arrays[0].clear();
  EXPECT_EQ(check(binding.value(), assignment).error().cause, Cause::kArrays);
  assignment.arrays.clear();
  EXPECT_EQ(check(binding.value(), assignment).error().cause, Cause::kArrays);
}

// Over the field the products agree; as integers they do not.
TEST(Checker, WarnsOfIntegersThatLeaveTheField) {
  Example example = product_example(1, 3);
  example.arrays["a"] = {std::int64_t{1} << 32, 1, 1};
  example.arrays["b"] = {std::int64_t{1} << 32, 1, 200000};
  example.arrays["c"] = {(std::int64_t{1} << 32) - 1, 1, 200000};  // 2^64 = 2^32 - 1 modulo p
  const Report report = report_of(example, example.assignment());
  EXPECT_TRUE(report.ok());
  ASSERT_EQ(report.warnings.size(), 4u);
  for (const std::size_t i : {0u, 1u, 2u}) {
    EXPECT_EQ(report.warnings[i].kind, WarningKind::kRange);
    EXPECT_EQ(report.warnings[i].name, std::string(1, "abc"[i]));
  }
  EXPECT_THAT(report.warnings[1].index, ElementsAre(0, 0));
  EXPECT_EQ(report.warnings[3].kind, WarningKind::kWraps);
  EXPECT_EQ(report.warnings[3].name, "product");
  EXPECT_THAT(report.warnings[3].index, ElementsAre(0, 0));
}

}  // namespace
}  // namespace avow::statement
