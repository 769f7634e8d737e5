// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "answer/model_key.hpp"
#include "answer_prover/error.hpp"
#include "compile/tensors.hpp"
#include "compile/usual.hpp"
#include "prover/prove.hpp"

namespace avow::answer_prover {

/// The configuration of the commitment that a model of this plan gets at this level (100 or 128 bits), which is part of
/// its id: the one that suits such proofs best. kLevel if there is none.
[[nodiscard]] base::Result<pcs::Config, Error> config_of(const compile::Plan& plan, std::uint32_t level,
                                                         const compile::UsualProof& usual = {});

/// Whether answers of models of this plan can be proven: there are a key that verifiers accept and an instance of usual
/// lengths that statement and commitment allow. To be asked before a model is given to others. kModel, kLevel.
[[nodiscard]] std::optional<Error> check_provable(const compile::Plan& plan);

/// An integer model that was committed to: what proofs of its answers are made with.
class ProvingModel {
 public:
  /// The model must outlive it and be one that fits its plan (model_file::open, quantise). kModel.
  [[nodiscard]] static base::Result<std::unique_ptr<ProvingModel>, Error> create(
      const compile::IntegerModel& model, const answer::ModelInfo& info, const pcs::Config& config,
      const prover::CommitOptions& options = {});

  [[nodiscard]] const compile::IntegerModel& integers() const noexcept { return *integers_; }
  [[nodiscard]] const prover::Model& model() const noexcept { return *model_; }
  /// As verifiers read it.
  [[nodiscard]] const answer::ModelKey& key() const noexcept { return *key_; }
  /// compile()'s, with the names of spec/integer_models.md.
  [[nodiscard]] const statement::Statement& statement() const noexcept { return statement_; }

 private:
  ProvingModel() = default;

  const compile::IntegerModel* integers_ = nullptr;
  statement::Statement statement_;
  std::unique_ptr<prover::Model> model_;
  std::optional<answer::ModelKey> key_;
};

}  // namespace avow::answer_prover
