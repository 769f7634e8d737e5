// SPDX-License-Identifier: Apache-2.0
#include "answer/model_key.hpp"

#include <fmt/format.h>

#include "answer/delivery.hpp"
#include "answer/reader.hpp"
#include "compile/compile.hpp"
#include "compile/plan_bytes.hpp"
#include "hash/keccak.hpp"
#include "statement/serialize.hpp"
#include "verifier/verify.hpp"

namespace avow::answer {

using base::ByteView;
using base::Err;

namespace {

base::Result<statement::Statement, Rejection> statement_of(const compile::Plan& plan) {
  auto compiled = compile::compile(plan);
  if (!compiled) {
    return Err{Rejection{Check::kPlan, 0,
                         fmt::format("{}: {}", statement::name(compiled.error().cause), compiled.error().text)}};
  }
  return statement::unnamed(std::move(compiled).value());
}

Rejection refused_by_verifier(Check check, const verifier::Rejection& reason) { return {check, 0, {}, reason}; }

}  // namespace

base::Bytes application_bytes(const ModelInfo& info) {
  base::Bytes out(4);
  base::store_be32(out.data(), kApplicationVersion);
  base::append(out, info.tokenizer);
  base::append(out, info.content);
  base::append(out, compile::to_bytes(info.plan));
  return out;
}

base::Result<ModelInfo, Rejection> parse_application(ByteView bytes) {
  const auto fail = [](Check check, std::string text) { return Err{Rejection{check, 0, std::move(text)}}; };
  ByteReader reader(bytes);
  const std::uint32_t version = reader.number();
  ModelInfo info;
  info.tokenizer = reader.array<32>();
  info.content = reader.array<32>();
  if (reader.is_short()) return fail(Check::kApplication, fmt::format("{} bytes", bytes.size()));
  if (version != kApplicationVersion) return fail(Check::kApplication, fmt::format("version {}", version));
  auto plan = compile::plan_from_bytes(reader.rest());
  if (!plan) return fail(Check::kPlan, plan.error());
  info.plan = plan.value();
  return info;
}

base::Result<verifier::VerifyingKey, Rejection> make_key(const ModelInfo& info, const pcs::Config& config) {
  auto statement = statement_of(info.plan);
  if (!statement) return Err{statement.error()};
  return verifier::VerifyingKey{config, std::nullopt, application_bytes(info), std::move(statement).value()};
}

base::Result<ModelKey, Rejection> ModelKey::parse(ByteView bytes) {
  auto key = verifier::read_key(bytes);
  if (!key) return Err{refused_by_verifier(Check::kKey, key.error())};
  auto info = parse_application(key.value().application);
  if (!info) return Err{info.error()};
  const auto statement = statement_of(info.value().plan);
  if (!statement) return Err{statement.error()};
  if (statement::serialize(statement.value()) != statement::serialize(key.value().statement)) {
    return Err{Rejection{Check::kStatement}};
  }
  // After the comparison: a statement of anybody's making could take the analysis long.
  if (auto rejection = verifier::check_uniqueness(key.value())) {
    return Err{refused_by_verifier(Check::kKey, *rejection)};
  }
  return ModelKey(std::move(key).value(), info.value(), hash::keccak256(bytes));
}

std::optional<Rejection> ModelKey::verify(ByteView delivery_bytes, ByteView proof) const {
  const auto delivery = answer::parse(delivery_bytes, id_bytes(info_.plan.vocabulary));
  if (!delivery) return delivery.error();
  if (delivery.value().model_id != id_) return Rejection{Check::kModel};
  if (auto rejection = check(delivery.value(), info_.plan)) return rejection;
  const auto verifier = verifier::Verifier::make(key_, id_, instance_of(delivery.value(), info_.plan));
  if (!verifier) return refused_by_verifier(Check::kProof, verifier.error());
  const auto rejection = verifier.value().verify(delivery_bytes, proof);
  if (rejection) return refused_by_verifier(Check::kProof, *rejection);
  return std::nullopt;
}

}  // namespace avow::answer
