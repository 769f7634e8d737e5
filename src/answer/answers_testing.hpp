// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "answer/delivery.hpp"
#include "answer/model_key.hpp"

// Deliveries and keys for tests.
namespace avow::answer::testing {

/// LLaMA with 11 words and a context of 12.
[[nodiscard]] compile::Plan small_plan();

/// Three answers that pass the plain checks of small_plan(): a greedy one to its length, a drawn one that stops, a
/// greedy one without id that stops with its last token.
[[nodiscard]] Delivery example_delivery();

/// The plan's key at 100 bits, with a root that is nobody's.
[[nodiscard]] verifier::VerifyingKey example_key(const compile::Plan& plan);

/// The rejection's name, or "accepted".
[[nodiscard]] std::string verdict(const std::optional<Rejection>& rejection);
template <typename T>
[[nodiscard]] std::string verdict(const base::Result<T, Rejection>& result) {
  return result.ok() ? "accepted" : name(result.error());
}

}  // namespace avow::answer::testing
