// SPDX-License-Identifier: Apache-2.0
#include "answer_prover/proving_model.hpp"

#include <fmt/format.h>

#include "answer/delivery.hpp"
#include "answer_prover/tensors.hpp"
#include "compile/compile.hpp"
#include "compile/usual.hpp"
#include "pcs/parameters.hpp"
#include "verifier/setting.hpp"

namespace avow::answer_prover {

using base::Err;
using statement::TensorKind;

base::Result<pcs::Config, Error> config_of(const compile::Plan& plan, std::uint32_t level,
                                           const compile::UsualProof& usual) {
  const auto compiled = compile::compile(plan);
  if (!compiled) return Err{Error{Cause::kModel, compiled.error().text}};
  const compile::Lengths lengths = compile::usual_lengths(plan, usual);
  const std::uint64_t witness = compile::count_cells(compiled.value(), TensorKind::kWitness, lengths);
  const std::uint64_t model = compile::count_cells(compiled.value(), TensorKind::kModel, lengths);
  const auto config = pcs::choose_config(witness, model, level);
  if (!config) return Err{Error{Cause::kLevel, fmt::format("no commitment of {} bits is known for this size", level)}};
  return *config;
}

std::optional<Error> check_provable(const compile::Plan& plan) {
  constexpr std::uint32_t kLevel = 128;
  const auto config = config_of(plan, kLevel);
  if (!config) return config.error();
  auto key = answer::make_key({plan, {}, {}}, config.value());
  if (!key) return Error{Cause::kModel, to_string(key.error())};
  key.value().model = verifier::ModelCommitment();  // whatever the weights: what can be wrong is the statement
  const auto parsed = answer::ModelKey::parse(serialize(key.value()));
  if (!parsed) return Error{Cause::kModel, to_string(parsed.error())};
  const compile::Lengths lengths = compile::usual_lengths(plan);
  answer::Delivery delivery;
  auto& answer = delivery.answers.emplace_back();
  answer.output.resize(lengths.steps);
  answer.shown.resize(lengths.steps);
  answer.request.input.resize(lengths.tokens + 1 - lengths.steps);
  const auto setting = verifier::Setting::make(parsed.value().key(), answer::instance_of(delivery, plan));
  if (!setting) return Error{Cause::kModel, to_string(setting.error())};
  return std::nullopt;
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
  if (!committed) {
    const bool is_cancelled = committed.error().text == prover::kCancelled;
    return Err{Error{is_cancelled ? Cause::kCancelled : Cause::kModel,
                     is_cancelled ? prover::kCancelled : to_string(committed.error())}};
  }
  made->model_ = std::move(committed).value();
  auto parsed = answer::ModelKey::parse(serialize(made->model_->key()));
  if (!parsed) return Err{Error{Cause::kModel, to_string(parsed.error())}};
  made->key_ = std::move(parsed).value();
  return made;
}

}  // namespace avow::answer_prover
