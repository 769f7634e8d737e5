// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "market/client.hpp"

namespace avow::provider {

/// Why the deployment's verifier is not the one that this program was made with: the code of it, of what it calls and
/// of the registry is compared with what the committed artifacts put there, which a node is asked to tell by creating
/// them without doing so. kReply if one differs; errors of nodes. A provider that worked for a verifier which accepts
/// other things would not be paid.
[[nodiscard]] std::optional<chain::Error> check_verifier(market::MarketClient& market);

}  // namespace avow::provider
