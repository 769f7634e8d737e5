// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "market/request.hpp"
#include "provider/policy.hpp"

namespace avow::provider {

/// What it takes to answer.
struct Work {
  std::uint64_t millis = 0;
  std::uint64_t gas = 0;
};

/// In units of the token, the margin included, rounded up; U256::max() if it is more than that.
[[nodiscard]] chain::U256 cost_of(const Work& work, const Prices& prices);

/// Why an offer is not one that a market can have taken; nothing if it is. Whoever reckons with an offer asks first:
/// nodes may say anything.
[[nodiscard]] std::optional<std::string> problem_of(const market::Offer& offer);

/// What is left to the payee of an answer of `produced` tokens at this price. The offer has no problem, max_new_tokens
/// is not 0, produced at most that, the fee at most 10,000.
[[nodiscard]] chain::U256 income_of(const market::Request& request, const chain::U256& price, std::uint32_t produced,
                                    std::uint64_t fee_basis_points);

/// The first moment from `now` to the deadline at which the answer's income is at least this; nothing if there is none.
[[nodiscard]] std::optional<std::uint64_t> worth_from(const market::Request& request, const chain::U256& income,
                                                      std::uint32_t produced, std::uint64_t fee_basis_points,
                                                      std::uint64_t now);

}  // namespace avow::provider
