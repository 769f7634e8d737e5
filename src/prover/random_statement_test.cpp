// SPDX-License-Identifier: Apache-2.0
// Random statements: any valid mixture of axes, aliases, prefixes, places, broadcasts, sums, structured factors,
// lookups and masks. What the reference checker says of a witness by plain loops, the verifier must say of its proof.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "prover/session_testing.hpp"
#include "statement/validate.hpp"

namespace avow::prover {
namespace {

using statement::Access;
using statement::Axis;
using statement::AxisId;
using statement::AxisKind;
using statement::Binding;
using statement::Example;
using statement::Index;
using statement::Statement;
using statement::StructuredKind;
using statement::Tensor;
using statement::TensorKind;
using statement::Term;

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : rng_(seed) {}

  // A statement with a witness that satisfies it, or nothing if the dice gave none that is valid.
  std::optional<Example> make() {
    Example example;
    s_ = &example.statement;
    add_axes();
    s_->values.push_back({"numbers", {kParameter}, 9});
    for (int i = 0; i < 4; ++i) add_committed(i);
    for (int i = 0; i < 5; ++i) add_definition(i);
    add_equations();
    add_lookups();
    const std::uint64_t lengths[] = {1, 2, 3, 4, 6, 8};
    example.instance.lengths = {lengths[roll(6)]};
    auto& numbers = example.instance.values.emplace_back();
    while (numbers.size() < example.instance.lengths[0]) numbers.push_back(static_cast<std::int64_t>(roll(9)));
    if (statement::validate(*s_)) return std::nullopt;
    const auto binding = Binding::bind(*s_, example.instance);
    if (!binding) return std::nullopt;
    if (!fill(example, binding.value())) return std::nullopt;
    return example;
  }

 private:
  static constexpr AxisId kParameter = 4;
  static constexpr std::uint64_t kRows = 256;

  std::uint64_t roll(std::uint64_t sides) { return rng_() % sides; }

  void add_axes() {
    const std::uint64_t lengths[] = {1, 2, 3, 4, 5, 7, 8, 12};
    for (const char* name : {"a", "b", "c"}) s_->axes.push_back({name, AxisKind::kFixed, lengths[roll(8)], 0});
    s_->axes.push_back({"long", AxisKind::kFixed, 8 + roll(5), 0});
    s_->axes.push_back({"token", AxisKind::kParameter, 8, 0});
    s_->axes.push_back({"key", AxisKind::kAlias, 0, kParameter});
    s_->axes.push_back({"a_again", AxisKind::kAlias, 0, 0});
    s_->axes.push_back({"row", AxisKind::kFixed, kRows, 0});
  }
  static constexpr AxisId kLoopAxes = 7;  // all but the table's

  std::vector<AxisId> some_axes(std::size_t most, bool fixed_only = false) {
    std::vector<AxisId> axes;
    const std::size_t count = roll(most + 1);
    while (axes.size() < count) {
      const auto axis = static_cast<AxisId>(roll(fixed_only ? 4 : kLoopAxes));
      if (std::find(axes.begin(), axes.end(), axis) == axes.end()) axes.push_back(axis);
    }
    return axes;
  }

  void add_committed(int i) {
    Tensor tensor;
    tensor.kind = i == 0 ? TensorKind::kModel : TensorKind::kWitness;
    tensor.name = "t" + std::to_string(i);
    tensor.axes = some_axes(3, i == 0);
    tensor.is_input = i != 0;
    s_->tensors.push_back(std::move(tensor));
  }

  statement::TensorId add_structured() {
    Tensor tensor;
    tensor.kind = TensorKind::kStructured;
    auto& p = tensor.structured;
    const StructuredKind kinds[] = {StructuredKind::kConstant, StructuredKind::kIndex,     StructuredKind::kEqual,
                                    StructuredKind::kLess,     StructuredKind::kLessEqual, StructuredKind::kShift,
                                    StructuredKind::kOneHot,   StructuredKind::kBelow,     StructuredKind::kValue};
    p.kind = kinds[roll(9)];
    const auto two = [&] {
      const AxisId pairs[][2] = {{4, 5}, {5, 4}, {0, 6}, {0, 1}, {1, 2}, {3, 0}};
      const auto& pair = pairs[roll(6)];
      tensor.axes = {pair[0], pair[1]};
    };
    switch (p.kind) {
      case StructuredKind::kConstant:
        tensor.axes = some_axes(2);
        p.constant = roll(2) == 0 ? 1 : -3;
        break;
      case StructuredKind::kIndex:
        tensor.axes = {static_cast<AxisId>(roll(kLoopAxes))};
        p.constant = static_cast<std::int64_t>(roll(5)) - 2;
        break;
      case StructuredKind::kShift:
        tensor.axes = {0, 1, 2};
        p.stride = 1 + static_cast<std::int64_t>(roll(2));
        p.dilation = 1 + static_cast<std::int64_t>(roll(2));
        p.padding = static_cast<std::int64_t>(roll(3));
        break;
      case StructuredKind::kOneHot:
      case StructuredKind::kBelow:
        tensor.axes = {kParameter, static_cast<AxisId>(roll(4))};
        break;
      case StructuredKind::kValue:
        tensor.axes = {kParameter};
        break;
      default:
        two();
    }
    s_->tensors.push_back(std::move(tensor));
    return static_cast<statement::TensorId>(s_->tensors.size() - 1);
  }

