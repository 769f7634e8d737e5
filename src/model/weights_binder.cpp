// SPDX-License-Identifier: Apache-2.0
// Which stored tensor is which part of a model.
#include <fmt/format.h>

#include <map>

#include "model/weights.hpp"

namespace avow::model {

using base::Err;
using base::Result;

// Outside the anonymous namespace, as WeightsBinder, which has one, is.
enum class WeightsSource : std::uint8_t { kGguf, kFolder };

namespace {

enum class Extent : std::uint8_t { kOne, kWidth, kQueries, kKeys, kHidden, kVocabulary, kContext };
enum class Rotary : std::uint8_t { kNo, kYes };
enum class Matrix : std::uint8_t { kOutIn, kConv1d };  // Conv1D: stored in x out in Hugging Face's GPT-2

struct Entry {
  Part part;
  const char* gguf;
  const char* folder;
  Extent rows, columns;
  Rotary rotary = Rotary::kNo;
  Matrix matrix = Matrix::kOutIn;
  // Where one stored tensor holds several parts: how many, and which one of them this is.
  std::uint64_t fused = 1, index = 0;
};

constexpr Entry kLlamaGlobal[] = {
    {Part::kTokenEmbedding, "token_embd.weight", "model.embed_tokens.weight", Extent::kVocabulary, Extent::kWidth},
    {Part::kFinalNorm, "output_norm.weight", "model.norm.weight", Extent::kOne, Extent::kWidth},
    {Part::kHead, "output.weight", "lm_head.weight", Extent::kVocabulary, Extent::kWidth},
};

constexpr Entry kLlamaLayer[] = {
    {Part::kAttentionNorm, "attn_norm.weight", "input_layernorm.weight", Extent::kOne, Extent::kWidth},
    {Part::kQuery, "attn_q.weight", "self_attn.q_proj.weight", Extent::kQueries, Extent::kWidth, Rotary::kYes},
    {Part::kQueryBias, "attn_q.bias", "self_attn.q_proj.bias", Extent::kOne, Extent::kQueries, Rotary::kYes},
    {Part::kKey, "attn_k.weight", "self_attn.k_proj.weight", Extent::kKeys, Extent::kWidth, Rotary::kYes},
    {Part::kKeyBias, "attn_k.bias", "self_attn.k_proj.bias", Extent::kOne, Extent::kKeys, Rotary::kYes},
    {Part::kValue, "attn_v.weight", "self_attn.v_proj.weight", Extent::kKeys, Extent::kWidth},
    {Part::kValueBias, "attn_v.bias", "self_attn.v_proj.bias", Extent::kOne, Extent::kKeys},
    {Part::kAttentionOutput, "attn_output.weight", "self_attn.o_proj.weight", Extent::kWidth, Extent::kQueries},
    {Part::kAttentionOutputBias, "attn_output.bias", "self_attn.o_proj.bias", Extent::kOne, Extent::kWidth},
    {Part::kFeedForwardNorm, "ffn_norm.weight", "post_attention_layernorm.weight", Extent::kOne, Extent::kWidth},
    {Part::kGate, "ffn_gate.weight", "mlp.gate_proj.weight", Extent::kHidden, Extent::kWidth},
    {Part::kUp, "ffn_up.weight", "mlp.up_proj.weight", Extent::kHidden, Extent::kWidth},
    {Part::kDown, "ffn_down.weight", "mlp.down_proj.weight", Extent::kWidth, Extent::kHidden},
};

constexpr Entry kGpt2Global[] = {
    {Part::kTokenEmbedding, "token_embd.weight", "wte.weight", Extent::kVocabulary, Extent::kWidth},
    {Part::kPositionEmbedding, "position_embd.weight", "wpe.weight", Extent::kContext, Extent::kWidth},
    {Part::kFinalNorm, "output_norm.weight", "ln_f.weight", Extent::kOne, Extent::kWidth},
    {Part::kFinalNormBias, "output_norm.bias", "ln_f.bias", Extent::kOne, Extent::kWidth},
    {Part::kHead, "output.weight", "lm_head.weight", Extent::kVocabulary, Extent::kWidth},
};

constexpr auto kConv = Matrix::kConv1d;
constexpr Entry kGpt2Layer[] = {
    {Part::kAttentionNorm, "attn_norm.weight", "ln_1.weight", Extent::kOne, Extent::kWidth},
    {Part::kAttentionNormBias, "attn_norm.bias", "ln_1.bias", Extent::kOne, Extent::kWidth},
    {Part::kQuery, "attn_qkv.weight", "attn.c_attn.weight", Extent::kWidth, Extent::kWidth, Rotary::kNo, kConv, 3, 0},
    {Part::kQueryBias, "attn_qkv.bias", "attn.c_attn.bias", Extent::kOne, Extent::kWidth, Rotary::kNo, kConv, 3, 0},
    {Part::kKey, "attn_qkv.weight", "attn.c_attn.weight", Extent::kWidth, Extent::kWidth, Rotary::kNo, kConv, 3, 1},
    {Part::kKeyBias, "attn_qkv.bias", "attn.c_attn.bias", Extent::kOne, Extent::kWidth, Rotary::kNo, kConv, 3, 1},
    {Part::kValue, "attn_qkv.weight", "attn.c_attn.weight", Extent::kWidth, Extent::kWidth, Rotary::kNo, kConv, 3, 2},
    {Part::kValueBias, "attn_qkv.bias", "attn.c_attn.bias", Extent::kOne, Extent::kWidth, Rotary::kNo, kConv, 3, 2},
    {Part::kAttentionOutput, "attn_output.weight", "attn.c_proj.weight", Extent::kWidth, Extent::kWidth, Rotary::kNo,
     kConv},
    {Part::kAttentionOutputBias, "attn_output.bias", "attn.c_proj.bias", Extent::kOne, Extent::kWidth},
    {Part::kFeedForwardNorm, "ffn_norm.weight", "ln_2.weight", Extent::kOne, Extent::kWidth},
    {Part::kFeedForwardNormBias, "ffn_norm.bias", "ln_2.bias", Extent::kOne, Extent::kWidth},
    {Part::kUp, "ffn_up.weight", "mlp.c_fc.weight", Extent::kHidden, Extent::kWidth, Rotary::kNo, kConv},
    {Part::kUpBias, "ffn_up.bias", "mlp.c_fc.bias", Extent::kOne, Extent::kHidden},
    {Part::kDown, "ffn_down.weight", "mlp.c_proj.weight", Extent::kWidth, Extent::kHidden, Rotary::kNo, kConv},
    {Part::kDownBias, "ffn_down.bias", "mlp.c_proj.bias", Extent::kOne, Extent::kWidth},
};

std::span<const Entry> entries(Architecture architecture, bool of_layers) {
  if (architecture == Architecture::kLlama) {
    return of_layers ? std::span<const Entry>(kLlamaLayer) : std::span<const Entry>(kLlamaGlobal);
  }
  return of_layers ? std::span<const Entry>(kGpt2Layer) : std::span<const Entry>(kGpt2Global);
}

std::uint64_t extent(const ModelConfig& config, Extent which) {
  switch (which) {
    case Extent::kOne:
      return 1;
    case Extent::kWidth:
      return config.width;
    case Extent::kQueries:
      return config.heads * config.head_size;
    case Extent::kKeys:
      return config.kv_heads * config.head_size;
    case Extent::kHidden:
      return config.hidden;
    case Extent::kVocabulary:
      return config.vocabulary;
    case Extent::kContext:
      return config.context;
  }
  return 0;
}

bool wanted(const ModelConfig& config, Part part) {
  switch (part) {
    case Part::kQueryBias:
    case Part::kKeyBias:
    case Part::kValueBias:
      return config.qkv_bias;
    case Part::kAttentionOutputBias:
      return config.attention_output_bias;
    default:
      return true;
  }
}

// Tensors that are no weights: rotation frequencies that follow from the configuration, and the causal mask.
bool may_be_ignored(std::string_view name, Architecture architecture, WeightsSource source) {
  if (source == WeightsSource::kGguf) return name == "rope_freqs.weight";
  if (architecture == Architecture::kLlama) return name.ends_with(".self_attn.rotary_emb.inv_freq");
  return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
}

}  // namespace

class WeightsBinder {
 public:
  WeightsBinder(ModelConfig config, std::vector<TensorView> tensors, std::vector<std::string> files,
                WeightsSource source)
      : source_(source) {
    result_.config_ = std::move(config);
    result_.tensors_ = std::move(tensors);
    result_.files_ = std::move(files);
    result_.slots_.resize(kParts);
    result_.shapes_.resize(kParts);
    used_.resize(result_.tensors_.size());
  }

