// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "compile/plan.hpp"
#include "market/request.hpp"
#include "provider/policy.hpp"

namespace avow::provider {

/// Why a request is refused before any work: a code and words.
struct Refusal {
  const char* code = "";
  std::string text;
};

/// What of a request needs no estimate: it names the verifier, is of mode 0, has an offer that a market takes, and asks
/// what the model can answer (answer::check), within the provider's own limit. `plan` is that of the request's model;
/// null if it is not served. Any request.
[[nodiscard]] std::optional<Refusal> screen(const market::Request& request, const base::Digest& id,
                                            const compile::Plan* plan, const chain::Address& verifier,
                                            const Policy& policy);

}  // namespace avow::provider
