// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "model/config.hpp"
#include "model/gguf.hpp"
#include "model/quant_blocks.hpp"

namespace avow::model {

using base::Err;
using base::Result;

namespace {

// The keys below an architecture's prefix that are followed, or change nothing. Any other one that says something (not
// 0, false or empty) may mean another computation.
constexpr std::string_view kKnownKeys[] = {
    "attention.causal",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.layer_norm_epsilon",
    "attention.layer_norm_rms_epsilon",
    "attention.value_length",
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scale_linear",
    "rope.scaling.attn_factor",
    "rope.scaling.factor",
    "rope.scaling.finetuned",
    "rope.scaling.original_context_length",
    "rope.scaling.type",
    "rope.scaling.yarn_beta_fast",
    "rope.scaling.yarn_beta_slow",
    "vocab_size",
};

// Reads keys below the architecture's prefix; the first failure stays.
class GgufConfigReader {
 public:
  GgufConfigReader(const GgufFile& gguf, std::string prefix) : gguf_(gguf), prefix_(std::move(prefix)) {}

  [[nodiscard]] std::string key(std::string_view name) const { return fmt::format("{}.{}", prefix_, name); }
  [[nodiscard]] bool has(std::string_view name) const { return gguf_.has(key(name)); }
  std::uint64_t natural(std::string_view name) { return keep(gguf_.natural(key(name))); }
  std::uint64_t natural(std::string_view name, std::uint64_t otherwise) {
    return keep(gguf_.natural(key(name), otherwise));
  }
  double number(std::string_view name) { return keep(gguf_.number(key(name))); }
  double number(std::string_view name, double otherwise) { return keep(gguf_.number(key(name), otherwise)); }
  bool truth(std::string_view name, bool otherwise) { return keep(gguf_.truth(key(name), otherwise)); }
  std::string_view text(std::string_view name) { return keep(gguf_.text(key(name))); }

  void fail(Cause cause, std::string_view name, std::string reason) {
    if (!error_) error_ = gguf_.error(cause, key(name), std::move(reason));
  }
  [[nodiscard]] const MaybeError& error() const { return error_; }

 private:
  template <typename T>
  T keep(const Result<T, ReadError>& result) {
    if (result.ok()) return result.value();
    if (!error_) error_ = result.error();
    return T{};
  }

