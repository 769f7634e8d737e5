// SPDX-License-Identifier: Apache-2.0
// Configurations of Hugging Face folders. Absent keys have the defaults of the transformers library.
#include <fmt/format.h>

#include "model/config.hpp"
#include "model/json_reader.hpp"

namespace avow::model {

using base::Err;
using base::Result;

namespace {

using Json = nlohmann::json;

constexpr std::size_t kConfigDepth = 16;

// Reads members of one object; the first failure stays. A member that is null counts as absent.
class JsonConfigReader {
 public:
  JsonConfigReader(const Json& object, std::string_view file, MaybeError& error)
      : object_(object), file_(file), error_(error) {}

  [[nodiscard]] const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  [[nodiscard]] bool has(const char* key) const { return find(key) != nullptr; }

  std::uint64_t natural(const char* key) { return has(key) ? natural(key, 0) : missing<std::uint64_t>(key); }
  std::uint64_t natural(const char* key, std::uint64_t otherwise) {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_number_unsigned()) return value->get<std::uint64_t>();
    fail(Cause::kType, fmt::format("'{}' is not a natural number", key));
    return 0;
  }
  double number(const char* key) { return has(key) ? number(key, 0) : missing<double>(key); }
  double number(const char* key, double otherwise) {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_number()) return value->get<double>();
    fail(Cause::kType, fmt::format("'{}' is not a number", key));
    return 0;
  }
  bool truth(const char* key, bool otherwise) {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_boolean()) return value->get<bool>();
    fail(Cause::kType, fmt::format("'{}' is neither true nor false", key));
    return false;
  }
  std::string text(const char* key, const char* otherwise) {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_string()) return value->get<std::string>().substr(0, 80);
    fail(Cause::kType, fmt::format("'{}' is not a string", key));
    return {};
  }

  void fail(Cause cause, std::string reason) {
    if (!error_) error_ = ReadError{cause, std::string(file_), 0, std::move(reason)};
  }
  void unsupported(std::string what) { fail(Cause::kUnsupported, std::move(what) + " is not supported"); }
  // Refuses a member that is there and not `expected`.
  void demand(const char* key, bool expected) {
    if (truth(key, expected) != expected) unsupported(fmt::format("'{}': {}", key, !expected));
  }

 private:
  template <typename T>
  T missing(const char* key) {
    fail(Cause::kMissing, fmt::format("no key '{}'", key));
    return T{};
  }

  const Json& object_;
  std::string_view file_;
  MaybeError& error_;
};

struct Family {
  const char* model_type;
  const char* class_name;
  Architecture architecture;
};

constexpr Family kFamilies[] = {
    {"llama", "LlamaForCausalLM", Architecture::kLlama},
    {"mistral", "MistralForCausalLM", Architecture::kLlama},
    {"qwen2", "Qwen2ForCausalLM", Architecture::kLlama},
    {"gpt2", "GPT2LMHeadModel", Architecture::kGpt2},
};

const Family* find_family(JsonConfigReader& reader) {
  const std::string type = reader.text("model_type", "");
  const Family* family = nullptr;
  for (const Family& known : kFamilies) {
    if (type == known.model_type) family = &known;
  }
  if (family == nullptr) {
    reader.unsupported(fmt::format("architecture '{}'", type));
    return nullptr;
  }
  const Json* classes = reader.find("architectures");
  if (classes == nullptr) return family;
  if (!classes->is_array() || classes->size() != 1 || !(*classes)[0].is_string()) {
    reader.fail(Cause::kType, "'architectures' is not an array of one string");
  } else if ((*classes)[0] != family->class_name) {
    reader.unsupported(fmt::format("architecture '{}'", (*classes)[0].get<std::string>().substr(0, 80)));
  }
  return family;
}

void read_activation(JsonConfigReader& reader, const char* key, const char* otherwise, ModelConfig& config) {
  const std::string name = reader.text(key, otherwise);
  if (config.architecture == Architecture::kLlama && (name == "silu" || name == "swish")) {
    config.activation = Activation::kSilu;
  } else if (config.architecture == Architecture::kGpt2 && (name == "gelu_new" || name == "gelu_pytorch_tanh")) {
    config.activation = Activation::kGeluTanh;
  } else if (config.architecture == Architecture::kGpt2 && name == "gelu") {
    config.activation = Activation::kGeluErf;
  } else {
    reader.unsupported(fmt::format("activation '{}'", name));
  }
}

void read_yarn(JsonConfigReader& scaling, ModelConfig& config) {
  Rope& rope = config.rope;
  rope.scaling = RopeScaling::kYarn;
  rope.factor = scaling.number("factor");
  rope.original_context = scaling.natural("original_max_position_embeddings", config.context);
  rope.amplitude = scaling.number("attention_factor", 1);
  rope.grows_with_factor = !scaling.has("attention_factor");
  rope.beta_fast = scaling.number("beta_fast", 32);
  rope.beta_slow = scaling.number("beta_slow", 1);
  rope.whole_ramp_ends = scaling.truth("truncate", true);
  for (const char* key : {"mscale", "mscale_all_dim"}) {
    if (scaling.has(key)) scaling.unsupported(fmt::format("rope scaling 'yarn' with '{}'", key));
  }
}

