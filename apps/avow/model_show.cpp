// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/hex.hpp"
#include "commands.hpp"
#include "model.hpp"
#include "model/chat_template.hpp"
#include "model/summary.hpp"
#include "run.hpp"

namespace avow::app {
namespace {

using Object = nlohmann::ordered_json;

const char* scaling_name(model::RopeScaling scaling) {
  switch (scaling) {
    case model::RopeScaling::kNone:
      return "none";
    case model::RopeScaling::kLinear:
      return "linear";
    case model::RopeScaling::kLlama3:
      return "llama3";
    case model::RopeScaling::kYarn:
      return "yarn";
    case model::RopeScaling::kFactors:
      return "factors";
  }
  return "";
}

Object rope_object(const model::ModelConfig& config) {
  const model::Rope& rope = config.rope;
  Object out{{"theta", rope.theta}, {"scaling", scaling_name(rope.scaling)}};
  if (rope.scaling == model::RopeScaling::kFactors) {
    out["factors"] = rope.factors;
    return out;
  }
  if (rope.scaling == model::RopeScaling::kNone) return out;
  out["factor"] = rope.factor;
  if (rope.scaling == model::RopeScaling::kLinear) return out;
  out["original_context"] = rope.original_context;
  if (rope.scaling == model::RopeScaling::kLlama3) {
    out["low_frequency_factor"] = rope.low_frequency_factor;
    out["high_frequency_factor"] = rope.high_frequency_factor;
  } else {
    out["beta_fast"] = rope.beta_fast;
    out["beta_slow"] = rope.beta_slow;
    out["amplitude"] = rope.amplitude;
  }
  return out;
}

const char* activation_name(model::Activation activation) {
  switch (activation) {
    case model::Activation::kSilu:
      return "silu";
    case model::Activation::kGeluTanh:
      return "gelu_tanh";
    case model::Activation::kGeluErf:
      return "gelu_erf";
  }
  return "";
}

void add_summary(const model::ModelSummary& summary, Object& out) {
  const model::ModelConfig& config = summary.config;
  const bool llama = config.architecture == model::Architecture::kLlama;
  out["architecture"] = config.declared;
  out["name"] = summary.name.empty() ? Object() : Object(summary.name);
  out["licence"] = summary.licence.empty() ? Object() : Object(summary.licence);
  out["layers"] = config.layers;
  out["width"] = config.width;
  out["heads"] = config.heads;
  out["kv_heads"] = config.kv_heads;
  out["head_size"] = config.head_size;
  out["hidden"] = config.hidden;
  out["vocabulary"] = config.vocabulary;
  out["context"] = config.context;
  out["norm"] = llama ? "rms" : "layer";
  out["norm_epsilon"] = config.norm_epsilon;
  out["activation"] = activation_name(config.activation);
  out["tied_head"] = config.tied_head;
  out["qkv_bias"] = config.qkv_bias;
  out["attention_output_bias"] = config.attention_output_bias;
  out["positions"] = llama ? "rotary" : "learned";
  if (llama) out["rope"] = rope_object(config);
  out["parameters"] = summary.values();
  out["weight_bytes"] = summary.bytes();
  Object& weights = out["weights"] = Object::object();
  for (const model::StoredWeights& stored : summary.weights) {
    weights[name(stored.type)] = {{"tensors", stored.tensors}, {"values", stored.values}, {"bytes", stored.bytes}};
  }
}

const char* kind_name(model::TokenizerKind kind) {
  switch (kind) {
    case model::TokenizerKind::kSpm:
      return "spm";
    case model::TokenizerKind::kByteLevelBpe:
      return "byte_level_bpe";
    case model::TokenizerKind::kCharacterBpe:
      return "character_bpe";
  }
  return "";
}

const char* pre_tokenizer_name(model::PreTokenizer pre) {
  switch (pre) {
    case model::PreTokenizer::kNone:
      return "none";
    case model::PreTokenizer::kGpt2:
      return "gpt2";
    case model::PreTokenizer::kLlama3:
      return "llama3";
    case model::PreTokenizer::kQwen2:
      return "qwen2";
  }
  return "";
}

Object tokenizer_object(const model::Tokenizer& tokenizer) {
  const model::TokenizerData& data = tokenizer.data();
  const auto token = [&](const std::optional<model::TokenId>& id) {
    return id ? Object{{"id", *id}, {"text", data.tokens[*id]}} : Object();
  };
  Object out{{"kind", kind_name(data.kind)},
             {"pre_tokenizer", pre_tokenizer_name(data.pre_tokenizer)},
             {"normaliser", data.to_nfc ? "nfc" : "none"},
             {"tokens", data.tokens.size()},
             {"merges", data.merges.size()},
             {"digest", base::to_hex(model::tokenizer_digest(data))},
             {"bos", token(data.bos)},
             {"eos", token(data.eos)},
             {"unknown", token(data.unknown)},
             {"add_bos", data.add_bos},
             {"add_eos", data.add_eos}};
  Object& special = out["special_tokens"] = Object::array();
  for (model::TokenId id = 0; id < data.tokens.size(); ++id) {
    const model::TokenType type = data.types[id];
    if (type != model::TokenType::kControl && type != model::TokenType::kUserDefined) continue;
    special.push_back({{"id", id},
                       {"text", data.tokens[id]},
                       {"type", type == model::TokenType::kControl ? "control" : "user_defined"}});
  }
  return out;
}

Object template_object(const model::TokenizerData& data) {
  if (data.chat_template.empty()) return {};
  const auto found = model::recognise_chat_template(data.chat_template);
  if (!found) return {{"family", nullptr}, {"reason", found.error().text}};
  Object out{{"family", name(found.value().family)}, {"system", found.value().has_system}};
  if (!found.value().default_system.empty()) out["default_system"] = found.value().default_system;
  return out;
}

// A value in one line.
std::string shown_value(const Object& value) {
  if (value.is_null()) return "none";
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_object()) {
    std::string line;
    for (const auto& [key, part] : value.items()) {
      line += fmt::format("{}{} {}", line.empty() ? "" : ", ", key, shown_value(part));
    }
    return line;
  }
  return value.dump();
}

void print_lines(const Object& object, std::size_t indent) {
  constexpr std::size_t kMost = 16;  // of a list; all are in the JSON
  for (const auto& [key, value] : object.items()) {
    const bool unstated = value.is_null() && (key == "name" || key == "licence");
    const bool nested = value.is_object() && (key == "rope" || key == "weights" || key == "tokenizer");
    if (nested) {
      fmt::print("{:{}}{}\n", "", indent, key);
      print_lines(value, indent + 2);
    } else if (value.is_array()) {
      fmt::print("{:{}}{:<24}{}\n", "", indent, key, value.size());
      for (std::size_t i = 0; i < value.size() && i < kMost; ++i) {
        fmt::print("{:{}}{}\n", "", indent + 2, shown_value(value[i]));
      }
      if (value.size() > kMost) fmt::print("{:{}}..\n", "", indent + 2);
    } else {
      fmt::print("{:{}}{:<24}{}\n", "", indent, key, unstated ? "not stated" : shown_value(value));
    }
  }
}

}  // namespace

int show_model(const ModelShowOptions& options) {
  if (options.path.ends_with(".avow")) return show_integer_model(options.path, options.json);
  int exit_code = kGood;
  Object out{{"path", options.path}};
  const auto fail = [&](const std::string& text, int code) {
    fmt::print(stderr, "avow model show: {}\n", text);
    exit_code = code;
  };
  const auto summary = model::summarise_model(options.path);
  if (!summary) {
    fail(to_text(summary.error()), exit_code_of(summary.error().cause));
    return exit_code;
  }
  add_summary(summary.value(), out);
  // A model whose tokenizer is refused still has its weights to show.
  const auto tokenizer = model::load_tokenizer(options.path);
  if (tokenizer) {
    out["tokenizer"] = tokenizer_object(tokenizer.value());
    out["chat_template"] = template_object(tokenizer.value().data());
  } else {
    out["tokenizer"] = {{"refused", to_text(tokenizer.error())}};
    fail(to_text(tokenizer.error()), exit_code_of(tokenizer.error()));
  }
  if (options.json) {
    fmt::print("{}\n", out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print_lines(out, 0);
  }
  return exit_code;
}

}  // namespace avow::app
