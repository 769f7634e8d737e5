// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "answer/model_key.hpp"
#include "chain/profile.hpp"
#include "market/client.hpp"
#include "market/delivered.hpp"

// How proofs get to the contracts, whole or in steps (spec/market.md, sections 3 and 4).
namespace avow::market {

struct SettlementOptions {
  chain::Address sender;
  std::uint64_t lane = 0;  ///< of steps: one for each proof that the sender has under way at a time
  /// Pays what can be paid and skips the rest (`fulfilBatch`), also where there is one answer. More than one need it.
  bool is_batch = false;
};

/// The transactions that have a proof checked and its answers paid, in order: `fulfil` or `fulfilBatch`, or where bytes
/// or gas of a transaction do not allow that, steps, of which each takes as many of the proof's sections as fit, and
/// the last one pays. What fits is tried out on the verifier alone, so nothing of it depends on where requests stand.
/// Errors: kTooManyBytes if a section fits no transaction, kReverted if the verifier refuses the proof.
[[nodiscard]] chain::Result<std::vector<chain::CallRequest>> plan_settlement(
    MarketClient& market, const answer::ModelKey& key, const DeliveredAnswers& answers, base::ByteView proof,
    const chain::ChainProfile& profile, const SettlementOptions& options);

}  // namespace avow::market
