// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "statement/error.hpp"
#include "statement/statement.hpp"

namespace avow::statement {

/// The first rule of spec/statement.md, section 4, that the statement breaks, or nothing. It looks at any statement at
/// all, whatever its ids say; every other function of this library requires one that has passed.
[[nodiscard]] std::optional<Error> validate(const Statement& statement);

}  // namespace avow::statement
