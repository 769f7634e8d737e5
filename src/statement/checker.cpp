// SPDX-License-Identifier: Apache-2.0
#include "statement/checker.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "field/goldilocks.hpp"
#include "statement/plan.hpp"
#include "statement/structured.hpp"

namespace avow::statement {
namespace {

using field::Fp;
__extension__ using Int128 = __int128;
using Array = std::vector<std::int64_t>;
using Row = std::vector<std::int64_t>;
using Place = std::vector<std::uint64_t>;

constexpr std::int64_t kHalf = static_cast<std::int64_t>((field::kP - 1) / 2);

std::int64_t centred(Fp x) {
  const std::uint64_t v = x.value();
  return v <= static_cast<std::uint64_t>(kHalf) ? static_cast<std::int64_t>(v)
                                                : -static_cast<std::int64_t>(field::kP - v);
}

// All indices of a box, row-major.
class Odometer {
 public:
  explicit Odometer(std::vector<std::uint64_t> shape) : shape_(std::move(shape)), place_(shape_.size()) {}
  [[nodiscard]] const Place& place() const { return place_; }
  bool next() {
    for (std::size_t i = shape_.size(); i-- > 0;) {
      if (++place_[i] < shape_[i]) return true;
      place_[i] = 0;
    }
    return false;
  }

 private:
  std::vector<std::uint64_t> shape_;
  Place place_;
};

// An access inside a loop over some axes.
class AccessReader {
 public:
  AccessReader(const Binding& binding, const std::vector<Array>& arrays, const Access& access,
               std::span<const AxisId> loop)
      : binding_(binding), tensor_(binding.statement().tensors[access.tensor]), array_(arrays[access.tensor]) {
    for (const Index& index : access.indices) {
      const bool fixed = index.kind == Index::Kind::kFixed;
      const auto depth = std::find(loop.begin(), loop.end(), static_cast<AxisId>(index.value)) - loop.begin();
      depth_.push_back(fixed ? kNone : static_cast<std::uint32_t>(depth));
      index_.push_back(fixed ? index.value : 0);
    }
  }

  std::int64_t at(const Place& loop) {
    for (std::size_t i = 0; i < index_.size(); ++i) {
      if (depth_[i] != kNone) index_[i] = loop[depth_[i]];
    }
    if (tensor_.kind == TensorKind::kStructured) return structured_value(binding_, tensor_, index_);
    std::uint64_t cell = 0;
    for (std::size_t i = 0; i < index_.size(); ++i) cell = cell * binding_.length(tensor_.axes[i]) + index_[i];
    return array_[cell];
  }

 private:
  const Binding& binding_;
  const Tensor& tensor_;
  const Array& array_;
  std::vector<std::uint32_t> depth_;
  Place index_;
};

// A sum in the field, and as an integer as long as 128 bits hold it.
class Sum {
 public:
  void add(std::int64_t coefficient, std::vector<AccessReader>& factors, const Place& loop) {
    Fp product = Fp::from_int(coefficient);
    Int128 exact = coefficient;
    for (AccessReader& factor : factors) {
      const std::int64_t value = factor.at(loop);
      product *= Fp::from_int(value);
      lost_ = __builtin_mul_overflow(exact, static_cast<Int128>(value), &exact) || lost_;
    }
    value_ += product;
    lost_ = __builtin_add_overflow(exact_, exact, &exact_) || lost_;
  }
  [[nodiscard]] std::int64_t value() const { return centred(value_); }
  [[nodiscard]] bool wraps() const { return lost_ || exact_ > kHalf || exact_ < -static_cast<Int128>(kHalf); }

 private:
  Fp value_;
  Int128 exact_ = 0;
  bool lost_ = false;
};

class Checker {
 public:
  Checker(const Binding& binding, std::vector<Array> arrays)
      : binding_(binding), s_(binding.statement()), given_(std::move(arrays)) {}

