// SPDX-License-Identifier: Apache-2.0
#include "requester/known_model.hpp"

#include <fmt/format.h>

#include "answer/delivery.hpp"
#include "base/hex.hpp"

namespace avow::requester {

Result<KnownModel> known_model(market::MarketClient& market, const base::Digest& id) {
  const std::string name = base::to_hex(id);
  const auto registered = market.model_of(id);
  if (!registered) return fail("the registry does not say whether it has the model", registered.error());
  if (!registered.value()) {
    return fail(Cause::kModel, fmt::format("model {} is not registered on this chain: `avow model register FILE` does "
                                           "that, for whoever has the file",
                                           name));
  }
  const auto bytes = market.key_of(id);
  if (!bytes) return fail("the registry does not give the model's key", bytes.error());
  auto key = answer::ModelKey::parse(bytes.value());
  if (!key) return fail(Cause::kModel, fmt::format("the key of model {} is refused: {}", name, to_string(key.error())));
  // Of the bytes; whatever the client has checked.
  if (key.value().id() != id) return fail(Cause::kModel, "the registry gives another key than that of model " + name);
  const unsigned id_bytes = answer::id_bytes(key.value().info().plan.vocabulary);
  return KnownModel{std::move(key).value(), id_bytes};
}

}  // namespace avow::requester
