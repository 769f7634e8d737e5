// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "statement/binding.hpp"

/// Statements as text that a cryptographer can review.
namespace avow::statement {

/// Axes, values, tensors, definitions as formulas with their stages, claims, tables and lookups. Requires a valid
/// statement. Names are unique within axes, public values and tensors each, so what is read of an axis or of public
/// values says so: index(t), value(x[t]), and x[t] is a tensor.
[[nodiscard]] std::string to_text(const Statement& statement);

/// The right side of a definition or the like: "128 - 256 y[token, out] + sum_{in} x[token, in] w[out, in]".
[[nodiscard]] std::string to_text(const Statement& statement, const std::vector<AxisId>& free_axes,
                                  const Expression& expression);

/// A line for each term of each definition: its joint index space in this instance, over its largest factor.
[[nodiscard]] std::string spaces_to_text(const Binding& binding);

}  // namespace avow::statement
