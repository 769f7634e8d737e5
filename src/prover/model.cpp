// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "prover/prove.hpp"
#include "statement/analysis.hpp"
#include "statement/plan.hpp"

namespace avow::prover {

using base::Err;
using statement::TensorId;
using statement::TensorKind;
using verifier::Check;
using verifier::Rejection;

std::optional<statement::Error> check_model(const statement::Statement& statement, const std::vector<Array>& arrays) {
  statement::ModelBounds bounds;
  bounds.tensors.resize(statement.tensors.size());
  for (TensorId id = 0; id < bounds.tensors.size(); ++id) {
    if (statement.tensors[id].kind != TensorKind::kModel) continue;
    auto& bound = bounds.tensors[id].emplace();
    bound.min = bound.max = arrays[id].at(0);
    for (std::size_t i = 1; i < arrays[id].size(); ++i) {
      bound.min = std::min(bound.min, arrays[id].at(i));
      bound.max = std::max(bound.max, arrays[id].at(i));
    }
  }
  return statement::check_no_wrap(statement, bounds);
}

namespace {

// Nothing if it was cancelled.
std::unique_ptr<pcs::Oracle> make_oracle(const pcs::Config& config, const std::vector<field::MatrixView>& groups,
                                         const CommitOptions& options) {
  const std::uint32_t rate = config.oracles[0].log_inv_rate;
  if (!options.cache.empty()) {
    const auto identity = pcs::identity_of(config.log_rows, rate, options.mode, groups);
    auto cached = options.rebuild ? pcs::CachedOracle::build(options.cache, identity, groups, options.progress)
                                  : pcs::CachedOracle::open_or_build(options.cache, identity, groups, options.report,
                                                                     options.progress);
    if (cached) return std::move(cached).value();
    if (cached.error().code == pcs::CacheError::kCancelled) return nullptr;
    if (options.report) options.report(cached.error());
  }
  return std::make_unique<pcs::TreeOracle>(config.log_rows, rate, groups);
}

}  // namespace

base::Result<std::unique_ptr<Model>, Rejection> Model::commit(statement::Statement statement, const pcs::Config& config,
                                                              std::vector<Array> arrays, base::Bytes application,
                                                              const CommitOptions& options) {
  std::unique_ptr<Model> model(new Model());
  auto& key = model->key_;
  key.config = config;
  key.application = std::move(application);
  key.statement = std::move(statement);
  for (const auto& tensor : key.statement.tensors) {
    if (tensor.kind == TensorKind::kModel) key.model = verifier::ModelCommitment();
  }
  if (auto rejection = verifier::check_key(key)) return Err{std::move(*rejection)};
  if (!key.model) return model;

  std::vector<std::uint64_t> lengths;  // model tensors have axes of fixed length alone
  for (statement::AxisId axis = 0; axis < key.statement.axes.size(); ++axis) {
    lengths.push_back(key.statement.axes[key.statement.root(axis)].length);
  }
  arrays.resize(key.statement.tensors.size());
  std::vector<const Array*> views(arrays.size());
  for (TensorId id = 0; id < arrays.size(); ++id) {
    const auto& tensor = key.statement.tensors[id];
    if (tensor.kind != TensorKind::kModel) continue;
    std::uint64_t cells = 1;
    for (const statement::AxisId axis : tensor.axes) cells = statement::saturating_product(cells, lengths[axis]);
    if (arrays[id].size() != cells) {
      return Err{Rejection{
          Check::kKeyShape, 0,
          fmt::format("model tensor '{}': {} cells given, it has {}", tensor.name, arrays[id].size(), cells)}};
    }
    views[id] = &arrays[id];
  }
  const auto layout =
      reduction::dense_layout(key.statement, lengths, TensorKind::kModel, config.log_rows, config.max_log_columns);
  if (!layout) return Err{Rejection{Check::kKeyShape, 0, layout.error().text}};
  model->dense_ = make_dense(layout.value(), key.statement, lengths, config.log_rows, views);
  model->arrays_ = std::move(arrays);

  pcs::Opened opened{{}, model->dense_.views(layout.value()), nullptr};
  model->oracle_ = make_oracle(config, opened.groups, options);
  if (model->oracle_ == nullptr) return Err{Rejection{Check::kKeyModel, 0, kCancelled}};
  if (dynamic_cast<const pcs::TreeOracle*>(model->oracle_.get()) != nullptr) {
    model->tree_bytes_ = model->oracle_->heap().size_bytes();
  }
  opened.oracle = model->oracle_.get();
  const auto protocol = pcs::protocol_id(config);
  opened.key = pcs::fixed_key(protocol, opened.oracle->root(), layout.value().log_groups, {});
  opened.key.ood_value = pcs::ood_value(opened.groups, opened.key.ood_point);
  key.model = verifier::ModelCommitment{opened.key.root, opened.key.ood_value};
  model->opened_ = std::move(opened);
  return model;
}

std::uint64_t Model::memory_bytes() const noexcept {
  std::uint64_t bytes = tree_bytes_;
  for (const Array& array : arrays_) bytes += array.memory_bytes();
  for (const Array& group : dense_.groups) bytes += group.memory_bytes();
  return bytes;
}

}  // namespace avow::prover
