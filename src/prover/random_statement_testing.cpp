// SPDX-License-Identifier: Apache-2.0
#include "prover/random_statement_testing.hpp"

#include <algorithm>
#include <random>

#include "prover/array.hpp"
#include "statement/validate.hpp"

namespace avow::prover::testing {
namespace {

using statement::Access;
using statement::AxisId;
using statement::AxisKind;
using statement::Example;
using statement::Expression;
using statement::Index;
using statement::Statement;
using statement::StructuredKind;
using statement::Tensor;
using statement::TensorId;
using statement::TensorKind;
using statement::Term;

using Cells = std::vector<std::int64_t>;

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : rng_(seed) {}

  // A statement that holds for the arrays given, or nothing: this one broke a rule.
  std::optional<Example> run() {
    axes();
    for (int i = 0; i < 3; ++i) add_committed(pick(3) == 0 ? TensorKind::kModel : TensorKind::kWitness, random_axes(3));
    for (int i = 0; i < 4; ++i) add_structured();
    const std::size_t definitions = 1 + pick(5);
    for (std::size_t i = 0; i < definitions; ++i) add_virtual();
    if (pick(4) != 0) add_lookups();
    if (!close()) return std::nullopt;
    return example_;
  }

 private:
  Statement& s() { return example_.statement; }
  std::size_t pick(std::size_t n) { return rng_() % n; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(rng_() % static_cast<std::uint64_t>(high - low + 1));
  }
  std::string fresh(const char* what) { return what + std::to_string(names_++); }
  static Access read_along(TensorId id, std::span<const AxisId> axes) {
    Access access{id, {}};
    for (const AxisId axis : axes) access.indices.push_back({Index::Kind::kAxis, axis});
    return access;
  }
  [[nodiscard]] std::uint64_t length(AxisId axis) const { return lengths_[axis]; }
  [[nodiscard]] std::uint64_t cells(std::span<const AxisId> axes) const {
    std::uint64_t cells = 1;
    for (const AxisId axis : axes) cells *= length(axis);
    return cells;
  }

  AxisId add_axis(AxisKind kind, std::uint64_t declared, AxisId of, std::uint64_t actual) {
    s().axes.push_back({fresh("a"), kind, declared, of});
    lengths_.push_back(actual);
    return static_cast<AxisId>(s().axes.size() - 1);
  }
  void axes() {
    static constexpr std::uint64_t kFixed[] = {1, 2, 3, 4, 5, 6, 7, 12};
    static constexpr std::uint64_t kDyadic[] = {1, 1, 2, 3, 4, 6};
    for (int i = 0; i < 3; ++i) {
      const std::uint64_t n = kFixed[pick(std::size(kFixed))];
      add_axis(AxisKind::kFixed, n, 0, n);
    }
    for (int i = 0; i < 2; ++i) {
      const std::uint64_t n = kDyadic[pick(std::size(kDyadic))];
      add_axis(AxisKind::kParameter, n + pick(3), 0, n);
      example_.instance.lengths.push_back(n);
    }
    for (int i = 0; i < 2; ++i) {
      const auto of = static_cast<AxisId>(pick(5));
      add_axis(AxisKind::kAlias, 0, of, length(of));
    }
  }
  std::vector<AxisId> random_axes(std::size_t most) {
    std::vector<AxisId> all(s().axes.size());
    for (AxisId axis = 0; axis < all.size(); ++axis) all[axis] = axis;
    std::shuffle(all.begin(), all.end(), rng_);
    all.resize(pick(most + 1));
    return all;
  }

  static Tensor make_tensor(TensorKind kind, std::string name, std::vector<AxisId> axes) {
    Tensor tensor;
    tensor.kind = kind;
    tensor.name = std::move(name);
    tensor.axes = std::move(axes);
    return tensor;
  }
  TensorId add(Tensor tensor) {
    s().tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(s().tensors.size() - 1);
  }
  TensorId add_index(AxisId axis) {
    Tensor tensor = make_tensor(TensorKind::kStructured, "", {axis});
    tensor.structured.kind = StructuredKind::kIndex;
    return add(std::move(tensor));
  }
  TensorId add_committed(TensorKind kind, std::vector<AxisId> axes, Cells values = {}) {
    if (kind == TensorKind::kModel) {
      for (const AxisId axis : axes) {
        if (s().axes[s().root(axis)].kind == AxisKind::kParameter) kind = TensorKind::kWitness;
      }
    }
    if (values.empty()) {
      for (std::uint64_t i = cells(axes); i > 0; --i) values.push_back(between(-9, 9));
    }
    const std::string name = fresh(kind == TensorKind::kModel ? "m" : "w");
    example_.arrays[name] = std::move(values);
    return add(make_tensor(kind, name, std::move(axes)));
  }

