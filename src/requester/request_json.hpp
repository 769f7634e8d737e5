// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "market/request.hpp"
#include "requester/error.hpp"

namespace avow::requester {

/// Every field of a request, under the names of its EIP-712 type: amounts as decimal numbers in units of the token, in
/// text, as JSON's own do not hold them.
[[nodiscard]] nlohmann::ordered_json to_json(const market::Request& request);
[[nodiscard]] nlohmann::ordered_json to_json(const market::Offer& offer);
/// The inverse: nothing may be missing, nothing else be there. kRecord.
[[nodiscard]] Result<market::Request> parse_request(const nlohmann::json& json);

}  // namespace avow::requester