  // Each axis read along itself, now and then along another that fits, or at a place.
  Access read(statement::TensorId id) {
    Access access{id, {}};
    for (const AxisId axis : s_->tensors[id].axes) {
      Index index{Index::Kind::kAxis, axis};
      const std::uint64_t dice = roll(10);
      const Axis& root = s_->axes[s_->root(axis)];
      if (dice == 0) {
        index = {Index::Kind::kFixed, root.kind == AxisKind::kFixed ? roll(root.length) : 0};
      } else if (dice <= 3) {
        const auto other = static_cast<AxisId>(roll(kLoopAxes));
        if (statement::index_fits(*s_, other, axis)) index.value = other;
      }
      if (std::find(access.indices.begin(), access.indices.end(), index) != access.indices.end() &&
          index.kind == Index::Kind::kAxis) {
        index = {Index::Kind::kFixed, 0};
      }
      access.indices.push_back(index);
    }
    return access;
  }

  // Any tensor that is there, or a new structured one.
  statement::TensorId pick() {
    if (roll(4) == 0) return add_structured();
    statement::TensorId id = 0;
    do {
      id = static_cast<statement::TensorId>(roll(s_->tensors.size()));
    } while (s_->tensors[id].kind == TensorKind::kStructured);
    return id;
  }

  Term random_term() {
    const std::int64_t coefficients[] = {1, -1, 2, 3, -256};
    Term term{coefficients[roll(5)], {}};
    const std::size_t factors = roll(4);
    for (std::size_t i = 0; i < factors; ++i) term.factors.push_back(read(pick()));
    return term;
  }

  void add_definition(int i) {
    Tensor tensor;
    tensor.kind = TensorKind::kVirtual;
    tensor.name = "v" + std::to_string(i);
    tensor.axes = some_axes(3);
    const std::size_t terms = 1 + roll(3);
    for (std::size_t t = 0; t < terms; ++t) tensor.definition.push_back(random_term());
    s_->tensors.push_back(std::move(tensor));
    virtuals_.push_back(static_cast<statement::TensorId>(s_->tensors.size() - 1));
  }

  [[nodiscard]] Access in_place(statement::TensorId id) const {
    Access access{id, {}};
    for (const AxisId axis : s_->tensors[id].axes) access.indices.push_back({Index::Kind::kAxis, axis});
    return access;
  }

  // A committed copy of each virtual tensor, and the claim that it is one: everything is used.
  void add_equations() {
    for (const statement::TensorId id : virtuals_) {
      Tensor copy;
      copy.kind = TensorKind::kWitness;
      copy.name = s_->tensors[id].name + ".copy";
      copy.axes = s_->tensors[id].axes;
      copy.range.bits = 62;
      s_->tensors.push_back(copy);
      const auto copied = static_cast<statement::TensorId>(s_->tensors.size() - 1);
      copies_[id] = copied;
      Tensor zero;
      zero.kind = TensorKind::kVirtual;
      zero.name = s_->tensors[id].name + ".zero";
      zero.axes = copy.axes;
      zero.definition = {{1, {in_place(id)}}, {-1, {in_place(copied)}}};
      s_->tensors.push_back(zero);
      s_->zero_claims.push_back(static_cast<statement::TensorId>(s_->tensors.size() - 1));
    }
    // Inputs that nothing reads would be refused: an equation of their own.
    for (statement::TensorId id = 0; id < 4; ++id) {
      Tensor zero;
      zero.kind = TensorKind::kVirtual;
      zero.name = "all" + std::to_string(id);
      zero.axes = s_->tensors[id].axes;
      zero.definition = {{1, {in_place(id)}}, {-1, {in_place(id)}}};
      s_->tensors.push_back(zero);
      s_->zero_claims.push_back(static_cast<statement::TensorId>(s_->tensors.size() - 1));
    }
  }

