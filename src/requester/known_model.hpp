// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "answer/model_key.hpp"
#include "market/client.hpp"
#include "requester/error.hpp"

namespace avow::requester {

/// A model by its key: bytes of the registry whose Keccak-256 is the id, whoever gave them.
struct KnownModel {
  answer::ModelKey key;
  unsigned id_bytes = 0;  ///< of a token id
};
/// kModel if it is not registered, or what the registry has is no key of it; kChain.
[[nodiscard]] Result<KnownModel> known_model(market::MarketClient& market, const base::Digest& id);

}  // namespace avow::requester
