// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/hex.hpp"
#include "commands.hpp"
#include "model.hpp"
#include "run.hpp"
#include "statement/serialize.hpp"

namespace avow::app {
namespace {

using Object = nlohmann::ordered_json;

Object plan_object(const compile::Plan& p) {
  return {{"tied", p.tied},
          {"qkv_bias", p.qkv_bias},
          {"output_bias", p.output_bias},
          {"layers", p.layers},
          {"width", p.width},
          {"kv_heads", p.kv_heads},
          {"group", p.group},
          {"head_size", p.head_size},
          {"hidden", p.hidden},
          {"vocabulary", p.vocabulary},
          {"context", p.context},
          {"stream_bits", p.stream_bits},
          {"stream_shift", p.stream_shift},
          {"embedding_up", p.embedding_up},
          {"output_up", p.output_up},
          {"down_up", p.down_up},
          {"norm_epsilon", p.norm_epsilon},
          {"query_shift", p.query_shift},
          {"key_shift", p.key_shift},
          {"value_shift", p.value_shift},
          {"gate_shift", p.gate_shift},
          {"up_shift", p.up_shift},
          {"score_shift", p.score_shift},
          {"mix_shift", p.mix_shift},
          {"product_shift", p.product_shift},
          {"product_bits", p.product_bits},
          {"logit_shift", p.logit_shift},
          {"logit_bits", p.logit_bits},
          {"overflow_bits", p.overflow_bits},
          {"digit_bits", p.digit_bits}};
}

}  // namespace

int show_integer_model(const std::string& path, bool json) {
  const auto loaded = load_model("avow model show", path);
  if (!loaded) return loaded.error();
  const auto& [file, tokenizer] = loaded.value();
  const compile::IntegerModel& model = file.contents.model;
  Object out{{"id", base::to_hex(file.id)},
             {"about", file.contents.about},
             {"architecture", model.plan.architecture == compile::Architecture::kLlama ? "llama" : "gpt2"}};
  out["plan"] = plan_object(model.plan);
  Object& tensors = out["cells"] = Object::object();
  for (std::size_t i = 0; i < compile::kModelTensors; ++i) {
    const compile::ModelTensor tensor{static_cast<std::uint8_t>(i)};
    if (has(model.plan, tensor)) tensors[std::string(name_of(tensor))] = model.of(tensor).size();
  }
  out["statement"] = {{"bytes", serialize(file.statement).size()},
                      {"id", base::to_hex(statement::statement_id(file.statement))},
                      {"tensors", file.statement.tensors.size()},
                      {"lookups", file.statement.lookups.size()}};
  out["tokenizer"] = {{"tokens", tokenizer.token_count()},
                      {"digest", base::to_hex(model::tokenizer_digest(file.contents.tokenizer))}};
  if (json) {
    fmt::print("{}\n", out.dump(2, ' ', false, Object::error_handler_t::replace));
    return kGood;
  }
  for (const auto& [key, value] : out.items()) {
    if (!value.is_object()) {
      fmt::print("{:<16}{}\n", key, value.is_string() ? printable(value.get_ref<const std::string&>()) : value.dump());
      continue;
    }
    fmt::print("{}\n", key);
    for (const auto& [name, part] : value.items()) {
      fmt::print("  {:<16}{}\n", name, part.is_string() ? part.get<std::string>() : part.dump());
    }
  }
  return kGood;
}

}  // namespace avow::app
