// SPDX-License-Identifier: Apache-2.0
#include "statement/builder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "statement/validate.hpp"

namespace avow::statement {
namespace {

std::vector<AxisId> ids(const std::vector<AxisRef>& axes) {
  std::vector<AxisId> list;
  for (const AxisRef axis : axes) list.push_back(axis.id);
  return list;
}

bool contains(const std::vector<AxisId>& list, AxisId axis) {
  return std::find(list.begin(), list.end(), axis) != list.end();
}

bool reads_along(const Term& term, AxisId axis) {
  const Index index{Index::Kind::kAxis, axis};
  return std::any_of(term.factors.begin(), term.factors.end(), [&](const Access& factor) {
    return std::find(factor.indices.begin(), factor.indices.end(), index) != factor.indices.end();
  });
}

// Tensors in topological order, otherwise as they were declared; structured ones, which have no declaration, as they
// are first read: C++ leaves open which of two operands creates its tensor first, and the bytes must not depend on a
// compiler.
class Sorter {
 public:
  explicit Sorter(const Statement& statement) : statement_(statement), mark_(statement.tensors.size()) {}

  // The ids in their new order, or the id of a tensor that depends on itself.
  base::Result<std::vector<TensorId>, TensorId> run() {
    for (TensorId id = 0; id < mark_.size(); ++id) {
      if (statement_.tensors[id].kind != TensorKind::kStructured && !visit(id)) return base::Err{on_cycle_};
    }
    for (const Table& table : statement_.tables) {
      for (const Expression& column : table.columns) visit_read(column);
    }
    for (const Lookup& lookup : statement_.lookups) {
      for (const Expression& entry : lookup.tuple) visit_read(entry);
      if (lookup.mask) visit(lookup.mask->tensor);
    }
    for (TensorId id = 0; id < mark_.size(); ++id) visit(id);
    return order_;
  }

 private:
  enum class Mark : std::uint8_t { kNew, kOpen, kDone };

  bool visit(TensorId id) {
    if (mark_[id] == Mark::kDone) return true;
    on_cycle_ = id;
    if (mark_[id] == Mark::kOpen) return false;
    mark_[id] = Mark::kOpen;
    if (!visit_read(statement_.tensors[id].definition)) return false;
    mark_[id] = Mark::kDone;
    order_.push_back(id);
    return true;
  }

  bool visit_read(const Expression& terms) {
    for (const Term& term : terms) {
      for (const Access& factor : term.factors) {
        if (!visit(factor.tensor)) return false;
      }
    }
    return true;
  }

