// SPDX-License-Identifier: Apache-2.0
#include "model/tiny_models_testing.hpp"

#include <algorithm>
#include <random>

namespace avow::model::testing {
namespace {

constexpr std::uint64_t kWidth = 8, kHeadSize = 4, kKeys = 4, kHidden = 12, kWords = 5, kPositions = 6;

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}
  void add(const std::string& name, std::vector<std::uint64_t> shape) {
    TinyTensor tensor{name, std::move(shape), {}};
    std::uint64_t size = 1;
    for (const std::uint64_t extent : tensor.shape) size *= extent;
    std::uniform_real_distribution<float> values(-1, 1);
    for (std::uint64_t i = 0; i < size; ++i) tensor.values.push_back(values(random_));
    tensors.push_back(std::move(tensor));
  }
  std::vector<TinyTensor> tensors;

 private:
  std::mt19937_64 random_;
};

TinyTensor transposed(const TinyTensor& tensor) {
  const std::uint64_t rows = tensor.shape[0], columns = tensor.shape[1];
  TinyTensor result{tensor.name, {columns, rows}, {}};
  for (std::uint64_t c = 0; c < columns; ++c) {
    for (std::uint64_t r = 0; r < rows; ++r) result.values.push_back(tensor.values[r * columns + c]);
  }
  return result;
}

std::string renamed(const std::string& name, const std::vector<std::pair<std::string, std::string>>& names) {
  for (const auto& [from, to] : names) {
    if (name.starts_with(from)) return to + name.substr(from.size());
  }
  return name;
}

}  // namespace

std::vector<TinyTensor> tiny_llama(std::uint64_t seed, Bias bias) {
  Maker maker(seed);
  maker.add("token_embd.weight", {kWords, kWidth});
  maker.add("output_norm.weight", {kWidth});
  maker.add("output.weight", {kWords, kWidth});
  maker.add("blk.0.attn_norm.weight", {kWidth});
  maker.add("blk.0.attn_q.weight", {kWidth, kWidth});
  maker.add("blk.0.attn_k.weight", {kKeys, kWidth});
  maker.add("blk.0.attn_v.weight", {kKeys, kWidth});
  maker.add("blk.0.attn_output.weight", {kWidth, kWidth});
  maker.add("blk.0.ffn_norm.weight", {kWidth});
  maker.add("blk.0.ffn_gate.weight", {kHidden, kWidth});
  maker.add("blk.0.ffn_up.weight", {kHidden, kWidth});
  maker.add("blk.0.ffn_down.weight", {kWidth, kHidden});
  if (bias == Bias::kYes) {
    maker.add("blk.0.attn_q.bias", {kWidth});
    maker.add("blk.0.attn_k.bias", {kKeys});
    maker.add("blk.0.attn_v.bias", {kKeys});
  }
  return maker.tensors;
}

std::vector<TinyTensor> tiny_gpt2(std::uint64_t seed) {
  Maker maker(seed);
  maker.add("token_embd.weight", {kWords, kWidth});
  maker.add("position_embd.weight", {kPositions, kWidth});
  for (const char* norm : {"output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"}) {
    maker.add(std::string(norm) + ".weight", {kWidth});
    maker.add(std::string(norm) + ".bias", {kWidth});
  }
  maker.add("blk.0.attn_qkv.weight", {3 * kWidth, kWidth});
  maker.add("blk.0.attn_qkv.bias", {3 * kWidth});
  maker.add("blk.0.attn_output.weight", {kWidth, kWidth});
  maker.add("blk.0.attn_output.bias", {kWidth});
  maker.add("blk.0.ffn_up.weight", {kHidden, kWidth});
  maker.add("blk.0.ffn_up.bias", {kHidden});
  maker.add("blk.0.ffn_down.weight", {kWidth, kHidden});
  maker.add("blk.0.ffn_down.bias", {kWidth});
  return maker.tensors;
}

GgufWriter llama_metadata(const std::string& architecture) {
  GgufWriter w;
  w.text("general.architecture", architecture);
  w.u32(architecture + ".block_count", 1);
  w.u32(architecture + ".embedding_length", kWidth);
  w.u32(architecture + ".feed_forward_length", kHidden);
  w.u32(architecture + ".context_length", 64);
  w.u32(architecture + ".attention.head_count", 2);
  w.u32(architecture + ".attention.head_count_kv", 1);
  w.f32(architecture + ".attention.layer_norm_rms_epsilon", 1.0f / 1024);
  return w;
}

