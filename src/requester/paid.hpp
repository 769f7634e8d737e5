// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "requester/known_model.hpp"
#include "requester/watch.hpp"

namespace avow::requester {

/// An answer whose proof was found in the transactions that paid it, and holds.
struct CheckedAnswer {
  answer::Answer answer;
  answer::Delivery delivery;  ///< of which it is one
  std::size_t proof_bytes = 0;
  std::size_t transactions = 0;  ///< that the proof was in
  std::uint32_t bits = 0;        ///< of security
};

/// The answer that the contract says was paid, as its event has it: its word alone, and nothing shown. Nothing if a
/// list of ids is none.
[[nodiscard]] std::optional<answer::Answer> claimed_answer(const market::Request& request, const base::Digest& id,
                                                           const PaidAnswer& paid, unsigned id_bytes);

/// Fetches the proof of what was paid from its transactions and checks it here, by the model's key alone: nothing that
/// nodes or the contract say is believed. That it is the answer to this very request (all of it: its id is computed
/// anew), on this chain and market, that the payee is who was paid, and that the output is what the contract says it
/// is.
///
/// kPayment: there is no proof in the transactions, or it is not found, or they have more than `most_bytes`, as those
/// of no proof have. kProof: it does not hold, or shows something else than the contract said.
[[nodiscard]] Result<CheckedAnswer> check_paid(const Session& session, const KnownModel& model,
                                               const market::Request& request, const PaidAnswer& paid,
                                               std::size_t most_bytes = std::size_t{1} << 25);

}  // namespace avow::requester
