// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "prover/prove.hpp"
#include "statement/checker.hpp"
#include "statement/examples_testing.hpp"

namespace avow::prover::testing {

/// A configuration without a level to reach, for this many cells: few queries, little grinding.
[[nodiscard]] pcs::Config small_config(std::uint64_t cells);

/// What the reference checker says of a witness.
[[nodiscard]] statement::Report report_of(const statement::Example& example, const statement::Assignment& assignment);
/// The check that a proof of this witness trips, or "accepted": the lookup argument comes first, then the stages,
/// highest first, and in each the definitions without sumcheck.
[[nodiscard]] std::string expected_verdict(const statement::Example& example, const statement::Report& report);

/// Arrays for Model::commit and prove.
[[nodiscard]] std::vector<Array> to_arrays(const std::vector<std::vector<std::int64_t>>& arrays);

/// A statement with its model committed to, both sides.
class Session {
 public:
  explicit Session(const statement::Example& example, const std::optional<pcs::Config>& config = std::nullopt);

  /// The proof of this witness; of a false one, too, unless a reason is given.
  [[nodiscard]] base::Result<Proved, std::string> prove(const statement::Assignment& assignment,
                                                        const Faults& faults = {},
                                                        transcript::Manifest* manifest = nullptr) const;
  /// "accepted", or the check's name.
  [[nodiscard]] std::string verdict(base::ByteView proof, transcript::Manifest* manifest = nullptr) const;

  [[nodiscard]] const Model& model() const { return *model_; }
  [[nodiscard]] verifier::Verifier verifier() const;
  statement::Instance instance;
  base::Bytes session = {1, 2, 3};

 private:
  std::unique_ptr<Model> model_;
};

}  // namespace avow::prover::testing
