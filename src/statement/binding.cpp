// SPDX-License-Identifier: Apache-2.0
#include "statement/binding.hpp"

#include <fmt/format.h>

#include <bit>

#include "statement/plan.hpp"

namespace avow::statement {
namespace {

using base::Err;

bool is_dyadic(std::uint64_t length) {
  return std::has_single_bit(length) || (length % 3 == 0 && std::has_single_bit(length / 3));
}

}  // namespace

unsigned log_extent(std::uint64_t length) noexcept { return static_cast<unsigned>(std::bit_width(length - 1)); }

std::vector<std::uint64_t> Binding::shape(std::span<const AxisId> axes) const {
  std::vector<std::uint64_t> shape;
  for (const AxisId axis : axes) shape.push_back(lengths_[axis]);
  return shape;
}

std::uint64_t Binding::cells(std::span<const AxisId> axes) const {
  std::uint64_t cells = 1;
  for (const AxisId axis : axes) cells = saturating_product(cells, lengths_[axis]);
  return cells;
}

Binding Binding::least(const Statement& statement) {
  Binding binding(statement);
  for (const Axis& axis : statement.axes) {
    const std::uint64_t own = axis.kind == AxisKind::kParameter ? 1 : axis.length;
    binding.lengths_.push_back(axis.kind == AxisKind::kAlias ? binding.lengths_[axis.of] : own);
  }
  binding.values_.resize(statement.values.size());
  return binding;
}

base::Result<Binding, Error> Binding::bind(const Statement& statement, Instance instance) {
  Binding binding(statement);
  std::size_t parameters = 0;
  for (const Axis& axis : statement.axes) {
    std::uint64_t length = axis.length;
    if (axis.kind == AxisKind::kAlias) length = binding.lengths_[axis.of];
    if (axis.kind == AxisKind::kParameter) {
      if (parameters == instance.lengths.size()) {
        return Err{Error{Cause::kInstance, fmt::format("axis '{}': no length", axis.name)}};
      }
      length = instance.lengths[parameters++];
      if (length == 0 || length > axis.length || !is_dyadic(length)) {
        return Err{Error{Cause::kInstance, fmt::format("axis '{}': length {}, allowed are 2^k and 3*2^(k-1) up to {}",
                                                       axis.name, length, axis.length)}};
      }
    }
    binding.lengths_.push_back(length);
  }
  if (parameters != instance.lengths.size() || instance.values.size() != statement.values.size()) {
    return Err{Error{Cause::kInstance,
                     fmt::format("{} lengths and {} arrays of public values for {} and {}", instance.lengths.size(),
                                 instance.values.size(), parameters, statement.values.size())}};
  }
  for (ValuesId id = 0; id < statement.values.size(); ++id) {
    const Values& values = statement.values[id];
    const auto& array = instance.values[id];
    if (array.size() != binding.cells(values.axes)) {
      return Err{Error{Cause::kInstance, fmt::format("public values '{}': {} of them", values.name, array.size())}};
    }
    for (const std::int64_t value : array) {
      if (value < 0 || static_cast<std::uint64_t>(value) >= values.bound) {
        return Err{Error{Cause::kInstance,
                         fmt::format("public values '{}': {} is not below {}", values.name, value, values.bound)}};
      }
    }
  }
  binding.values_ = std::move(instance.values);

  for (const Tensor& tensor : statement.tensors) {
    // A structured tensor is never written out.
    if (tensor.kind != TensorKind::kStructured && binding.cells(tensor.axes) > limits::kCells) {
      return Err{Error{Cause::kTooLarge, fmt::format("tensor '{}' has too many cells", tensor.name)}};
    }
  }
  for (const Table& table : statement.tables) {
    if (binding.cells(table.axes) > limits::kCells) {
      return Err{Error{Cause::kTooLarge, fmt::format("table '{}' has too many rows", table.name)}};
    }
  }
  for (const Lookup& lookup : statement.lookups) {
    if (binding.cells(lookup.axes) > limits::kCells) {
      return Err{Error{Cause::kTooLarge, fmt::format("lookup '{}' has too many cells", lookup.name)}};
    }
  }
  for (const TermSpace& space : term_spaces(statement, binding.lengths_)) {
    if (space.joint > saturating_product(limits::kJointRatio, space.largest)) {
      return Err{Error{Cause::kJointSpace,
                       fmt::format("definition '{}', term {}: joint index space {} is more than {} times its largest "
                                   "factor, {}; split it into two definitions",
                                   statement.tensors[space.tensor].name, space.term, space.joint, limits::kJointRatio,
                                   space.largest)}};
    }
  }
  return binding;
}

}  // namespace avow::statement