// `rope_scaling` beside `rope_theta`, or since version 5 of the library all in `rope_parameters`.
void read_rope(JsonConfigReader& reader, std::string_view file, MaybeError& error, ModelConfig& config) {
  Rope& rope = config.rope;
  rope.theta = reader.number("rope_theta", 10000);
  const Json* object = reader.find("rope_parameters");
  if (object != nullptr && reader.has("rope_scaling")) {
    reader.fail(Cause::kValue, "both 'rope_parameters' and 'rope_scaling'");
    return;
  }
  if (object == nullptr) object = reader.find("rope_scaling");
  if (object == nullptr) return;
  if (!object->is_object()) return reader.fail(Cause::kType, "the rope scaling is not an object");
  for (const auto& [key, value] : object->items()) {
    // Factors of each rotation, or scalings of each kind of layer.
    if (value.is_structured()) reader.unsupported(fmt::format("rope scaling with '{}'", key.substr(0, 80)));
  }
  JsonConfigReader scaling(*object, file, error);
  rope.theta = scaling.number("rope_theta", rope.theta);
  if (scaling.number("partial_rotary_factor", 1) != 1) reader.unsupported("rotation of a part of each head");
  const std::string kind = scaling.text("rope_type", scaling.text("type", "default").c_str());
  if (kind == "linear") {
    rope.scaling = RopeScaling::kLinear;
    rope.factor = scaling.number("factor");
  } else if (kind == "llama3") {
    rope.scaling = RopeScaling::kLlama3;
    rope.factor = scaling.number("factor");
    rope.low_frequency_factor = scaling.number("low_freq_factor");
    rope.high_frequency_factor = scaling.number("high_freq_factor");
    rope.original_context = scaling.natural("original_max_position_embeddings");
  } else if (kind == "yarn") {
    read_yarn(scaling, config);
  } else if (kind != "default") {
    reader.unsupported(fmt::format("rope scaling '{}'", kind));
  }
}

void refuse_sliding_window(JsonConfigReader& reader) {
  // Qwen2 gives a window that only the switch turns on; Mistral has no switch.
  const bool on = reader.truth("use_sliding_window", reader.text("model_type", "") != "qwen2");
  if (on && reader.has("sliding_window")) reader.unsupported("'sliding_window'");
  const Json* types = reader.find("layer_types");
  if (types == nullptr) return;
  if (!types->is_array()) return reader.fail(Cause::kType, "'layer_types' is not an array");
  for (const Json& type : *types) {
    if (type != "full_attention") reader.unsupported("a layer type other than 'full_attention'");
  }
}

void read_json_llama(JsonConfigReader& reader, std::string_view file, MaybeError& error, ModelConfig& config) {
  config.layers = reader.natural("num_hidden_layers");
  config.width = reader.natural("hidden_size");
  config.hidden = reader.natural("intermediate_size");
  config.heads = reader.natural("num_attention_heads");
  config.kv_heads = reader.natural("num_key_value_heads", config.heads);
  config.head_size = reader.natural("head_dim", config.heads == 0 ? 0 : config.width / config.heads);
  config.context = reader.natural("max_position_embeddings");
  config.norm_epsilon = reader.number("rms_norm_eps", 1e-6);
  config.tied_head = reader.truth("tie_word_embeddings", false);
  const bool is_qwen = config.declared == "qwen2";
  const bool bias = reader.truth("attention_bias", is_qwen);
  config.qkv_bias = bias || is_qwen;
  config.attention_output_bias = bias && !is_qwen;
  config.rope_layout = RopeLayout::kHalfSplit;
  reader.demand("mlp_bias", false);
  if (reader.number("partial_rotary_factor", 1) != 1) reader.unsupported("rotation of a part of each head");
  refuse_sliding_window(reader);
  read_activation(reader, "hidden_act", "silu", config);
  read_rope(reader, file, error, config);
}

void read_json_gpt2(JsonConfigReader& reader, ModelConfig& config) {
  config.layers = reader.natural("n_layer");
  config.width = reader.natural("n_embd");
  if (config.width > config_limits::kWidth) return reader.fail(Cause::kValue, "'n_embd' is too large");
  config.hidden = reader.natural("n_inner", 4 * config.width);
  config.heads = config.kv_heads = reader.natural("n_head");
  config.context = reader.natural("n_positions");
  config.norm_epsilon = reader.number("layer_norm_epsilon", 1e-5);
  config.tied_head = reader.truth("tie_word_embeddings", true);
  config.qkv_bias = config.attention_output_bias = true;
  if (config.heads == 0 || config.width % config.heads != 0) {
    reader.fail(Cause::kValue, fmt::format("{} heads do not divide the width {}", config.heads, config.width));
    return;
  }
  config.head_size = config.width / config.heads;
  reader.demand("scale_attn_weights", true);
  reader.demand("scale_attn_by_inverse_layer_idx", false);
  reader.demand("add_cross_attention", false);
  read_activation(reader, "activation_function", "gelu_new", config);
}

}  // namespace

Result<ModelConfig, ReadError> config_from_json(base::ByteView text, std::string_view file) {
  const auto json = parse_json(text, file, 0, kConfigDepth);
  if (!json.ok()) return Err{json.error()};
  MaybeError error;
  ModelConfig config;
  JsonConfigReader reader(json.value(), file, error);
  const Family* family = find_family(reader);
  if (family != nullptr) {
    config.declared = family->model_type;
    config.architecture = family->architecture;
    config.vocabulary = reader.natural("vocab_size");
    if (reader.has("quantization_config")) reader.unsupported("'quantization_config'");
    if (family->architecture == Architecture::kLlama) {
      read_json_llama(reader, file, error, config);
    } else {
      read_json_gpt2(reader, config);
    }
  }
  if (!error) error = check_config(config, file);
  if (error) return Err{std::move(*error)};
  return config;
}

}  // namespace avow::model