  base::Result<Report, Error> run() {
    if (auto error = inputs()) return base::Err{std::move(*error)};
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      if (auto error = evaluate(id)) return base::Err{std::move(*error)};
    }
    for (const TensorId id : s_.zero_claims) check_zero(id);
    for (TableId id = 0; id < s_.tables.size(); ++id) check_rows(id);
    for (const Lookup& lookup : s_.lookups) check_lookup(lookup);
    for (TableId id = 0; id < s_.tables.size(); ++id) check_multiplicity(id);
    return std::move(report_);
  }

 private:
  enum class State : std::uint8_t { kNew, kOpen, kDone };

  [[nodiscard]] TableId counted_by(TensorId id) const {
    for (TableId table = 0; table < s_.tables.size(); ++table) {
      if (s_.tables[table].multiplicity == id) return table;
    }
    return kNone;
  }

  [[nodiscard]] std::string where(std::span<const AxisId> axes, const Place& place) const {
    std::string text;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      text += fmt::format("{}{}={}", i == 0 ? "" : ", ", s_.axes[axes[i]].name, place[i]);
    }
    return fmt::format("[{}]", text);
  }

  // Takes the committed arrays over, as centred representatives.
  std::optional<Error> inputs() {
    if (given_.size() != s_.tensors.size()) {
      return Error{Cause::kArrays, fmt::format("{} arrays for {} tensors", given_.size(), s_.tensors.size())};
    }
    state_.resize(s_.tensors.size());
    report_.arrays.resize(s_.tensors.size());
    for (TensorId id = 0; id < s_.tensors.size(); ++id) {
      const Tensor& tensor = s_.tensors[id];
      if (tensor.kind == TensorKind::kStructured) state_[id] = State::kDone;
      if (tensor.kind != TensorKind::kModel && tensor.kind != TensorKind::kWitness) continue;
      if (given_[id].empty() && counted_by(id) != kNone) continue;
      if (given_[id].size() != binding_.cells(tensor.axes)) {
        return Error{Cause::kArrays, fmt::format("tensor '{}': {} cells", tensor.name, given_[id].size())};
      }
      note_inputs(id);
      Array& array = report_.arrays[id];
      array.reserve(given_[id].size());
      for (const std::int64_t value : given_[id]) array.push_back(centred(Fp::from_int(value)));
      state_[id] = State::kDone;
    }
    return std::nullopt;
  }

  void note_inputs(TensorId id) {
    const Tensor& tensor = s_.tensors[id];
    const std::int64_t high = std::int64_t{1} << (tensor.range.is_signed ? tensor.range.bits - 1 : tensor.range.bits);
    const std::int64_t low = tensor.range.is_signed ? -high : 0;
    std::set<WarningKind> seen;
    Odometer cell(binding_.shape(tensor.axes));
    for (const std::int64_t value : given_[id]) {
      const bool wraps = value > kHalf || value < -kHalf;
      if (wraps && seen.insert(WarningKind::kWraps).second) warn(WarningKind::kWraps, id, cell.place());
      if ((value < low || value >= high) && seen.insert(WarningKind::kRange).second) {
        warn(WarningKind::kRange, id, cell.place());
      }
      cell.next();
    }
  }

  void warn(WarningKind kind, TensorId id, const Place& place) {
    report_.warnings.push_back({kind, s_.tensors[id].name, place});
  }

  std::optional<Error> evaluate_factors(const Expression& terms) {
    for (const Term& term : terms) {
      for (const Access& factor : term.factors) {
        if (auto error = evaluate(factor.tensor)) return error;
      }
    }
    return std::nullopt;
  }