  statement::ValuesId add_values(const std::vector<AxisId>& axes) {
    s().values.push_back({fresh("v"), axes, 1 + pick(16)});
    auto& values = example_.instance.values.emplace_back();
    for (std::uint64_t i = cells(axes); i > 0; --i)
      values.push_back(between(0, static_cast<std::int64_t>(s().values.back().bound) - 1));
    return static_cast<statement::ValuesId>(s().values.size() - 1);
  }
  // Wrong numbers of axes are refused by the rules, which is one more statement to draw.
  TensorId add_structured() {
    Tensor tensor = make_tensor(TensorKind::kStructured, "", {});
    auto& t = tensor.structured;
    t.kind = static_cast<StructuredKind>(pick(11));
    const auto distinct = [&](std::size_t rank) {
      do tensor.axes = random_axes(rank);
      while (tensor.axes.size() != rank);
    };
    switch (t.kind) {
      case StructuredKind::kConstant:
        tensor.axes = random_axes(3);
        t.constant = between(1, 9);
        break;
      case StructuredKind::kIndex:
        distinct(1);
        t.constant = between(-3, 3);
        break;
      case StructuredKind::kEqual:
      case StructuredKind::kLess:
      case StructuredKind::kLessEqual:
        distinct(2);
        break;
      case StructuredKind::kShift:
        distinct(3);
        t.stride = between(1, 3);
        t.dilation = between(1, 3);
        t.padding = between(0, 4);
        break;
      case StructuredKind::kOneHot:
      case StructuredKind::kBelow:
      case StructuredKind::kBetween: {
        distinct(1 + pick(3));
        const std::vector<AxisId> rest(tensor.axes.begin(), tensor.axes.end() - 1);
        t.values = add_values(rest);
        if (t.kind == StructuredKind::kBetween) t.lower = add_values(rest);
        break;
      }
      case StructuredKind::kValue:
        tensor.axes = random_axes(2);
        t.values = add_values(tensor.axes);
        break;
      case StructuredKind::kPiecewise: {
        tensor.axes = {static_cast<AxisId>(pick(3))};
        const std::uint64_t n = length(tensor.axes[0]);
        const std::uint64_t cut = n > 1 ? 1 + pick(n - 1) : n;
        t.pieces = {{cut, between(-5, 5), between(-2, 2)}};
        if (cut < n) t.pieces.push_back({n - cut, between(-5, 5), between(-2, 2)});
        break;
      }
    }
    return add(std::move(tensor));
  }

  // An access along `preferred` axes where they fit (at fixed places where not, if `only` these), else along any.
  Access access(TensorId id, std::span<const AxisId> preferred, bool only, bool prefixes) {
    Access access{id, {}};
    for (const AxisId axis : s().tensors[id].axes) {
      std::vector<Index> choices;
      const auto offer = [&](AxisId along, int weight) {
        const Index index{Index::Kind::kAxis, along};
        const bool fits = prefixes ? statement::index_fits(s(), along, axis) : statement::same_length(s(), along, axis);
        if (!fits || std::count(access.indices.begin(), access.indices.end(), index) != 0) return;
        choices.insert(choices.end(), static_cast<std::size_t>(weight), index);
      };
      for (const AxisId along : preferred) offer(along, 6);
      if (!only) {
        for (AxisId along = 0; along < s().axes.size(); ++along) offer(along, 2);
      }
      const bool fixed = s().axes[s().root(axis)].kind == AxisKind::kFixed;
      choices.push_back({Index::Kind::kFixed, fixed ? pick(length(axis)) : 0});
      access.indices.push_back(choices[pick(choices.size())]);
    }
    return access;
  }
  std::int64_t coefficient() {
    const std::int64_t c = pick(8) == 0 ? between(-(std::int64_t{1} << 61), std::int64_t{1} << 61) : between(-4, 4);
    return c == 0 ? 1 : c;
  }
  Expression expression(const std::vector<AxisId>& free_axes, std::size_t most_factors, bool linear) {
    Expression terms;
    for (std::size_t count = 1 + pick(3); count > 0; --count) {
      Term term{coefficient(), {}};
      std::vector<AxisId> preferred = free_axes;
      for (std::size_t f = pick(most_factors + 1); f > 0; --f) {
        TensorId id = static_cast<TensorId>(pick(s().tensors.size()));
        if (linear && s().tensors[id].kind == TensorKind::kWitness && no_witness_) continue;  // a table's column
        term.factors.push_back(access(id, preferred, linear, !linear));
        for (const Index& index : term.factors.back().indices) {
          if (index.kind == Index::Kind::kAxis) preferred.push_back(static_cast<AxisId>(index.value));
        }
      }
      terms.push_back(std::move(term));
    }
    return terms;
  }
  TensorId add_virtual() {
    Tensor tensor = make_tensor(TensorKind::kVirtual, fresh("d"), random_axes(2));
    tensor.definition = expression(tensor.axes, 4, false);
    return add(std::move(tensor));
  }

