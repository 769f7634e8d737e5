// SPDX-License-Identifier: Apache-2.0
#include "quantise/synthetic.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "base/random.hpp"

namespace avow::quantise {

using model::Architecture;
using model::ModelConfig;

namespace {

ModelConfig llama_shape(std::uint64_t layers, std::uint64_t width, std::uint64_t heads, std::uint64_t kv_heads,
                        std::uint64_t hidden, std::uint64_t vocabulary, std::uint64_t context) {
  ModelConfig config;
  config.declared = "llama";
  config.layers = layers, config.width = width, config.heads = heads, config.kv_heads = kv_heads;
  config.head_size = width / heads, config.hidden = hidden;
  config.vocabulary = vocabulary, config.context = context;
  config.norm_epsilon = 1e-5;
  config.rope_layout = model::RopeLayout::kHalfSplit;
  config.tied_head = true;
  return config;
}

ModelConfig gpt2_shape() {
  ModelConfig config;
  config.architecture = Architecture::kGpt2;
  config.declared = "gpt2";
  config.layers = 12, config.width = 768, config.heads = config.kv_heads = 12, config.head_size = 64;
  config.hidden = 3072, config.vocabulary = 50257, config.context = 1024;
  config.norm_epsilon = 1e-5;
  config.activation = model::Activation::kGeluTanh;
  config.tied_head = config.qkv_bias = config.attention_output_bias = true;
  return config;
}

}  // namespace

std::optional<ModelConfig> synthetic_shape(std::string_view name) {
  if (name == "260k") return llama_shape(5, 64, 8, 4, 172, 512, 512);
  if (name == "124m") return llama_shape(12, 768, 12, 12, 2048, 50257, 1024);
  if (name == "gpt2") return gpt2_shape();
  if (name == "long") return llama_shape(1, 64, 1, 1, 128, 512, 4096);
  if (name != "1b") return std::nullopt;
  ModelConfig config = llama_shape(22, 2048, 32, 4, 5632, 32000, 2048);
  config.tied_head = false;
  return config;
}

SyntheticModel::SyntheticModel(const ModelConfig& config, std::uint64_t seed) : config_(config), random_(seed) {
  if (config.architecture == Architecture::kLlama) {
    add_llama();
  } else {
    add_gpt2();
  }
}

void SyntheticModel::add(std::string name, std::vector<std::uint64_t> shape, double mean, double deviation) {
  std::uint64_t count = 1;
  for (const std::uint64_t extent : shape) count *= extent;
  Tensor tensor{std::move(name), std::move(shape), std::vector<std::uint16_t>(count)};
  base::SplitMix64 random(random_);
  random_ = random();
  // The sum of the 16-bit quarters of two numbers: nearly normal, the deviation of each is 2^16 / sqrt(12).
  const double unit = deviation / 65536 / std::sqrt(8.0 / 12);
  for (std::uint16_t& cell : tensor.cells) {
    std::int64_t sum = -8 * 32768;
    for (int i = 0; i < 2; ++i) {
      for (std::uint64_t bits = random(), k = 0; k < 4; ++k, bits >>= 16)
        sum += static_cast<std::int64_t>(bits & 0xffff);
    }
    const auto value = static_cast<float>(mean + unit * static_cast<double>(sum));
    cell = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
  }
  tensors_.push_back(std::move(tensor));
}

void SyntheticModel::add_llama() {
  const ModelConfig& c = config_;
  const std::uint64_t d = c.width, q = c.heads * c.head_size, kv = c.kv_heads * c.head_size;
  const double in = 1 / std::sqrt(static_cast<double>(d)), depth = std::sqrt(2 * static_cast<double>(c.layers));
  add("model.embed_tokens.weight", {c.vocabulary, d}, 0, in);
  add("model.norm.weight", {d}, 1, 0.1);
  if (!c.tied_head) add("lm_head.weight", {c.vocabulary, d}, 0, in);
  for (std::uint64_t l = 0; l < c.layers; ++l) {
    const std::string layer = fmt::format("model.layers.{}.", l);
    add(layer + "input_layernorm.weight", {d}, 1, 0.1);
    add(layer + "post_attention_layernorm.weight", {d}, 1, 0.1);
    add(layer + "self_attn.q_proj.weight", {q, d}, 0, in);
    add(layer + "self_attn.k_proj.weight", {kv, d}, 0, in);
    add(layer + "self_attn.v_proj.weight", {kv, d}, 0, in);
    add(layer + "self_attn.o_proj.weight", {d, q}, 0, in / depth);
    add(layer + "mlp.gate_proj.weight", {c.hidden, d}, 0, in);
    add(layer + "mlp.up_proj.weight", {c.hidden, d}, 0, in);
    add(layer + "mlp.down_proj.weight", {d, c.hidden}, 0, 1 / std::sqrt(static_cast<double>(c.hidden)) / depth);
  }
}

// Matrices are stored in x out.
void SyntheticModel::add_gpt2() {
  const ModelConfig& c = config_;
  const std::uint64_t d = c.width;
  const double depth = std::sqrt(2 * static_cast<double>(c.layers));
  const auto norm = [&](const std::string& name) {
    add(name + ".weight", {d}, 1, 0.1);
    add(name + ".bias", {d}, 0, 0.02);
  };
  const auto linear = [&](const std::string& name, std::uint64_t in, std::uint64_t out, double deviation) {
    add(name + ".weight", {in, out}, 0, deviation);
    add(name + ".bias", {out}, 0, 0.02);
  };
  add("wte.weight", {c.vocabulary, d}, 0, 0.02);
  add("wpe.weight", {c.context, d}, 0, 0.02);
  norm("ln_f");
  for (std::uint64_t l = 0; l < c.layers; ++l) {
    const std::string layer = fmt::format("h.{}.", l);
    norm(layer + "ln_1");
    linear(layer + "attn.c_attn", d, 3 * d, 0.02);
    linear(layer + "attn.c_proj", d, d, 0.02 / depth);
    norm(layer + "ln_2");
    linear(layer + "mlp.c_fc", d, c.hidden, 0.02);
    linear(layer + "mlp.c_proj", c.hidden, d, 0.02 / depth);
  }
}

base::Result<model::Weights, model::ReadError> SyntheticModel::weights() const {
  std::vector<model::TensorView> views;
  for (const Tensor& tensor : tensors_) {
    const base::ByteView bytes(reinterpret_cast<const std::uint8_t*>(tensor.cells.data()), tensor.cells.size() * 2);
    views.push_back({tensor.name, model::TensorType::kBF16, tensor.shape, bytes});
  }
  return model::Weights::from_safetensors(config_, std::move(views), {"synthetic"});
}

model::TokenizerData SyntheticModel::tokenizer() const {
  model::TokenizerData data;
  data.kind = model::TokenizerKind::kByteLevelBpe;
  for (std::uint64_t i = 0; i < config_.vocabulary; ++i) {
    data.tokens.push_back(i < 256 ? std::string(1, static_cast<char>(i)) : fmt::format("<{}>", i));
    data.types.push_back(i < 256 ? model::TokenType::kNormal : model::TokenType::kUnused);
  }
  return data;
}

}  // namespace avow::quantise
