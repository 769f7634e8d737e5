// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "statement/error.hpp"
#include "statement/statement.hpp"

namespace avow::statement {

/// What an instance chooses.
struct Instance {
  std::vector<std::uint64_t> lengths;             ///< one for each parameter axis, in order of declaration
  std::vector<std::vector<std::int64_t>> values;  ///< one array for each public values, row-major
};

/// ceil(log2 length): the coordinates of an axis. length >= 1.
[[nodiscard]] unsigned log_extent(std::uint64_t length) noexcept;

/// A statement with the sizes and public values of an instance. Keeps a pointer to the statement, which must live on.
class Binding {
 public:
  /// Requires a valid statement. The instance is input: refused with kInstance if a length is no 2^k or 3*2^(k-1) or
  /// too large, or if values are missing or out of their bound; with kTooLarge or kJointSpace if a tensor or a term's
  /// joint index space is (plan.hpp).
  [[nodiscard]] static base::Result<Binding, Error> bind(const Statement& statement, Instance instance);

  /// Every parameter 1 and no public values: for what is the same in all instances. Nothing is refused.
  [[nodiscard]] static Binding least(const Statement& statement);

  [[nodiscard]] const Statement& statement() const noexcept { return *statement_; }
  [[nodiscard]] std::uint64_t length(AxisId axis) const { return lengths_[axis]; }
  /// Of every axis, aliases included.
  [[nodiscard]] std::span<const std::uint64_t> lengths() const noexcept { return lengths_; }
  [[nodiscard]] std::vector<std::uint64_t> shape(std::span<const AxisId> axes) const;
  [[nodiscard]] std::uint64_t cells(std::span<const AxisId> axes) const;
  [[nodiscard]] std::span<const std::int64_t> values(ValuesId id) const { return values_[id]; }

 private:
  explicit Binding(const Statement& statement) : statement_(&statement) {}

  const Statement* statement_;
  std::vector<std::uint64_t> lengths_;
  std::vector<std::vector<std::int64_t>> values_;
};

}  // namespace avow::statement
