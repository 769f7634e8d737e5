// SPDX-License-Identifier: Apache-2.0
#include "verifier/setting.hpp"

#include <fmt/format.h>

#include <string_view>

#include "hash/keccak.hpp"

namespace avow::verifier {

using base::Bytes;
using base::Err;
using statement::TensorKind;

namespace {

Rejection instance_refused(const statement::Error& error) {
  return {Check::kInstance, 0, fmt::format("{}: {}", statement::name(error.cause), error.text)};
}

}  // namespace

Bytes encode(const statement::Instance& instance) {
  Bytes out;
  base::append_be32(out, static_cast<std::uint32_t>(instance.lengths.size()));
  for (const std::uint64_t length : instance.lengths) base::append_be64(out, length);
  base::append_be32(out, static_cast<std::uint32_t>(instance.values.size()));
  for (const auto& values : instance.values) {
    base::append_be32(out, static_cast<std::uint32_t>(values.size()));
    for (const std::int64_t value : values) base::append_be64(out, static_cast<std::uint64_t>(value));
  }
  return out;
}

base::Result<Setting, Rejection> Setting::make(const VerifyingKey& key, statement::Instance instance) {
  return make(key, model_id(key), std::move(instance));
}

base::Result<Setting, Rejection> Setting::make(const VerifyingKey& key, const base::Digest& id,
                                               statement::Instance instance) {
  const Bytes instance_bytes = encode(instance);
  auto binding = statement::Binding::bind(key.statement, std::move(instance));
  if (!binding) return Err{instance_refused(binding.error())};
  const auto layout = [&](TensorKind kind) {
    return reduction::dense_layout(key.statement, binding.value().lengths(), kind, key.config.log_rows,
                                   key.config.max_log_columns);
  };
  auto model = layout(TensorKind::kModel);
  if (!model) return Err{instance_refused(model.error())};
  auto witness = layout(TensorKind::kWitness);
  if (!witness) return Err{instance_refused(witness.error())};
  const std::uint64_t columns = reduction::columns(model.value()) + reduction::columns(witness.value());
  if (columns > std::uint64_t{1} << key.config.max_log_columns) {
    return Err{Rejection{Check::kInstance, 0, fmt::format("{} columns are too many for the commitment", columns)}};
  }
  auto plan = reduction::make_plan(binding.value());
  if (!plan) return Err{instance_refused(plan.error())};
  std::size_t weights = 0;
  for (const reduction::ClaimId claim : plan.value().opened) {
    const auto tensor = plan.value().claims[claim].tensor;
    weights += reduction::pieces_of(model.value(), tensor) + reduction::pieces_of(witness.value(), tensor);
  }
  if (weights > reduction::kMaxWeights) {
    return Err{Rejection{Check::kInstance, 0, fmt::format("an opening with {} weights", weights)}};
  }

  constexpr std::string_view kProtocol = "avow/proof/3";
  Bytes protocol(kProtocol.begin(), kProtocol.end());
  const base::Digest commitment = pcs::protocol_id(key.config);
  base::append(protocol, commitment);
  Bytes statement_bytes(id.begin(), id.end());
  base::append(statement_bytes, instance_bytes);
  std::optional<pcs::CommitmentKey> model_key;
  if (key.model) {
    model_key = pcs::fixed_key(commitment, key.model->root, model.value().log_groups, key.model->ood_value);
  }
  return Setting{&key,
                 std::move(binding).value(),
                 std::move(plan).value(),
                 std::move(model).value(),
                 std::move(witness).value(),
                 std::move(model_key),
                 hash::keccak256(protocol),
                 std::move(statement_bytes)};
}

transcript::Transcript Setting::start(base::ByteView session) const { return {protocol, session, statement_bytes}; }

std::vector<pcs::CommitmentKey> Setting::keys(const pcs::CommitmentKey& witness_key) const {
  std::vector<pcs::CommitmentKey> keys;
  if (model_key) keys.push_back(*model_key);
  keys.push_back(witness_key);
  return keys;
}

std::vector<pcs::Claim> Setting::claims(const reduction::Challenges& challenges,
                                        std::span<const field::Fp3> values) const {
  std::vector<pcs::Claim> claims;
  for (const reduction::ClaimId id : plan.opened) {
    const auto& point = plan.claims[id];
    const bool is_model = key->statement.tensors[point.tensor].kind == TensorKind::kModel;
    claims.push_back(reduction::committed_claim(is_model ? model : witness, is_model || !model_key ? 0 : 1,
                                                key->config.log_rows, point.tensor,
                                                reduction::resolve(binding, challenges, point), values[id]));
  }
  return claims;
}

}  // namespace avow::verifier