  const Statement& statement_;
  std::vector<Mark> mark_;
  std::vector<TensorId> order_;
  TensorId on_cycle_ = 0;
};

void renumber(Statement& statement, const std::vector<TensorId>& order) {
  std::vector<TensorId> now(order.size());
  std::vector<Tensor> tensors;
  for (TensorId id = 0; id < order.size(); ++id) {
    now[order[id]] = id;
    tensors.push_back(std::move(statement.tensors[order[id]]));
  }
  statement.tensors = std::move(tensors);
  const auto change = [&](Expression& terms) {
    for (Term& term : terms) {
      for (Access& factor : term.factors) factor.tensor = now[factor.tensor];
    }
  };
  for (Tensor& tensor : statement.tensors) change(tensor.definition);
  for (TensorId& id : statement.zero_claims) id = now[id];
  std::sort(statement.zero_claims.begin(), statement.zero_claims.end());
  for (Table& table : statement.tables) {
    for (Expression& column : table.columns) change(column);
    table.multiplicity = now[table.multiplicity];
  }
  for (Lookup& lookup : statement.lookups) {
    for (Expression& entry : lookup.tuple) change(entry);
    if (lookup.mask) lookup.mask->tensor = now[lookup.mask->tensor];
  }
}

}  // namespace

Expr::Expr(std::int64_t constant) {
  if (constant != 0) terms_.push_back({{constant, {}}, {}});
}

Expr::Expr(Access access) { terms_.push_back({{1, {std::move(access)}}, {}}); }

Expr operator+(Expr a, const Expr& b) {
  if (a.problem_ == Cause{}) a.problem_ = b.problem_;
  a.terms_.insert(a.terms_.end(), b.terms_.begin(), b.terms_.end());
  return a;
}

Expr operator-(const Expr& a, const Expr& b) { return a + Expr(-1) * b; }

Expr operator*(const Expr& a, const Expr& b) {
  Expr product(0);
  product.problem_ = a.problem_ != Cause{} ? a.problem_ : b.problem_;
  const auto fail = [&](Cause cause) {
    if (product.problem_ == Cause{}) product.problem_ = cause;
  };
  if (a.terms_.size() * b.terms_.size() > limits::kTerms) {
    fail(Cause::kCount);
    return product;
  }
  for (const auto& x : a.terms_) {
    for (const auto& y : b.terms_) {
      auto term = x;
      if (__builtin_mul_overflow(x.term.coefficient, y.term.coefficient, &term.term.coefficient)) {
        fail(Cause::kCoefficient);
      }
      // sum_i A[i] times something with an i of its own is not sum_i of the product.
      for (const AxisId axis : x.summed) {
        if (reads_along(y.term, axis)) fail(Cause::kDuplicateAxis);
      }
      for (const AxisId axis : y.summed) {
        if (reads_along(x.term, axis)) fail(Cause::kDuplicateAxis);
      }
      term.term.factors.insert(term.term.factors.end(), y.term.factors.begin(), y.term.factors.end());
      term.summed.insert(term.summed.end(), y.summed.begin(), y.summed.end());
      product.terms_.push_back(std::move(term));
    }
  }
  return product;
}

Expr sum(const std::vector<AxisRef>& axes, Expr expr) {
  for (auto& term : expr.terms_) {
    for (const AxisRef axis : axes) {
      if (expr.problem_ == Cause{}) {
        if (contains(term.summed, axis.id)) expr.problem_ = Cause::kDuplicateAxis;
        if (!reads_along(term.term, axis.id)) expr.problem_ = Cause::kEmptySum;
      }
      term.summed.push_back(axis.id);
    }
  }
  return expr;
}

void Builder::fail(Cause cause, std::string text) {
  if (!error_) error_ = Error{cause, std::move(text)};
}

AxisRef Builder::axis(std::string name, std::uint64_t length) {
  statement_.axes.push_back({std::move(name), AxisKind::kFixed, length, 0});
  return {static_cast<AxisId>(statement_.axes.size() - 1)};
}

AxisRef Builder::parameter(std::string name, std::uint64_t largest) {
  statement_.axes.push_back({std::move(name), AxisKind::kParameter, largest, 0});
  return {static_cast<AxisId>(statement_.axes.size() - 1)};
}

AxisRef Builder::alias(std::string name, AxisRef of) {
  const AxisId root = of.id < statement_.axes.size() ? statement_.root(of.id) : kNone;
  statement_.axes.push_back({std::move(name), AxisKind::kAlias, 0, root});
  return {static_cast<AxisId>(statement_.axes.size() - 1)};
}

ValuesRef Builder::values(std::string name, const std::vector<AxisRef>& axes, std::uint64_t bound) {
  statement_.values.push_back({std::move(name), ids(axes), bound});
  return {static_cast<ValuesId>(statement_.values.size() - 1)};
}

TensorRef Builder::add_tensor(Tensor tensor) {
  defined_.push_back(tensor.kind != TensorKind::kVirtual);
  statement_.tensors.push_back(std::move(tensor));
  return {static_cast<TensorId>(statement_.tensors.size() - 1)};
}

TensorRef Builder::model(std::string name, const std::vector<AxisRef>& axes, Range range) {
  return add_tensor({TensorKind::kModel, std::move(name), ids(axes), range, {}, {}, false});
}

TensorRef Builder::witness(std::string name, const std::vector<AxisRef>& axes, Range range) {
  return add_tensor({TensorKind::kWitness, std::move(name), ids(axes), range, {}, {}, false});
}

TensorRef Builder::input(std::string name, const std::vector<AxisRef>& axes, Range range) {
  return add_tensor({TensorKind::kWitness, std::move(name), ids(axes), range, {}, {}, true});
}

TensorRef Builder::declare(std::string name, const std::vector<AxisRef>& axes) {
  return add_tensor({TensorKind::kVirtual, std::move(name), ids(axes), {}, {}, {}, false});
}

TensorRef Builder::define(std::string name, const std::vector<AxisRef>& axes, const Expr& definition) {
  const TensorRef tensor = declare(std::move(name), axes);
  define(tensor, definition);
  return tensor;
}

void Builder::define(TensorRef tensor, const Expr& definition) {
  if (tensor.id >= statement_.tensors.size()) return fail(Cause::kUnknownTensor, "definition of an unknown tensor");
  const std::string who = fmt::format("definition '{}'", statement_.tensors[tensor.id].name);
  if (statement_.tensors[tensor.id].kind != TensorKind::kVirtual) return fail(Cause::kKind, who + ": is not virtual");
  if (defined_[tensor.id]) return fail(Cause::kRepeatedName, who + ": is defined already");
  defined_[tensor.id] = true;
  statement_.tensors[tensor.id].definition = expression(who, statement_.tensors[tensor.id].axes, definition);
}

void Builder::zero(std::string name, const std::vector<AxisRef>& axes, const Expr& expr) {
  zero(define(std::move(name), axes, expr));
}

void Builder::zero(TensorRef tensor) { statement_.zero_claims.push_back(tensor.id); }

// The terms with their sums checked: an axis of a factor is free or summed, and not both.
Expression Builder::expression(const std::string& who, const std::vector<AxisId>& free_axes, const Expr& expr) {
  if (expr.problem_ == Cause::kEmptySum) fail(expr.problem_, who + ": a sum over an axis that no factor of a term has");
  if (expr.problem_ == Cause::kDuplicateAxis)
    fail(expr.problem_, who + ": an axis is summed twice or outside of its sum");
  if (expr.problem_ == Cause::kCoefficient) fail(expr.problem_, who + ": a coefficient beyond 64 bits");
  if (expr.problem_ == Cause::kCount) fail(expr.problem_, who + ": too many terms");
  const auto axis_name = [&](std::uint64_t axis) {
    return axis < statement_.axes.size() ? statement_.axes[axis].name : std::string("unknown");
  };
  Expression terms;
  for (const auto& [term, summed] : expr.terms_) {
    for (const AxisId axis : summed) {
      if (contains(free_axes, axis)) {
        fail(Cause::kDuplicateAxis, fmt::format("{}: sums over '{}', which is free", who, axis_name(axis)));
      }
    }
    for (const Access& factor : term.factors) {
      if (factor.tensor >= statement_.tensors.size()) fail(Cause::kUnknownTensor, who + ": reads an unknown tensor");
      for (const Index& index : factor.indices) {
        if (index.kind != Index::Kind::kAxis) continue;
        const auto axis = static_cast<AxisId>(index.value);
        if (!contains(free_axes, axis) && !contains(summed, axis)) {
          fail(Cause::kUnboundAxis, fmt::format("{}: axis '{}' is neither free nor summed", who, axis_name(axis)));
        }
      }
    }
    terms.push_back(term);
  }
  return terms;
}

Expr Builder::structured(const std::vector<AxisRef>& axes, Structured parameters) {
  const Tensor tensor{TensorKind::kStructured, "", ids(axes), {}, std::move(parameters), {}, false};
  const auto& all = statement_.tensors;
  const auto it = std::find(all.begin(), all.end(), tensor);
  const auto id = it != all.end() ? static_cast<TensorId>(it - all.begin()) : add_tensor(tensor).id;
  Access access{id, {}};
  for (const AxisRef axis : axes) access.indices.push_back({Index::Kind::kAxis, axis.id});
  return Expr(std::move(access));
}

Expr Builder::of_values(StructuredKind kind, const ValuesAt& values, ValuesId lower, const std::vector<AxisRef>& more) {
  std::vector<AxisRef> axes;
  for (const AxisId axis : values.axes) axes.push_back({axis});
  axes.insert(axes.end(), more.begin(), more.end());
  return structured(axes, {.kind = kind, .values = values.id, .lower = lower});
}

Expr Builder::ones(const std::vector<AxisRef>& axes) {
  return structured(axes, {.kind = StructuredKind::kConstant, .constant = 1});
}
Expr Builder::index(AxisRef a, std::int64_t offset) {
  return structured({a}, {.kind = StructuredKind::kIndex, .constant = offset});
}
Expr Builder::equal(AxisRef a, AxisRef b) { return structured({a, b}, {.kind = StructuredKind::kEqual}); }
Expr Builder::equal(AxisRef a, AxisRef b, std::uint64_t place) {
  Expr expr = equal(a, b);
  expr.terms_.front().term.factors.front().indices.back() = at(place).index;
  return expr;
}
Expr Builder::less(AxisRef a, AxisRef b) { return structured({a, b}, {.kind = StructuredKind::kLess}); }
Expr Builder::less_equal(AxisRef a, AxisRef b) { return structured({a, b}, {.kind = StructuredKind::kLessEqual}); }
Expr Builder::shift(AxisRef out, AxisRef tap, AxisRef in, ShiftShape shape) {
  return structured(
      {out, tap, in},
      {.kind = StructuredKind::kShift, .stride = shape.stride, .dilation = shape.dilation, .padding = shape.padding});
}
Expr Builder::one_hot(const ValuesAt& values, AxisRef a) { return of_values(StructuredKind::kOneHot, values, 0, {a}); }
Expr Builder::below(const ValuesAt& values, AxisRef a) { return of_values(StructuredKind::kBelow, values, 0, {a}); }
Expr Builder::between(const ValuesAt& lower, const ValuesAt& upper, AxisRef a) {
  if (lower.axes != upper.axes) fail(Cause::kStructured, "between: the two bounds are read along different axes");
  return of_values(StructuredKind::kBetween, upper, lower.id, {a});
}
Expr Builder::value(const ValuesAt& values) { return of_values(StructuredKind::kValue, values, 0, {}); }
Expr Builder::piecewise(AxisRef a, std::vector<Piece> pieces) {
  return structured({a}, {.kind = StructuredKind::kPiecewise, .pieces = std::move(pieces)});
}

TableRef Builder::table(std::string name, const std::vector<AxisRef>& axes, const std::vector<Expr>& columns) {
  Table table{std::move(name), ids(axes), {}, 0};
  for (const Expr& column : columns) {
    table.columns.push_back(expression(fmt::format("table '{}'", table.name), table.axes, column));
  }
  table.multiplicity = witness(table.name + ".count", axes, unsigned_bits(32)).id;
  statement_.tables.push_back(std::move(table));
  return {static_cast<TableId>(statement_.tables.size() - 1)};
}

TableRef Builder::range(const std::string& name, std::uint64_t count, std::int64_t first) {
  const AxisRef row = axis(name + ".row", count);
  return table(name, {row}, {index(row, first)});
}

TensorRef Builder::multiplicity(TableRef table) const {
  return {table.id < statement_.tables.size() ? statement_.tables[table.id].multiplicity : kNone};
}

void Builder::lookup(std::string name, const std::vector<AxisRef>& axes, const std::vector<Expr>& tuple,
                     TableRef table) {
  Lookup lookup{std::move(name), ids(axes), {}, table.id, std::nullopt};
  for (const Expr& entry : tuple) {
    lookup.tuple.push_back(expression(fmt::format("lookup '{}'", lookup.name), lookup.axes, entry));
  }
  statement_.lookups.push_back(std::move(lookup));
}

void Builder::lookup(std::string name, const std::vector<AxisRef>& axes, const std::vector<Expr>& tuple, TableRef table,
                     const Expr& mask) {
  lookup(std::move(name), axes, tuple, table);
  Lookup& added = statement_.lookups.back();
  const std::string who = fmt::format("lookup '{}'", added.name);
  const Expression terms = expression(who, added.axes, mask);
  if (terms.size() != 1 || terms[0].coefficient != 1 || terms[0].factors.size() != 1) {
    return fail(Cause::kKind, who + ": the mask is not one tensor");
  }
  added.mask = terms[0].factors[0];
}

base::Result<Statement, Error> Builder::build() const {
  if (error_) return base::Err{*error_};
  for (TensorId id = 0; id < defined_.size(); ++id) {
    if (!defined_[id]) {
      return base::Err{Error{Cause::kUnknownTensor,
                             fmt::format("definition '{}': declared, but not given", statement_.tensors[id].name)}};
    }
  }
  for (const TensorId id : statement_.zero_claims) {
    if (id >= statement_.tensors.size())
      return base::Err{Error{Cause::kUnknownTensor, "zero claim on an unknown tensor"}};
  }
  const auto order = Sorter(statement_).run();
  if (!order) {
    return base::Err{Error{Cause::kCycle,
                           fmt::format("definition '{}': depends on itself", statement_.tensors[order.error()].name)}};
  }
  Statement statement = statement_;
  renumber(statement, order.value());
  if (auto error = validate(statement)) return base::Err{std::move(*error)};
  return statement;
}

}  // namespace avow::statement