  // All arrays as the checker computes them; nothing if a rule is broken.
  std::optional<std::vector<Cells>> evaluate() {
    Statement copy = s();
    statement::Assignment assignment = example_.assignment();
    const auto binding = statement::Binding::bind(copy, example_.instance);
    if (!binding) return std::nullopt;
    auto report = statement::check(binding.value(), std::move(assignment));
    if (!report) return std::nullopt;
    return std::move(report).value().arrays;
  }

  // zero = tensor - a witness of its values; sometimes the zero is a factor of more.
  bool pin(TensorId id) {
    const auto arrays = evaluate();
    if (!arrays) return false;
    const auto axes = s().tensors[id].axes;
    const TensorId y = add_committed(TensorKind::kWitness, axes, (*arrays)[id]);
    const Access read = read_along(id, axes);
    const Access given = read_along(y, axes);
    Tensor difference = make_tensor(TensorKind::kVirtual, fresh("z"), axes);
    difference.definition = {{1, {read}}, {-1, {given}}};
    const TensorId zero = add(std::move(difference));
    s().zero_claims.push_back(zero);
    return true;
  }

  std::vector<std::int64_t> rows_of(const std::vector<AxisId>& axes, const Expression& column) {
    // By way of a virtual tensor that is taken away again.
    Tensor tensor = make_tensor(TensorKind::kVirtual, "rows", axes);
    tensor.definition = column;
    const TensorId id = add(std::move(tensor));
    auto arrays = evaluate();
    s().tensors.pop_back();
    return arrays ? (*arrays)[id] : Cells();
  }

  // Tables start with the row's own number, so that no two rows are equal.
  void add_lookups() {
    for (std::size_t tables = 1 + pick(2); tables > 0; --tables) {
      std::vector<AxisId> axes = random_axes(2);
      Expression number = {{between(-3, 3), {}}};
      if (number[0].coefficient == 0) number.clear();
      std::int64_t stride = 1;
      for (std::size_t i = axes.size(); i-- > 0;) {
        const TensorId id = add_index(axes[i]);
        number.push_back({stride, {{id, {{Index::Kind::kAxis, axes[i]}}}}});
        stride *= static_cast<std::int64_t>(length(axes[i]));
      }
      if (number.empty()) number.push_back({5, {}});
      std::vector<Expression> columns = {number};
      no_witness_ = true;
      for (std::size_t more = pick(3); more > 0; --more) columns.push_back(expression(axes, 1, true));
      no_witness_ = false;
      std::vector<Cells> rows;
      for (const auto& column : columns) rows.push_back(rows_of(axes, column));
      if (rows[0].empty()) return;
      const TensorId counts = add(make_tensor(TensorKind::kWitness, fresh("c"), axes));
      s().tables.push_back({fresh("t"), axes, columns, counts});
      for (std::size_t lookups = 1 + pick(2); lookups > 0; --lookups) add_lookup(rows);
    }
  }
  void add_lookup(const std::vector<Cells>& rows) {
    statement::Lookup lookup{
        fresh("l"), random_axes(2), {}, static_cast<statement::TableId>(s().tables.size() - 1), {}};
    const std::uint64_t size = cells(lookup.axes);
    std::vector<std::size_t> row(size);
    for (auto& r : row) r = pick(rows[0].size());
    for (const Cells& column : rows) {
      // entry = something + a witness that makes up for it.
      Expression entry = expression(lookup.axes, 1, true);
      Cells rest = rows_of(lookup.axes, entry);
      if (rest.empty()) rest.resize(size);
      for (std::uint64_t i = 0; i < size; ++i) {
        rest[i] = centred(field::Fp::from_int(column[row[i]]) - field::Fp::from_int(rest[i]));
      }
      const TensorId witness = add_committed(TensorKind::kWitness, lookup.axes, rest);
      entry.push_back({1, {read_along(witness, lookup.axes)}});
      lookup.tuple.push_back(std::move(entry));
    }
    std::vector<TensorId> masks;
    for (TensorId id = 0; id < s().tensors.size(); ++id) {
      const Tensor& tensor = s().tensors[id];
      if (tensor.kind == TensorKind::kStructured && statement::is_boolean(tensor.structured.kind)) masks.push_back(id);
    }
    if (!masks.empty() && pick(2) == 0) lookup.mask = access(masks[pick(masks.size())], lookup.axes, true, false);
    s().lookups.push_back(std::move(lookup));
  }