  // A virtual tensor after its factors; multiplicities that were left out after everything that they count. The latter
  // may again be made from multiplicities of other tables, hence the recursion.
  std::optional<Error> evaluate(TensorId id) {
    if (state_[id] == State::kDone) return std::nullopt;
    const Tensor& tensor = s_.tensors[id];
    if (state_[id] == State::kOpen) {
      return Error{Cause::kArrays,
                   fmt::format("multiplicities that depend on themselves, by '{}', must be given", tensor.name)};
    }
    state_[id] = State::kOpen;
    if (tensor.kind == TensorKind::kVirtual) {
      if (auto error = evaluate_factors(tensor.definition)) return error;
      evaluate_definition(id);
    } else {
      const TableId table = counted_by(id);
      for (const Expression& column : s_.tables[table].columns) {
        if (auto error = evaluate_factors(column)) return error;
      }
      for (const Lookup& lookup : s_.lookups) {
        if (lookup.table != table) continue;
        for (const Expression& entry : lookup.tuple) {
          if (auto error = evaluate_factors(entry)) return error;
        }
      }
      report_.arrays[id] = counts(table);
    }
    state_[id] = State::kDone;
    return std::nullopt;
  }

  [[nodiscard]] std::vector<AccessReader> readers(const Term& term, std::span<const AxisId> loop) const {
    std::vector<AccessReader> list;
    for (const Access& factor : term.factors) list.emplace_back(binding_, report_.arrays, factor, loop);
    return list;
  }

  void evaluate_definition(TensorId id) {
    const Tensor& tensor = s_.tensors[id];
    std::vector<Sum> sums(binding_.cells(tensor.axes));
    for (const Term& term : tensor.definition) {
      // Free axes first, so that the cell changes slowest.
      std::vector<AxisId> loop;
      for (const AxisUse& use : axis_uses(s_, tensor.axes, term)) loop.push_back(use.axis);
      auto factors = readers(term, loop);
      const std::uint64_t summed = binding_.cells(std::span(loop).subspan(tensor.axes.size()));
      std::uint64_t step = 0;
      Odometer place(binding_.shape(loop));
      do {
        sums[step / summed].add(term.coefficient, factors, place.place());
        ++step;
      } while (place.next());
    }
    Array& array = report_.arrays[id];
    Odometer place(binding_.shape(tensor.axes));
    bool warned = false;
    for (const Sum& sum : sums) {
      array.push_back(sum.value());
      if (sum.wraps() && !warned) {
        warn(WarningKind::kWraps, id, place.place());
        warned = true;
      }
      place.next();
    }
  }

  // body(place, row) for every index of the axes.
  template <typename Body>
  void for_each_row(std::span<const AxisId> axes, const std::vector<Expression>& entries, const Body& body) const {
    std::vector<std::vector<std::vector<AccessReader>>> factors;
    for (const Expression& entry : entries) {
      auto& terms = factors.emplace_back();
      for (const Term& term : entry) terms.push_back(readers(term, axes));
    }
    Row row(entries.size());
    Odometer place(binding_.shape(axes));
    do {
      for (std::size_t e = 0; e < entries.size(); ++e) {
        Sum sum;
        for (std::size_t t = 0; t < entries[e].size(); ++t)
          sum.add(entries[e][t].coefficient, factors[e][t], place.place());
        row[e] = sum.value();
      }
      body(place.place(), row);
    } while (place.next());
  }

  // The rows of a table in order, each with its number: a sorted list, in which a row is found by bisection.
  using Rows = std::vector<std::pair<Row, std::uint64_t>>;
  const Rows& rows(TableId id) {
    const auto [it, is_new] = rows_.try_emplace(id);
    if (is_new) {
      Rows& list = it->second;
      for_each_row(s_.tables[id].axes, s_.tables[id].columns,
                   [&](const Place&, const Row& row) { list.emplace_back(row, list.size()); });
      std::sort(list.begin(), list.end());
    }
    return it->second;
  }
  static Rows::const_iterator find(const Rows& rows, const Row& row) {
    const auto it =
        std::lower_bound(rows.begin(), rows.end(), row, [](const auto& a, const Row& b) { return a.first < b; });
    return it != rows.end() && it->first == row ? it : rows.end();
  }

