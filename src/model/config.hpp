// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "model/error.hpp"

namespace avow::model {

class GgufFile;

enum class Architecture : std::uint8_t {
  kLlama,  ///< RMSNorm, rotary positions, grouped-query attention, gated feed-forward
  kGpt2,   ///< LayerNorm, learned positions, biases everywhere
};

enum class Activation : std::uint8_t {
  kSilu,      ///< x / (1 + exp(-x))
  kGeluTanh,  ///< GELU by its approximation with tanh
  kGeluErf,   ///< GELU by the error function
};

/// How a file orders the rows of queries and keys: the two coordinates of rotation i of a head are 2i and 2i + 1, or i
/// and i + head_size / 2.
enum class RopeLayout : std::uint8_t { kInterleaved, kHalfSplit };

enum class RopeScaling : std::uint8_t {
  kNone,
  kLinear,   ///< every frequency is divided by `factor`
  kLlama3,   ///< low frequencies are divided by `factor`, high ones kept, with a ramp between
  kYarn,     ///< "NTK by parts" with a factor on the amplitude
  kFactors,  ///< frequency i is divided by factors[i]
};

/// Rotary positions. Fields after `scaling` hold what that kind needs, else their defaults.
struct Rope {
  double theta = 10000;
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1;
  double low_frequency_factor = 1, high_frequency_factor = 4;  // kLlama3
  double beta_fast = 32, beta_slow = 1;                        // kYarn: rotations within the original context
  double amplitude = 1;                                        // kYarn: cosine and sine are multiplied by it
  bool grows_with_factor = false;                              // kYarn: and by 0.1 ln(factor) + 1
  bool whole_ramp_ends = true;                                 // kYarn: the ramp's ends are rounded outwards
  std::uint64_t original_context = 0;                          // kLlama3, kYarn
  std::vector<float> factors;                                  // kFactors: head_size / 2
};

/// What a model file says about its model. Every count is at least 1.
struct ModelConfig {
  Architecture architecture = Architecture::kLlama;
  std::string declared;  ///< the architecture's name in the file: "qwen2"
  std::uint64_t layers = 0, width = 0, heads = 0, kv_heads = 0, head_size = 0, hidden = 0;
  std::uint64_t vocabulary = 0;
  std::uint64_t context = 0;  ///< positions that the model was made for; for GPT-2, that it has
  double norm_epsilon = 0;
  Activation activation = Activation::kSilu;
  Rope rope;                                          ///< kLlama only
  RopeLayout rope_layout = RopeLayout::kInterleaved;  ///< of the file; Weights are always interleaved
  bool tied_head = false;                             ///< the head is the token embedding
  bool qkv_bias = false, attention_output_bias = false;
};

/// Caps that keep every product of dimensions far from 2^64.
namespace config_limits {
inline constexpr std::uint64_t kLayers = 1 << 12, kHeads = 1 << 12, kHeadSize = 1 << 12, kWidth = 1 << 18,
                               kHidden = 1 << 20, kVocabulary = 1 << 24, kContext = 1 << 30;
}  // namespace config_limits

/// From GGUF metadata (architectures llama, qwen2, gpt2), or from the text of a Hugging Face config.json (llama,
/// mistral, qwen2, gpt2). kUnsupported names whatever would make the model compute something else than the parts above.
[[nodiscard]] base::Result<ModelConfig, ReadError> config_from_gguf(const GgufFile& gguf);
[[nodiscard]] base::Result<ModelConfig, ReadError> config_from_json(base::ByteView text, std::string_view file);

/// What every configuration must fulfil: counts within the caps, heads a multiple of kv_heads, numbers in sane ranges.
[[nodiscard]] MaybeError check_config(const ModelConfig& config, std::string_view file);

/// The angle of each of the head_size / 2 rotations at position 1, in radians, scaling included.
[[nodiscard]] std::vector<double> rope_frequencies(const ModelConfig& config);

/// What cosine and sine are multiplied by.
[[nodiscard]] double rope_amplitude(const Rope& rope);

}  // namespace avow::model