  // What nothing reads yet is pinned down, and some other definitions.
  bool close() {
    read_unused_structured();
    std::vector<bool> read = reads();
    const auto count = static_cast<TensorId>(s().tensors.size());
    for (TensorId id = 0; id < count; ++id) {
      if (s().tensors[id].kind != TensorKind::kVirtual && read[id]) continue;
      if (s().tensors[id].kind == TensorKind::kVirtual && read[id] && pick(3) != 0) continue;
      if (!pin(id)) return false;
    }
    if (pick(2) == 0 && !s().zero_claims.empty()) look_up_a_zero();
    return !statement::validate(s());
  }
  // The tensor of a zero claim in a lookup: two claims on one tensor, one of them of a given value.
  void look_up_a_zero() {
    const TensorId zero = s().zero_claims[pick(s().zero_claims.size())];
    const auto axes = s().tensors[zero].axes;
    const AxisId row = add_axis(AxisKind::kFixed, 4, 0, 4);
    const TensorId index = add_index(row);
    const TensorId counts = add(make_tensor(TensorKind::kWitness, fresh("c"), {row}));
    s().tables.push_back({fresh("t"), {row}, {{{1, {{index, {{Index::Kind::kAxis, row}}}}}}}, counts});
    const Access read = read_along(zero, axes);
    s().lookups.push_back(
        {fresh("l"), axes, {{{1, {read}}}}, static_cast<statement::TableId>(s().tables.size() - 1), {}});
  }
  std::vector<bool> reads() {
    std::vector<bool> read(s().tensors.size());
    const auto mark = [&](const Expression& terms) {
      for (const Term& term : terms) {
        for (const Access& factor : term.factors) read[factor.tensor] = true;
      }
    };
    for (const auto& tensor : s().tensors) mark(tensor.definition);
    for (const auto& table : s().tables) {
      for (const auto& column : table.columns) mark(column);
      read[table.multiplicity] = true;
    }
    for (const auto& lookup : s().lookups) {
      for (const auto& entry : lookup.tuple) mark(entry);
      if (lookup.mask) read[lookup.mask->tensor] = true;
    }
    return read;
  }
  // A structured tensor that nothing reads is no statement's.
  void read_unused_structured() {
    const auto read = reads();
    Tensor tensor = make_tensor(TensorKind::kVirtual, fresh("d"), random_axes(1));
    for (TensorId id = 0; id < read.size(); ++id) {
      if (s().tensors[id].kind != TensorKind::kStructured || read[id]) continue;
      tensor.definition.push_back({coefficient(), {access(id, tensor.axes, false, true)}});
    }
    if (!tensor.definition.empty()) add(std::move(tensor));
  }

  std::mt19937_64 rng_;
  Example example_{};
  std::vector<std::uint64_t> lengths_;
  std::size_t names_ = 0;
  bool no_witness_ = false;
};

}  // namespace

std::optional<Example> random_statement(std::uint64_t seed) { return Generator(seed).run(); }

}  // namespace avow::prover::testing