  // body(place, tuple) for every cell of the lookup that the mask leaves.
  template <typename Body>
  void for_each_cell(const Lookup& lookup, const Body& body) const {
    std::vector<AccessReader> mask;
    if (lookup.mask) mask.emplace_back(binding_, report_.arrays, *lookup.mask, lookup.axes);
    for_each_row(lookup.axes, lookup.tuple, [&](const Place& place, const Row& tuple) {
      if (mask.empty() || mask[0].at(place) == 1) body(place, tuple);
    });
  }

  Array counts(TableId id) {
    const Rows& table = rows(id);
    Array counts(table.size());
    for (const Lookup& lookup : s_.lookups) {
      if (lookup.table != id) continue;
      for_each_cell(lookup, [&](const Place&, const Row& tuple) {
        const auto it = find(table, tuple);
        if (it != table.end()) ++counts[it->second];
      });
    }
    return counts;
  }

  [[nodiscard]] Place place_of(std::span<const AxisId> axes, std::uint64_t cell) const {
    Place place(axes.size());
    for (std::size_t i = axes.size(); i-- > 0;) {
      place[i] = cell % binding_.length(axes[i]);
      cell /= binding_.length(axes[i]);
    }
    return place;
  }

  void check_zero(TensorId id) {
    const Array& array = report_.arrays[id];
    const auto it = std::find_if(array.begin(), array.end(), [](std::int64_t value) { return value != 0; });
    if (it == array.end()) return;
    const Tensor& tensor = s_.tensors[id];
    const Place place = place_of(tensor.axes, static_cast<std::uint64_t>(it - array.begin()));
    report_.failures.push_back({ClaimKind::kZero,
                                tensor.name,
                                place,
                                {*it},
                                fmt::format("'{}' is {} at {}, not 0", tensor.name, *it, where(tensor.axes, place))});
  }

  void check_rows(TableId id) {
    const Rows& all = rows(id);
    const auto it =
        std::adjacent_find(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
    if (it == all.end()) return;
    const Table& table = s_.tables[id];
    const Place place = place_of(table.axes, (it + 1)->second);
    report_.failures.push_back({ClaimKind::kRows, table.name, place, it->first,
                                fmt::format("table '{}' has ({}) twice, the second at {}", table.name,
                                            fmt::join(it->first, ", "), where(table.axes, place))});
  }

  void check_lookup(const Lookup& lookup) {
    const Rows& table = rows(lookup.table);
    bool failed = false;
    for_each_cell(lookup, [&](const Place& place, const Row& tuple) {
      if (failed || find(table, tuple) != table.end()) return;
      failed = true;
      report_.failures.push_back(
          {ClaimKind::kLookup, lookup.name, place, tuple,
           fmt::format("lookup '{}': ({}) at {} is not in table '{}'", lookup.name, fmt::join(tuple, ", "),
                       where(lookup.axes, place), s_.tables[lookup.table].name)});
    });
  }

  void check_multiplicity(TableId id) {
    const Table& table = s_.tables[id];
    if (given_[table.multiplicity].empty()) return;
    const Array& given = report_.arrays[table.multiplicity];
    const Array counted = counts(id);
    const auto [it, truth] = std::mismatch(given.begin(), given.end(), counted.begin());
    if (it == given.end()) return;
    const Place place = place_of(table.axes, static_cast<std::uint64_t>(it - given.begin()));
    report_.failures.push_back({ClaimKind::kMultiplicity,
                                table.name,
                                place,
                                {*it, *truth},
                                fmt::format("table '{}': row {} is counted {} times, looked up {} times", table.name,
                                            where(table.axes, place), *it, *truth)});
  }

  const Binding& binding_;
  const Statement& s_;
  std::vector<Array> given_;
  std::vector<State> state_;
  std::map<TableId, Rows> rows_;
  Report report_;
};

}  // namespace

base::Result<Report, Error> check(const Binding& binding, Assignment assignment) {
  return Checker(binding, std::move(assignment.arrays)).run();
}

}  // namespace avow::statement
