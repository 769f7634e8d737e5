// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string_view>

#include "answer/delivery.hpp"
#include "answer/proof_file.hpp"
#include "answer_prover/proving_model.hpp"
#include "runtime/witness.hpp"

/// From a request to a proof of its answer.
namespace avow::answer_prover {

struct RunOptions {
  const std::atomic<bool>* cancelled = nullptr;
  std::function<void(std::uint32_t token)> on_token;  ///< with each token as soon as it is known
};
/// Runs the model on a request: the answer, what it rests on not yet known. kRequest, kRun, kCancelled.
[[nodiscard]] base::Result<answer::Answer, Error> run(const compile::IntegerModel& model,
                                                      const answer::Request& request, const RunOptions& options = {});

struct ProveTimes {
  std::chrono::nanoseconds witness{};  ///< one pass of the model over all tokens
  prover::ProveTimes proof;
  std::chrono::nanoseconds verify{};  ///< the check of the own proof
};

/// Places where a test makes the prover cheat. Empty in honest use.
struct Faults {
  std::function<void(answer::Delivery& delivery)> run;      ///< what the model is run on
  std::function<void(runtime::Witness& witness)> witness;   ///< what is committed to
  std::function<void(answer::Delivery& delivery)> claimed;  ///< what is said to be proven
  prover::Faults proof;
};

struct ProveOptions {
  std::uint64_t memory_bytes = 0;  ///< kMemory if more would be needed; 0: no limit
  const std::atomic<bool>* cancelled = nullptr;
  /// A phase begins, so many of a thousand parts of all work are done.
  std::function<void(std::string_view phase, std::uint64_t permille)> progress;
  ProveTimes* times = nullptr;
  const Faults* faults = nullptr;  ///< then the own proof is not checked
};

struct Proven {
  answer::Delivery delivery;  ///< with what the choices rest on, and the model's id
  answer::ProofFile file;
  prover::ProofBytes bytes;
};

/// kMemory if a proof of such lengths (answer::lengths_of) would need more, by estimate (prover::estimate_memory), and
/// kRequest if the statement does not allow them.
[[nodiscard]] std::optional<Error> check_memory(const ProvingModel& model, const compile::Lengths& lengths,
                                                std::uint64_t memory_bytes);

/// The proof that all answers of the delivery are what the model gives; it was checked. Answers are as `run` gives
/// them; what the choices rest on and the model's id are filled in. kRequest, kAnswer, kRun, kMemory, kCancelled,
/// kProof.
[[nodiscard]] base::Result<Proven, Error> prove(const ProvingModel& model, answer::Delivery delivery,
                                                const ProveOptions& options = {});

}  // namespace avow::answer_prover
