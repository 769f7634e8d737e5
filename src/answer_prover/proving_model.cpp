// SPDX-License-Identifier: Apache-2.0
#include "answer_prover/proving_model.hpp"

#include <fmt/format.h>

#include "answer_prover/tensors.hpp"
#include "compile/compile.hpp"
#include "compile/usual.hpp"
#include "pcs/parameters.hpp"

namespace avow::answer_prover {

using base::Err;
using statement::TensorKind;

base::Result<pcs::Config, Error> config_of(const compile::Plan& plan, std::uint32_t level) {
  const auto compiled = compile::compile(plan);
  if (!compiled) return Err{Error{Cause::kModel, compiled.error().text}};
  const compile::Lengths lengths = compile::usual_lengths(plan);
  const std::uint64_t witness = compile::count_cells(compiled.value(), TensorKind::kWitness, lengths);
  const std::uint64_t model = compile::count_cells(compiled.value(), TensorKind::kModel, lengths);
  const auto config = pcs::choose_config(witness, model, level);
  if (!config) return Err{Error{Cause::kLevel, fmt::format("no commitment of {} bits is known for this size", level)}};
  return *config;
}

base::Result<std::unique_ptr<ProvingModel>, Error> ProvingModel::create(const compile::IntegerModel& model,
                                                                        const answer::ModelInfo& info,
                                                                        const pcs::Config& config,
                                                                        const prover::CommitOptions& options) {
  auto compiled = compile::compile(model.plan);
  if (!compiled) return Err{Error{Cause::kModel, compiled.error().text}};
  auto key = answer::make_key(info, config);
  if (!key) return Err{Error{Cause::kModel, to_string(key.error())}};
  std::unique_ptr<ProvingModel> made(new ProvingModel());
  made->integers_ = &model;
  made->statement_ = std::move(compiled).value();
  auto committed =
      prover::Model::commit(std::move(key.value().statement), config, model_arrays(made->statement_, model),
                            std::move(key.value().application), options);
  if (!committed) return Err{Error{Cause::kModel, to_string(committed.error())}};
  made->model_ = std::move(committed).value();
  auto parsed = answer::ModelKey::parse(serialize(made->model_->key()));
  if (!parsed) return Err{Error{Cause::kModel, to_string(parsed.error())}};
  made->key_ = std::move(parsed).value();
  return made;
}

}  // namespace avow::answer_prover
