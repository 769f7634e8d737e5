// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.hpp"
#include "model/config.hpp"
#include "model/gguf.hpp"
#include "model/tensor.hpp"

namespace avow::model {

/// The logical tensors of a model. Those from kAttentionNorm to kDownBias exist once in each layer. "fc" and "proj" of
/// GPT-2's feed-forward are kUp and kDown.
enum class Part : std::uint8_t {
  kTokenEmbedding,     ///< vocabulary x width
  kPositionEmbedding,  ///< context x width (GPT-2)
  kFinalNorm,
  kFinalNormBias,
  kHead,  ///< vocabulary x width; the token embedding itself if the configuration says so
  kAttentionNorm,
  kAttentionNormBias,
  kQuery,  ///< heads * head_size x width
  kQueryBias,
  kKey,  ///< kv_heads * head_size x width
  kKeyBias,
  kValue,
  kValueBias,
  kAttentionOutput,  ///< width x heads * head_size
  kAttentionOutputBias,
  kFeedForwardNorm,
  kFeedForwardNormBias,
  kGate,  ///< hidden x width (LLaMA)
  kUp,
  kUpBias,
  kDown,  ///< width x hidden
  kDownBias,
};
inline constexpr std::size_t kParts = static_cast<std::size_t>(Part::kDownBias) + 1;

/// Norms and biases are one row.
struct Shape {
  std::uint64_t rows, columns;
  friend bool operator==(const Shape&, const Shape&) = default;
};

/// The weights of one model from either kind of file, in one convention:
///   - matrices are out x in: y = W x + b, a row for each output;
///   - the two coordinates of rotation i of a head are its rows 2i and 2i + 1, in weights and biases of queries and
///   keys
///     (Hugging Face and GGUF's qwen2 store rows i and i + head_size / 2: they are reordered);
///   - queries, keys and values are apart (GPT-2 stores one matrix, in Hugging Face's files transposed).
/// Every shape was checked against the configuration, and every tensor of the files has its part: one that is not known
/// would mean another computation, and is refused. Values are decoded when they are read. Thread-safe.
class Weights {
 public:
  /// A GGUF file, or a folder with config.json and model.safetensors or model.safetensors.index.json and its files.
  static base::Result<Weights, ReadError> open(const std::string& path);
  /// From bytes that outlive the result.
  static base::Result<Weights, ReadError> from_gguf(const GgufFile& gguf);
  /// Tensors of safetensors files, `files[tensor.file]` naming the file of each, whose bytes outlive the result.
  static base::Result<Weights, ReadError> from_safetensors(ModelConfig config, std::vector<TensorView> tensors,
                                                           std::vector<std::string> files);

  [[nodiscard]] const ModelConfig& config() const noexcept { return config_; }
  /// Layers that this part has a tensor for: config().layers, 1, or 0 if the model has no such part.
  [[nodiscard]] std::uint64_t count(Part part) const noexcept;
  [[nodiscard]] bool has(Part part) const noexcept { return count(part) != 0; }
  /// Needs has(part).
  [[nodiscard]] Shape shape(Part part) const noexcept;
  /// The type it is stored in.
  [[nodiscard]] TensorType stored_type(Part part, std::uint64_t layer) const noexcept;

  /// Writes one row to `out`, whose size is shape(part).columns. kNotFinite if the row has NaN or infinity; no other
  /// error. layer < count(part) and row < shape(part).rows.
  [[nodiscard]] MaybeError read_row(Part part, std::uint64_t layer, std::uint64_t row, std::span<float> out) const;
  /// All rows, one after the other.
  [[nodiscard]] base::Result<std::vector<float>, ReadError> read(Part part, std::uint64_t layer) const;

 private:
  friend class WeightsBinder;

  enum class Order : std::uint8_t {
    kRows,        // as they lie there
    kHalfSplit,   // rows to be interleaved
    kTransposed,  // rows are columns of the stored matrix
  };

  // Where a logical tensor lies: `first` rows (columns if transposed, values of a vector) into a stored one.
  struct Slot {
    std::size_t tensor = 0;
    std::uint64_t first = 0;
    Order order = Order::kRows;
  };

  Weights() = default;

  [[nodiscard]] std::uint64_t stored_index(const Slot& slot, std::uint64_t index) const noexcept;
  void decode_vector(const Slot& slot, std::span<float> out) const;
  void decode_column(const TensorView& tensor, std::uint64_t column, std::span<float> out) const;

  ModelConfig config_;
  std::vector<base::MappedFile> mapped_;  // empty where the caller keeps the bytes
  std::vector<std::string> files_;
  std::vector<TensorView> tensors_;
  std::vector<std::vector<Slot>> slots_;  // by part, then layer
  std::vector<Shape> shapes_;             // by part
};

}  // namespace avow::model