  // Values of virtual and committed tensors in a table of all values that there are.
  void add_lookups() {
    Tensor values;
    values.kind = TensorKind::kModel;
    values.name = "table_values";
    values.axes = {kLoopAxes};
    values.range.bits = 62;
    s_->tensors.push_back(values);
    const auto column = static_cast<statement::TensorId>(s_->tensors.size() - 1);
    Tensor counts;
    counts.kind = TensorKind::kWitness;
    counts.name = "table.count";
    counts.axes = {kLoopAxes};
    counts.range = {32, false};
    s_->tensors.push_back(counts);
    s_->tables.push_back({"table", {kLoopAxes}, {{{1, {in_place(column)}}}}, column + 1});
    for (int i = 0; i < 3; ++i) {
      const auto id = virtuals_[roll(virtuals_.size())];
      statement::Lookup lookup{"l" + std::to_string(i), s_->tensors[id].axes, {}, 0, std::nullopt};
      lookup.tuple = {{{1, {in_place(id)}}, {1, {}}}};
      // One more axis along which the tuple is broadcast, and a mask on it.
      const auto more = static_cast<AxisId>(roll(kLoopAxes));
      if (std::find(lookup.axes.begin(), lookup.axes.end(), more) == lookup.axes.end()) lookup.axes.push_back(more);
      if (roll(2) == 0 && lookup.axes.size() >= 2 && lookup.axes[0] != lookup.axes[1]) {
        Tensor mask;
        mask.kind = TensorKind::kStructured;
        mask.axes = {lookup.axes[0], lookup.axes[1]};
        mask.structured.kind = roll(2) == 0 ? StructuredKind::kLess : StructuredKind::kLessEqual;
        s_->tensors.push_back(mask);
        lookup.mask = in_place(static_cast<statement::TensorId>(s_->tensors.size() - 1));
      }
      s_->lookups.push_back(std::move(lookup));
    }
  }

  // Cells: inputs at random, copies and table as the checker computes what they copy.
  bool fill(Example& example, const Binding& binding) {
    statement::Assignment assignment;
    for (const Tensor& tensor : s_->tensors) {
      auto& cells = assignment.arrays.emplace_back();
      if (tensor.kind != TensorKind::kModel && tensor.kind != TensorKind::kWitness) continue;
      cells.resize(binding.cells(tensor.axes));
      for (auto& x : cells) x = static_cast<std::int64_t>(roll(7)) - 3;
    }
    for (std::uint64_t row = 0; row < kRows; ++row) {
      assignment.arrays[column()][row] = static_cast<std::int64_t>(row) + 1000000;
    }
    const auto report = statement::check(binding, assignment);
    if (!report) return false;
    std::set<std::int64_t> values;
    for (const auto& lookup : s_->lookups) {
      for (const std::int64_t x : report.value().arrays[lookup.tuple[0][0].factors[0].tensor]) values.insert(x + 1);
    }
    if (values.size() > kRows) return false;
    std::copy(values.begin(), values.end(), assignment.arrays[column()].begin());
    for (const auto& [from, to] : copies_) assignment.arrays[to] = report.value().arrays[from];
    assignment.arrays[column() + 1].clear();
    for (statement::TensorId id = 0; id < s_->tensors.size(); ++id) {
      if (!assignment.arrays[id].empty()) example.arrays[s_->tensors[id].name] = assignment.arrays[id];
    }
    return true;
  }
  [[nodiscard]] statement::TensorId column() const { return s_->tables[0].multiplicity - 1; }

  std::mt19937_64 rng_;
  Statement* s_ = nullptr;
  std::vector<statement::TensorId> virtuals_;
  std::map<statement::TensorId, statement::TensorId> copies_;
};

TEST(RandomStatements, VerdictsAreThoseOfTheChecker) {
  const std::size_t wanted = std::getenv("AVOW_LONG") != nullptr ? 3000 : 60;
  std::size_t made = 0;
  std::size_t false_ones = 0;
  for (std::uint64_t seed = 1; made < wanted; ++seed) {
    ASSERT_LT(seed, 100 * wanted) << "hardly any statement is valid";
    const auto example = Generator(seed).make();
    if (!example) continue;
    SCOPED_TRACE(seed);
    const auto honest = example->assignment();
    const auto report = testing::report_of(*example, honest);
    ASSERT_TRUE(report.ok()) << report.failures[0].text;
    const testing::Session session(*example);
    Faults faults;
    faults.ignore_missing = true;
    const auto proved = session.prove(honest, faults);
    ASSERT_TRUE(proved) << proved.error();
    ASSERT_EQ(session.verdict(proved.value().proof), "accepted");
    ++made;
    std::mt19937_64 rng(seed);
    for (statement::TensorId id = 0; id < honest.arrays.size(); ++id) {
      if (example->statement.tensors[id].kind != TensorKind::kWitness || honest.arrays[id].empty()) continue;
      auto changed = honest;
      changed.arrays[id][rng() % changed.arrays[id].size()] += rng() % 2 == 0 ? 1 : -5;
      const std::string expected = testing::expected_verdict(*example, testing::report_of(*example, changed));
      false_ones += expected == "accepted" ? 0u : 1u;
      ASSERT_EQ(session.verdict(session.prove(changed, faults).value().proof), expected)
          << example->statement.tensors[id].name;
    }
  }
  EXPECT_GT(false_ones, wanted);
}

}  // namespace
}  // namespace avow::prover