  Result<Weights, ReadError> run();

 private:
  bool fail(Cause cause, const TensorView& tensor, std::string_view reason) {
    error_ = ReadError{cause, result_.files_[tensor.file], tensor.offset,
                       fmt::format("tensor '{}' {}", tensor.name, reason)};
    return false;
  }
  bool fail(Cause cause, std::string reason) {
    error_ = ReadError{cause, result_.files_.empty() ? "" : result_.files_[0], 0, std::move(reason)};
    return false;
  }

  bool index_names();
  bool bind_all();
  bool bind(const Entry& entry, const std::string& name);
  bool bind_tied_head();
  bool all_used();

  [[nodiscard]] std::string global_name(const Entry& entry) const {
    if (source_ == WeightsSource::kGguf) return entry.gguf;
    return entry.part == Part::kHead ? entry.folder : prefix_ + entry.folder;
  }
  [[nodiscard]] std::string layer_name(const Entry& entry, std::uint64_t layer) const {
    if (source_ == WeightsSource::kGguf) return fmt::format("blk.{}.{}", layer, entry.gguf);
    const bool is_llama = result_.config_.architecture == Architecture::kLlama;
    return fmt::format("{}{}.{}.{}", prefix_, is_llama ? "model.layers" : "h", layer, entry.folder);
  }

