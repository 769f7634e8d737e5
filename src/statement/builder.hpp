// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "statement/error.hpp"
#include "statement/statement.hpp"

/// Statements written like the mathematics:
///
///   Builder b;
///   const auto t = b.parameter("token", 1024);
///   const auto i = b.axis("in", 768), o = b.axis("out", 768);
///   const auto X = b.witness("x", {t, i}, signed_bits(16)), Y = b.witness("y", {t, o}, signed_bits(16));
///   const auto W = b.model("w", {o, i}, signed_bits(16));
///   const auto acc = b.define("acc", {t, o}, sum({i}, X(t, i) * W(o, i)));
///   const auto R = b.define("r", {t, o}, acc(t, o) + 128 - 256 * Y(t, o));
///   b.lookup("r_range", {t, o}, {R(t, o)}, b.range("u8", 256));
///   b.lookup("y_range", {t, o}, {Y(t, o)}, b.range("s16", 65536, -32768));
///   const auto statement = b.build();
///
/// Mistakes are kept and the first one is what build() answers.
namespace avow::statement {

struct AxisRef {
  AxisId id = kNone;
};

/// An axis, or at(place): what a tensor is read with.
struct IndexRef {
  IndexRef(AxisRef axis) : index{Index::Kind::kAxis, axis.id} {}  // NOLINT(google-explicit-constructor)
  explicit IndexRef(Index given) : index(given) {}
  Index index;
};
[[nodiscard]] inline IndexRef at(std::uint64_t place) { return IndexRef(Index{Index::Kind::kFixed, place}); }

/// A polynomial in accesses with integer coefficients, in the form of a sum of terms.
class Expr {
 public:
  Expr(std::int64_t constant);  // NOLINT(google-explicit-constructor)
  explicit Expr(Access access);

  friend Expr operator+(Expr a, const Expr& b);
  friend Expr operator-(const Expr& a, const Expr& b);
  friend Expr operator*(const Expr& a, const Expr& b);
  friend Expr sum(const std::vector<AxisRef>& axes, Expr expr);

 private:
  friend class Builder;
  struct SummedTerm {
    Term term;
    std::vector<AxisId> summed;
  };
  std::vector<SummedTerm> terms_;
  Cause problem_{};  ///< the first that came up while it was put together; 0 if none
};
/// sum over the axes; every term must have them.
[[nodiscard]] Expr sum(const std::vector<AxisRef>& axes, Expr expr);

struct TensorRef {
  TensorId id = kNone;
  /// The tensor read at one index for each of its axes.
  template <typename... Indices>
  Expr operator()(Indices... indices) const {
    return Expr(Access{id, {IndexRef(indices).index...}});
  }
};

/// Public values, read along axes of the lengths of their own.
struct ValuesAt {
  ValuesId id = kNone;
  std::vector<AxisId> axes;
};
struct ValuesRef {
  ValuesId id = kNone;
  template <typename... Axes>
  ValuesAt operator()(Axes... axes) const {
    return {id, {AxisRef(axes).id...}};
  }
};

struct TableRef {
  TableId id = kNone;
};

[[nodiscard]] inline Range signed_bits(std::uint8_t bits) { return {bits, true}; }
[[nodiscard]] inline Range unsigned_bits(std::uint8_t bits) { return {bits, false}; }

/// How output places, taps and input places of a convolution go together: in = stride out + dilation tap - padding.
struct ShiftShape {
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t dilation = 1;
};

class Builder {
 public:
  AxisRef axis(std::string name, std::uint64_t length);
  AxisRef parameter(std::string name, std::uint64_t largest);
  AxisRef alias(std::string name, AxisRef of);
  ValuesRef values(std::string name, const std::vector<AxisRef>& axes, std::uint64_t bound);

  TensorRef model(std::string name, const std::vector<AxisRef>& axes, Range range);
  TensorRef witness(std::string name, const std::vector<AxisRef>& axes, Range range);
  /// A witness tensor that the prover may choose. Any other has to follow from model and inputs (analysis.hpp).
  TensorRef input(std::string name, const std::vector<AxisRef>& axes, Range range);
  TensorRef define(std::string name, const std::vector<AxisRef>& axes, const Expr& definition);
  /// A virtual tensor whose definition is given later.
  TensorRef declare(std::string name, const std::vector<AxisRef>& axes);
  void define(TensorRef tensor, const Expr& definition);
  /// The expression is 0 at every index of the axes.
  void zero(std::string name, const std::vector<AxisRef>& axes, const Expr& expr);
  void zero(TensorRef tensor);

  /// Structured tensors, as StructuredKind defines them.
  Expr ones(const std::vector<AxisRef>& axes);
  Expr index(AxisRef a, std::int64_t offset = 0);
  Expr equal(AxisRef a, AxisRef b);
  /// [a = place]; b: another axis of a's length.
  Expr equal(AxisRef a, AxisRef b, std::uint64_t place);
  Expr less(AxisRef a, AxisRef b);
  Expr less_equal(AxisRef a, AxisRef b);
  Expr shift(AxisRef out, AxisRef tap, AxisRef in, ShiftShape shape);
  Expr one_hot(const ValuesAt& values, AxisRef a);
  Expr below(const ValuesAt& values, AxisRef a);
  Expr between(const ValuesAt& lower, const ValuesAt& upper, AxisRef a);
  Expr value(const ValuesAt& values);
  Expr piecewise(AxisRef a, std::vector<Piece> pieces);

  /// A table and its multiplicities, a witness tensor `<name>.count`.
  TableRef table(std::string name, const std::vector<AxisRef>& axes, const std::vector<Expr>& columns);
  /// The table of first, first + 1, .., first + count - 1, over an axis `<name>.row` of its own.
  TableRef range(const std::string& name, std::uint64_t count, std::int64_t first = 0);
  [[nodiscard]] TensorRef multiplicity(TableRef table) const;

  /// The tuple is a row of the table wherever the mask is 1. The mask is one structured tensor.
  void lookup(std::string name, const std::vector<AxisRef>& axes, const std::vector<Expr>& tuple, TableRef table);
  void lookup(std::string name, const std::vector<AxisRef>& axes, const std::vector<Expr>& tuple, TableRef table,
              const Expr& mask);

  /// The statement, its tensors in the order of declaration as far as every definition comes after what it reads, and
  /// structured tensors where they are first read.
  [[nodiscard]] base::Result<Statement, Error> build() const;

 private:
  TensorRef add_tensor(Tensor tensor);
  Expr structured(const std::vector<AxisRef>& axes, Structured parameters);
  Expr of_values(StructuredKind kind, const ValuesAt& values, ValuesId lower, const std::vector<AxisRef>& more);
  Expression expression(const std::string& who, const std::vector<AxisId>& free_axes, const Expr& expr);
  void fail(Cause cause, std::string text);

  Statement statement_;
  std::vector<bool> defined_;  ///< for each tensor; true of all that are not virtual
  std::optional<Error> error_;
};

}  // namespace avow::statement