GgufWriter gpt2_metadata() {
  GgufWriter w;
  w.text("general.architecture", "gpt2");
  w.u32("gpt2.block_count", 1);
  w.u32("gpt2.embedding_length", kWidth);
  w.u32("gpt2.feed_forward_length", kHidden);
  w.u32("gpt2.context_length", kPositions);
  w.u32("gpt2.attention.head_count", 2);
  w.f32("gpt2.attention.layer_norm_epsilon", 1.0f / 1024);
  return w;
}

base::Bytes gguf_of(GgufWriter metadata, const std::vector<TinyTensor>& tensors) {
  for (const TinyTensor& tensor : tensors) metadata.tensor(tensor);
  return metadata.write();
}

std::string llama_config(const std::string& model_type) {
  return R"({"model_type":")" + model_type + R"(","hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,
    "num_key_value_heads":1,"intermediate_size":12,"vocab_size":5,"max_position_embeddings":64,
    "rms_norm_eps":0.0009765625})";
}

std::string gpt2_config() {
  return R"({"model_type":"gpt2","n_embd":8,"n_layer":1,"n_head":2,"n_inner":12,"n_positions":6,"vocab_size":5,
    "layer_norm_epsilon":0.0009765625})";
}

std::vector<TinyTensor> with_split_halves(std::vector<TinyTensor> tensors) {
  for (TinyTensor& tensor : tensors) {
    if (!tensor.name.starts_with("blk.0.attn_q.") && !tensor.name.starts_with("blk.0.attn_k.")) continue;
    const std::uint64_t rows = tensor.shape[0], width = tensor.values.size() / rows;
    const std::vector<float> old = tensor.values;
    // Pairs (0, 1) and (2, 3) of each head become (0, 2) and (1, 3).
    constexpr std::uint64_t kFrom[kHeadSize] = {0, 2, 1, 3};
    for (std::uint64_t row = 0; row < rows; ++row) {
      const std::uint64_t from = row / kHeadSize * kHeadSize + kFrom[row % kHeadSize];
      for (std::uint64_t i = 0; i < width; ++i) tensor.values[row * width + i] = old[from * width + i];
    }
  }
  return tensors;
}

std::vector<TinyTensor> as_folder_llama(const std::vector<TinyTensor>& tensors) {
  std::vector<TinyTensor> result = with_split_halves(tensors);
  for (TinyTensor& tensor : result) {
    tensor.name = renamed(tensor.name, {{"token_embd", "model.embed_tokens"},
                                        {"output_norm", "model.norm"},
                                        {"output", "lm_head"},
                                        {"blk.0.attn_norm", "model.layers.0.input_layernorm"},
                                        {"blk.0.attn_q", "model.layers.0.self_attn.q_proj"},
                                        {"blk.0.attn_k", "model.layers.0.self_attn.k_proj"},
                                        {"blk.0.attn_v", "model.layers.0.self_attn.v_proj"},
                                        {"blk.0.attn_output", "model.layers.0.self_attn.o_proj"},
                                        {"blk.0.ffn_norm", "model.layers.0.post_attention_layernorm"},
                                        {"blk.0.ffn_gate", "model.layers.0.mlp.gate_proj"},
                                        {"blk.0.ffn_up", "model.layers.0.mlp.up_proj"},
                                        {"blk.0.ffn_down", "model.layers.0.mlp.down_proj"}});
  }
  return result;
}

std::vector<TinyTensor> as_folder_gpt2(const std::vector<TinyTensor>& tensors, const std::string& prefix) {
  std::vector<TinyTensor> result = tensors;
  for (TinyTensor& tensor : result) {
    if (tensor.shape.size() == 2 && tensor.name.starts_with("blk.")) tensor = transposed(tensor);
    tensor.name = prefix + renamed(tensor.name, {{"token_embd", "wte"},
                                                 {"position_embd", "wpe"},
                                                 {"output_norm", "ln_f"},
                                                 {"blk.0.attn_norm", "h.0.ln_1"},
                                                 {"blk.0.attn_qkv", "h.0.attn.c_attn"},
                                                 {"blk.0.attn_output", "h.0.attn.c_proj"},
                                                 {"blk.0.ffn_norm", "h.0.ln_2"},
                                                 {"blk.0.ffn_up", "h.0.mlp.c_fc"},
                                                 {"blk.0.ffn_down", "h.0.mlp.c_proj"}});
  }
  return result;
}

}  // namespace avow::model::testing
