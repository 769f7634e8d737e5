// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "answer/error.hpp"
#include "base/result.hpp"
#include "compile/plan.hpp"
#include "verifier/key.hpp"

namespace avow::answer {

inline constexpr std::uint32_t kApplicationVersion = 1;

/// What a model's key says besides its commitment. Digest and content id are the registrar's word: clients compare them
/// with files, nothing is proven of them.
struct ModelInfo {
  compile::Plan plan;
  base::Digest tokenizer{};  ///< model::tokenizer_digest
  base::Digest content{};    ///< model_file::content_id
  friend bool operator==(const ModelInfo&, const ModelInfo&) = default;
};

/// The key's application bytes: spec/answer.md section 3.
[[nodiscard]] base::Bytes application_bytes(const ModelInfo& info);
/// What has exactly these bytes, with a plan that passes check_plan; untrusted bytes. kApplication, kPlan.
[[nodiscard]] base::Result<ModelInfo, Rejection> parse_application(base::ByteView bytes);

/// The key but for the commitment to the model: the plan's statement with numbers for names, the application bytes.
/// Requires a plan that passes check_plan; kPlan if it has no statement.
[[nodiscard]] base::Result<verifier::VerifyingKey, Rejection> make_key(const ModelInfo& info,
                                                                       const pcs::Config& config);

/// A key that was read and checked. It says what spec/integer_models.md says, whoever registered it: its statement is
/// the one of its plan. Which model's tensors are behind its root is for the reader to know by id().
class ModelKey {
 public:
  /// Untrusted bytes. kKey, kApplication, kPlan, kStatement.
  [[nodiscard]] static base::Result<ModelKey, Rejection> parse(base::ByteView bytes);

  [[nodiscard]] const verifier::VerifyingKey& key() const noexcept { return key_; }
  [[nodiscard]] const ModelInfo& info() const noexcept { return info_; }
  [[nodiscard]] const base::Digest& id() const noexcept { return id_; }

  /// Whether the proof shows that these are the model's answers, bound to the delivery's every byte: nothing if it
  /// does. Both are untrusted. Who asked for what, on which chain, and who is paid is for the caller to compare.
  /// Thread-safe.
  [[nodiscard]] std::optional<Rejection> verify(base::ByteView delivery, base::ByteView proof) const;

 private:
  ModelKey(verifier::VerifyingKey key, const ModelInfo& info, const base::Digest& id)
      : key_(std::move(key)), info_(info), id_(id) {}

  verifier::VerifyingKey key_;
  ModelInfo info_;
  base::Digest id_;
};

}  // namespace avow::answer
