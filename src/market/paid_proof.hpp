// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "market/client.hpp"
#include "market/delivered.hpp"

// How proofs that were paid are found on the chain.
namespace avow::market {

/// A proof that was paid, and what it is about: what whoever does not trust the contract checks himself
/// (answer::ModelKey::verify).
struct PaidProof {
  DeliveredAnswers answers;
  base::Bytes proof;
};
/// In the calldata of the transactions that it was given in, in order, the payment last. kReply if they do not belong
/// together.
[[nodiscard]] chain::Result<PaidProof> proof_in(std::span<const base::Bytes> calldata, const Deployment& deployment,
                                                unsigned id_bytes);
/// The transactions of a payment's proof, oldest first, the payment last: of one in steps they are found by their
/// events, no further back than a number of blocks. kReply if some are missing.
[[nodiscard]] chain::Result<std::vector<base::Digest>> transactions_of_payment(MarketClient& market,
                                                                               const chain::CallData& payment,
                                                                               std::uint64_t block, unsigned id_bytes,
                                                                               std::uint64_t most_blocks = 50'000);

}  // namespace avow::market
