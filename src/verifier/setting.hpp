// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "reduction/dense.hpp"
#include "reduction/plan.hpp"
#include "transcript/transcript.hpp"
#include "verifier/key.hpp"

namespace avow::verifier {

/// The instance's bytes as they enter the transcript (spec/proof.md, section 2).
[[nodiscard]] base::Bytes encode(const statement::Instance& instance);

/// Everything that follows from key and instance, before the first message; prover and verifier have the same. Keeps a
/// pointer to the key, which must live on.
struct Setting {
  const VerifyingKey* key = nullptr;
  statement::Binding binding;
  reduction::Plan plan;
  reduction::DenseLayout model;
  reduction::DenseLayout witness;
  std::optional<pcs::CommitmentKey> model_key;
  base::Digest protocol{};      ///< version of the proof and configuration of the commitment
  base::Bytes statement_bytes;  ///< model id and instance

  /// The key must have passed check_key, and `id` be its model_id: whoever has it saves making the key's bytes again.
  /// Refused: kInstance.
  [[nodiscard]] static base::Result<Setting, Rejection> make(const VerifyingKey& key, const base::Digest& id,
                                                             statement::Instance instance);
  [[nodiscard]] static base::Result<Setting, Rejection> make(const VerifyingKey& key, statement::Instance instance);

  /// The transcript that a proof starts with. session: where it is used; a proof for another session is worthless.
  [[nodiscard]] transcript::Transcript start(base::ByteView session) const;
  /// The commitments that are opened: the model's, if there is one, then the witness's.
  [[nodiscard]] std::vector<pcs::CommitmentKey> keys(const pcs::CommitmentKey& witness_key) const;
  /// What is opened: all claims on committed tensors, once every challenge is drawn and every value known.
  [[nodiscard]] std::vector<pcs::Claim> claims(const reduction::Challenges& challenges,
                                               std::span<const field::Fp3> values) const;
};

}  // namespace avow::verifier
