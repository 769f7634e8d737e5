// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "market/deployment.hpp"
#include "market/request.hpp"

namespace avow::market {

/// What was asked and answered, as contracts have it.
struct DeliveredAnswers {
  answer::Delivery delivery;      ///< bound to chain, market and payee
  chain::Address verifier;        ///< who checks the proof
  std::vector<Request> requests;  ///< of the delivery's answers, in order
  friend bool operator==(const DeliveredAnswers&, const DeliveredAnswers&) = default;
};

/// As the ABI has it: the struct `Delivery`. Requires as many requests as answers, and ids that fit.
[[nodiscard]] chain::Value to_value(const DeliveredAnswers& answers, unsigned id_bytes);
/// The inverse, of a value that was decoded as this struct, on this chain and market: what the contract would make of
/// it. kReply if a list is none.
[[nodiscard]] chain::Result<DeliveredAnswers> delivery_of(const chain::Value& value, const Deployment& deployment,
                                                          unsigned id_bytes);

}  // namespace avow::market
