// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "compile/tensors.hpp"
#include "runtime/kernels.hpp"
#include "runtime/recorder.hpp"

namespace avow::runtime {

/// The number that leaves its range, if one does, and in which layer.
struct Fault {
  Slot slot = Slot::kNone;
  std::size_t layer = 0;
  explicit operator bool() const noexcept { return slot != Slot::kNone; }
};

/// Computes an integer model, spec/integer_models.md sections 3 to 5. The model's plan, sizes and tables are checked
/// (Runtime::create); its weights may be anything, as numbers that leave their ranges become faults. After one, the
/// keys and values of the block's places are unspecified. Not thread-safe; uses all threads.
class Forward {
 public:
  /// Most tokens of a block: weights are read from memory once for all of them, while what is computed from each stays
  /// in the caches.
  static constexpr std::size_t kBlock = 32;

  /// Keys and values of `places` places. Ask `allocated` before all else.
  Forward(const compile::IntegerModel& model, std::size_t places);
  [[nodiscard]] bool allocated() const noexcept { return keys_ != nullptr && values_ != nullptr; }
  [[nodiscard]] std::size_t places() const noexcept { return places_; }

  /// Runs 1 to kBlock tokens through all layers, at places from `first` on; those before have been run.
  [[nodiscard]] Fault run_layers(std::span<const std::uint32_t> tokens, std::size_t first, Recorder* recorder);
  /// The residual stream after the last layer, of a token of the last block.
  [[nodiscard]] std::span<const std::int64_t> stream(std::size_t row) const {
    return std::span(streams_).subspan(row * width_, width_);
  }

  /// Logits of 1 to kBlock steps from their streams, one after the other; logits[steps * vocabulary].
  [[nodiscard]] Fault run_head(std::span<const std::int64_t> streams, std::size_t first_step, Recorder* recorder,
                               std::span<std::int32_t> logits);

 private:
  /// The block that is being run.
  struct Block {
    std::size_t rows, first;  ///< tokens, and the place of the first
    std::size_t layer;
    Recorder* recorder;
    [[nodiscard]] Place place(std::size_t row, std::size_t head = 0) const { return {layer, head, first + row}; }
  };

  void reserve(std::size_t rows);
  Slot embed(std::span<const std::uint32_t> tokens, std::size_t first, Recorder* recorder);
  Slot run_layer(const Block& block);
  Slot norm_rows(const Block& block, Slot slot, std::span<const std::int64_t> streams);
  Slot norm_row(const Place& at, Slot slot, std::span<const std::int64_t> stream, std::int16_t* out,
                Recorder* recorder) const;

  /// sums_[row, i] = a row of the layer's matrix times a row of the input, plus bias.
  void project(const Block& block, compile::ModelTensor weights, std::span<const std::int16_t> input,
               std::size_t length, compile::ModelTensor bias, unsigned bias_up);
  void add_bias(std::size_t rows, std::size_t layer, compile::ModelTensor bias, unsigned up);
  Slot queries(const Block& block);
  Slot keys(const Block& block);
  Slot values(const Block& block);
  /// Turns the pairs of one head by their token's place.
  bool turn(const Place& at, Slot slot, std::int16_t* pairs, Recorder* recorder) const;
  Slot attend(const Block& block);
  Slot attend_head(const Block& block, std::size_t head);
  bool softmax_row(const Place& at, std::span<const std::int64_t> sums, std::int16_t* exps, std::int64_t& reciprocal,
                   Recorder* recorder) const;
  Slot add_output(const Block& block);
  Slot feed_forward(const Block& block);
  /// The products h of activations and `up`: their low parts replace the activations.
  Slot product_row(const Place& at, const std::int16_t* up, std::int16_t* act, std::int16_t* high,
                   Recorder* recorder) const;
  Slot add_down(const Block& block);
  Slot add_to_streams(const Block& block, unsigned up);

  [[nodiscard]] const std::int16_t* narrow(compile::ModelTensor tensor) const {
    return model_->of(tensor).narrow.data();
  }
  [[nodiscard]] std::int16_t* key_cells(std::size_t layer, std::size_t head) {
    return keys_.get() + (layer * kv_heads_ + head) * places_ * head_size_;
  }
  [[nodiscard]] std::int16_t* value_cells(std::size_t layer, std::size_t head) {
    return values_.get() + (layer * kv_heads_ + head) * places_ * head_size_;
  }

  const compile::IntegerModel* model_;
  std::size_t places_, width_, kv_heads_, heads_, head_size_, hidden_;
  bool llama_;
  std::unique_ptr<std::int16_t[]> keys_;    ///< layer, kv_head, place, pair, side
  std::unique_ptr<std::int16_t[]> values_;  ///< layer, kv_head, head_feature, place
  // Of the rows of a block, row-major.
  std::size_t rows_ = 0;               ///< as many as the following hold
  std::vector<std::int64_t> streams_;  ///< row, feature
  std::vector<std::int64_t> sums_;     ///< row (twice as many for products), the longest of all axes
  std::vector<std::int16_t> normed_;   ///< row, feature
  std::vector<std::int16_t> queries_;  ///< row, head, head_feature
  std::vector<std::int16_t> mixes_;    ///< the same
  std::vector<std::int16_t> gates_;    ///< row, hidden
  std::vector<std::int16_t> ups_;      ///< row, hidden
  std::vector<std::int16_t> acts_;     ///< row, limb, hidden: what the down matrix reads
};

}  // namespace avow::runtime
