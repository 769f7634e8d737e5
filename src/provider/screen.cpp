// SPDX-License-Identifier: Apache-2.0
#include "provider/screen.hpp"

#include <fmt/format.h>

#include "answer/delivery.hpp"
#include "provider/pricing.hpp"

namespace avow::provider {

std::optional<Refusal> screen(const market::Request& request, const base::Digest& id, const compile::Plan* plan,
                              const chain::Address& verifier, const Policy& policy) {
  if (plan == nullptr) return Refusal{"model", "a model that is not served"};
  if (request.verifier != verifier) {
    return Refusal{"verifier", "another verifier than this deployment's: " + to_string(request.verifier)};
  }
  if (request.mode != 0 || request.input_commitment != base::Digest{}) {
    return Refusal{"mode", fmt::format("mode {}, which is not defined", request.mode)};
  }
  if (auto problem = problem_of(request.offer)) return Refusal{"offer", std::move(*problem)};
  const auto asked = market::asked(request, id, answer::id_bytes(plan->vocabulary));
  if (!asked) return Refusal{"ids", "a list that ends within a token"};
  if (const auto rejection = answer::check(*asked, *plan)) return Refusal{name(*rejection), to_string(*rejection)};
  const std::uint64_t tokens = asked->input.size() + std::uint64_t{asked->max_new_tokens};
  if (policy.most_tokens != 0 && tokens > policy.most_tokens) {
    return Refusal{"tokens", fmt::format("{} tokens, of which at most {} are taken", tokens, policy.most_tokens)};
  }
  return std::nullopt;
}

}  // namespace avow::provider