  const GgufFile& gguf_;
  std::string prefix_;
  MaybeError error_;
};

bool says_nothing(const GgufValue& value) {
  return !value.is_array &&
         std::all_of(value.bytes.begin(), value.bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

void refuse_unknown_keys(GgufConfigReader& reader, const GgufFile& gguf) {
  const std::string prefix = reader.key("");
  const auto& keys = gguf.metadata();
  for (auto entry = keys.lower_bound(prefix); entry != keys.end() && entry->first.starts_with(prefix); ++entry) {
    const std::string_view name = entry->first.substr(prefix.size());
    const bool known = std::find(std::begin(kKnownKeys), std::end(kKnownKeys), name) != std::end(kKnownKeys);
    if (!known && !says_nothing(entry->second)) {
      reader.fail(Cause::kUnsupported, name, fmt::format("'{}' is not supported", entry->first.substr(0, 160)));
    }
  }
  if (!reader.truth("attention.causal", true)) {
    reader.fail(Cause::kUnsupported, "attention.causal", "attention without a causal mask is not supported");
  }
}

void read_scaling(GgufConfigReader& reader, const GgufFile& gguf, ModelConfig& config) {
  Rope& rope = config.rope;
  // A factor without a kind is linear; the other key is an older name of it.
  const std::string_view kind = reader.has("rope.scaling.type") ? reader.text("rope.scaling.type") : "linear";
  const double factor = reader.number("rope.scaling.factor", reader.number("rope.scale_linear", 1.0));
  const double amplitude = reader.number("rope.scaling.attn_factor", 1.0);
  if (kind == "yarn") {
    rope.scaling = RopeScaling::kYarn;
    rope.factor = factor;
    rope.original_context = reader.natural("rope.scaling.original_context_length", config.context);
    rope.amplitude = amplitude;
    rope.grows_with_factor = true;
    rope.beta_fast = reader.number("rope.scaling.yarn_beta_fast", 32.0);
    rope.beta_slow = reader.number("rope.scaling.yarn_beta_slow", 1.0);
  } else if (kind != "none" && kind != "linear") {
    reader.fail(Cause::kUnsupported, "rope.scaling.type",
                fmt::format("rope scaling '{}' is not supported", kind.substr(0, 80)));
  } else if (amplitude != 1) {
    reader.fail(Cause::kUnsupported, "rope.scaling.attn_factor",
                fmt::format("rope scaling '{}' with 'attn_factor' is not supported", kind));
  } else if (kind == "linear" && factor != 1) {
    rope.scaling = RopeScaling::kLinear;
    rope.factor = factor;
  }
  // Llama 3 as GGUF: the divisor of every frequency, in a tensor.
  const TensorView* factors = gguf.tensor("rope_freqs.weight");
  if (factors == nullptr || reader.error()) return;
  if (rope.scaling != RopeScaling::kNone) {
    reader.fail(Cause::kUnsupported, "rope.scaling.type", "rope scaling together with rope_freqs.weight");
    return;
  }
  if (factors->type != TensorType::kF32 || factors->shape != std::vector<std::uint64_t>{config.head_size / 2}) {
    reader.fail(Cause::kShape, "rope.dimension_count",
                fmt::format("tensor 'rope_freqs.weight' is {} {}, not F32 [{}]", name(factors->type),
                            to_text(factors->shape), config.head_size / 2));
    return;
  }
  rope.scaling = RopeScaling::kFactors;
  rope.factors.resize(config.head_size / 2);
  dequantise(factors->type, factors->bytes, rope.factors);
}

void read_gguf_llama(GgufConfigReader& reader, const GgufFile& gguf, ModelConfig& config) {
  config.kv_heads = reader.natural("attention.head_count_kv", config.heads);
  const std::uint64_t even_share = config.heads == 0 ? 0 : config.width / config.heads;
  config.head_size = reader.natural("attention.key_length", even_share);
  if (reader.natural("attention.value_length", config.head_size) != config.head_size) {
    reader.fail(Cause::kUnsupported, "attention.value_length", "values of another size than keys are not supported");
  }
  if (reader.natural("rope.dimension_count", config.head_size) != config.head_size) {
    reader.fail(Cause::kUnsupported, "rope.dimension_count", "rotation of a part of each head is not supported");
  }
  config.norm_epsilon = reader.number("attention.layer_norm_rms_epsilon");
  config.rope.theta = reader.number("rope.freq_base", 10000.0);
  config.activation = Activation::kSilu;
  config.qkv_bias = config.declared == "qwen2" || gguf.tensor("blk.0.attn_q.bias") != nullptr;
  config.attention_output_bias = gguf.tensor("blk.0.attn_output.bias") != nullptr;
  // llama's converters reorder the rows of queries and keys; qwen2's do not.
  config.rope_layout = config.declared == "llama" ? RopeLayout::kInterleaved : RopeLayout::kHalfSplit;
  read_scaling(reader, gguf, config);
}

void read_gguf_gpt2(GgufConfigReader& reader, ModelConfig& config) {
  config.architecture = Architecture::kGpt2;
  config.kv_heads = reader.natural("attention.head_count_kv", config.heads);
  if (config.kv_heads != config.heads) {
    reader.fail(Cause::kUnsupported, "attention.head_count_kv", "grouped-query attention in gpt2 is not supported");
  }
  if (config.heads == 0 || config.width % config.heads != 0) {
    reader.fail(Cause::kValue, "attention.head_count",
                fmt::format("{} heads do not divide the width {}", config.heads, config.width));
    return;
  }
  config.head_size = config.width / config.heads;
  config.norm_epsilon = reader.number("attention.layer_norm_epsilon");
  config.activation = Activation::kGeluTanh;
  config.qkv_bias = config.attention_output_bias = true;
}

// The vocabulary is what the token embedding has; the optional key must agree.
void read_vocabulary(GgufConfigReader& reader, const GgufFile& gguf, ModelConfig& config) {
  const TensorView* embedding = gguf.tensor("token_embd.weight");
  if (embedding == nullptr) {
    reader.fail(Cause::kMissing, "", "no tensor 'token_embd.weight'");
    return;
  }
  config.vocabulary = embedding->shape[0];
  if (reader.natural("vocab_size", config.vocabulary) != config.vocabulary) {
    reader.fail(Cause::kShape, "vocab_size",
                fmt::format("tensor 'token_embd.weight' has {} rows, another number than the key 'vocab_size' says",
                            config.vocabulary));
  }
  config.tied_head = gguf.tensor("output.weight") == nullptr;
}

}  // namespace

Result<ModelConfig, ReadError> config_from_gguf(const GgufFile& gguf) {
  const auto architecture = gguf.text("general.architecture");
  if (!architecture.ok()) return Err{architecture.error()};
  ModelConfig config;
  config.declared = architecture.value();
  if (config.declared != "llama" && config.declared != "qwen2" && config.declared != "gpt2") {
    return Err{gguf.error(Cause::kUnsupported, "general.architecture",
                          fmt::format("architecture '{}' is not supported", config.declared.substr(0, 80)))};
  }
  // Version 1 had other blocks under the same numbers.
  const auto blocks = gguf.natural("general.quantization_version", 2);
  if (!blocks.ok()) return Err{blocks.error()};
  if (blocks.value() != 2) {
    return Err{gguf.error(Cause::kUnsupported, "general.quantization_version",
                          fmt::format("quantization version {} is not supported", blocks.value()))};
  }
  GgufConfigReader reader(gguf, config.declared);
  refuse_unknown_keys(reader, gguf);
  config.layers = reader.natural("block_count");
  config.width = reader.natural("embedding_length");
  config.hidden = reader.natural("feed_forward_length");
  config.context = reader.natural("context_length");
  config.heads = reader.natural("attention.head_count");
  if (reader.error()) return Err{*reader.error()};
  read_vocabulary(reader, gguf, config);
  if (config.declared == "gpt2") {
    read_gguf_gpt2(reader, config);
  } else {
    read_gguf_llama(reader, gguf, config);
  }
  if (reader.error()) return Err{*reader.error()};
  if (auto error = check_config(config, gguf.file())) return Err{std::move(*error)};
  return config;
}

}  // namespace avow::model