  WeightsSource source_;
  std::string prefix_;  // GPT-2 is stored with and without one
  std::map<std::string_view, std::size_t> by_name_;
  std::vector<bool> used_;
  Weights result_;
  MaybeError error_;
};

bool WeightsBinder::index_names() {
  for (std::size_t i = 0; i < result_.tensors_.size(); ++i) {
    const TensorView& tensor = result_.tensors_[i];
    if (!by_name_.emplace(tensor.name, i).second) return fail(Cause::kDuplicate, tensor, "is there twice");
  }
  const bool is_gpt2 = result_.config_.architecture == Architecture::kGpt2;
  if (is_gpt2 && by_name_.contains("transformer.wte.weight")) prefix_ = "transformer.";
  return true;
}

bool WeightsBinder::bind(const Entry& entry, const std::string& name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return fail(Cause::kMissing, fmt::format("no tensor '{}'", name));
  const TensorView& tensor = result_.tensors_[found->second];
  if (tensor.type == TensorType::kOther) {
    return fail(Cause::kUnsupported, tensor, "has a type that is not supported");
  }
  const ModelConfig& config = result_.config_;
  const std::uint64_t rows = extent(config, entry.rows), columns = extent(config, entry.columns);
  const bool is_vector = entry.rows == Extent::kOne;
  const bool transposed = !is_vector && entry.matrix == Matrix::kConv1d && source_ == WeightsSource::kFolder;
  std::vector<std::uint64_t> expected = {entry.fused * rows, columns};
  if (is_vector) expected = {entry.fused * columns};
  if (transposed) expected = {columns, entry.fused * rows};
  if (tensor.shape != expected) {
    return fail(Cause::kShape, tensor, fmt::format("is {}, not {}", to_text(tensor.shape), to_text(expected)));
  }
  Weights::Slot slot;
  slot.tensor = found->second;
  slot.first = entry.index * (is_vector ? columns : rows);
  if (transposed) slot.order = Weights::Order::kTransposed;
  if (entry.rotary == Rotary::kYes && config.rope_layout == RopeLayout::kHalfSplit) {
    slot.order = Weights::Order::kHalfSplit;
  }
  used_[slot.tensor] = true;
  const auto part = static_cast<std::size_t>(entry.part);
  result_.slots_[part].push_back(slot);
  result_.shapes_[part] = {rows, columns};
  return true;
}

// A head that is stored although it is tied must be the embedding; which of two the model has would be anybody's guess.
bool WeightsBinder::bind_tied_head() {
  const auto embedding = static_cast<std::size_t>(Part::kTokenEmbedding), head = static_cast<std::size_t>(Part::kHead);
  result_.slots_[head] = result_.slots_[embedding];
  result_.shapes_[head] = result_.shapes_[embedding];
  const auto found = by_name_.find(source_ == WeightsSource::kGguf ? "output.weight" : "lm_head.weight");
  if (found == by_name_.end()) return true;
  const TensorView& stored = result_.tensors_[found->second];
  const TensorView& tied = result_.tensors_[result_.slots_[embedding][0].tensor];
  if (stored.type != tied.type || stored.shape != tied.shape ||
      !std::equal(stored.bytes.begin(), stored.bytes.end(), tied.bytes.begin(), tied.bytes.end())) {
    return fail(Cause::kValue, stored, "is not the token embedding, although the configuration ties them");
  }
  used_[found->second] = true;
  return true;
}

bool WeightsBinder::bind_all() {
  const ModelConfig& config = result_.config_;
  const auto of_layers = entries(config.architecture, true);
  for (const Entry& entry : entries(config.architecture, false)) {
    if (entry.part == Part::kHead && config.tied_head) {
      if (!bind_tied_head()) return false;
    } else if (!bind(entry, global_name(entry))) {
      return false;
    }
  }
  for (std::uint64_t layer = 0; layer < config.layers; ++layer) {
    for (const Entry& entry : of_layers) {
      if (wanted(config, entry.part) && !bind(entry, layer_name(entry, layer))) return false;
    }
  }
  return true;
}

bool WeightsBinder::all_used() {
  const Architecture architecture = result_.config_.architecture;
  for (std::size_t i = 0; i < used_.size(); ++i) {
    const TensorView& tensor = result_.tensors_[i];
    if (!used_[i] && !may_be_ignored(tensor.name, architecture, source_)) {
      return fail(Cause::kUnsupported, tensor,
                  fmt::format("is no part of a {} model that is supported", result_.config_.declared));
    }
  }
  return true;
}

Result<Weights, ReadError> WeightsBinder::run() {
  if (!index_names() || !bind_all() || !all_used()) return Err{std::move(*error_)};
  return std::move(result_);
}

Result<Weights, ReadError> Weights::from_gguf(const GgufFile& gguf) {
  auto config = config_from_gguf(gguf);
  if (!config.ok()) return Err{config.error()};
  return WeightsBinder(std::move(config).value(), gguf.tensors(), {gguf.file()}, WeightsSource::kGguf).run();
}

Result<Weights, ReadError> Weights::from_safetensors(ModelConfig config, std::vector<TensorView> tensors,
                                                     std::vector<std::string> files) {
  return WeightsBinder(std::move(config), std::move(tensors), std::move(files), WeightsSource::kFolder).run();
}

}  // namespace avow::model
