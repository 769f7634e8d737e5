// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <span>
#include <vector>

#include "prover/array.hpp"
#include "statement/binding.hpp"

namespace avow::prover {

using statement::AxisId;
using statement::TensorId;

/// Cells of all tensors: committed and virtual ones by id; structured ones are written out when they are first asked
/// for.
class Tensors {
 public:
  explicit Tensors(const statement::Binding& binding)
      : binding_(&binding), arrays_(binding.statement().tensors.size()) {}

  [[nodiscard]] const statement::Binding& binding() const noexcept { return *binding_; }
  void set(TensorId id, Array array) { arrays_[id] = std::move(array); }
  [[nodiscard]] bool has(TensorId id) const noexcept { return arrays_[id].size() != 0; }
  /// Requires has(id), or a structured tensor.
  [[nodiscard]] const Array& get(TensorId id) const;

 private:
  const statement::Binding* binding_;
  mutable std::vector<Array> arrays_;
};

/// The values of an expression at every index of its free axes, row-major; every tensor that it reads must be there.
/// Exact over the field: in 64-bit integers where a bound on the operands shows that nothing overflows.
[[nodiscard]] Array evaluate(const Tensors& tensors, std::span<const AxisId> free_axes,
                             const statement::Expression& terms);

}  // namespace avow::prover
