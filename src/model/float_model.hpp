// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "model/weights.hpp"

namespace avow::model {

/// A model in floating point, as simple as it can be: weights in binary32, everything computed from them in binary64.
/// The measure for tests and evaluations of the integer model; it has no part in any proof. One sequence, token by
/// token; memory grows by its keys and values. Not thread-safe.
class FloatModel {
 public:
  /// Reads all weights.
  static base::Result<FloatModel, ReadError> load(const Weights& weights);

  /// The logits after one more token, one for each word of the vocabulary; valid until the next call. Needs
  /// token < config().vocabulary and, for GPT-2, position() < config().context. LLaMA models go on beyond their
  /// context.
  std::span<const double> step(std::uint32_t token);

  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  /// Forgets the sequence.
  void reset() noexcept;
  [[nodiscard]] const ModelConfig& config() const noexcept { return config_; }

 private:
  using Vector = std::vector<double>;
  // Empty where the model has none.
  using Matrix = std::vector<float>;

  struct Layer {
    std::vector<Matrix> parts;  // by Part
    Vector keys, values;        // position-major
  };

  FloatModel() = default;

  [[nodiscard]] const Matrix& global(Part part) const { return globals_[static_cast<std::size_t>(part)]; }
  static const Matrix& of(const Layer& layer, Part part) { return layer.parts[static_cast<std::size_t>(part)]; }
  [[nodiscard]] Vector norm(const Vector& x, const Matrix& gain, const Matrix& bias) const;
  void rotate(Vector& x) const;
  [[nodiscard]] Vector attention(Layer& layer, const Vector& x) const;
  [[nodiscard]] Vector feed_forward(const Layer& layer, const Vector& x) const;
  [[nodiscard]] double activation(double x) const;

  ModelConfig config_;
  std::vector<Matrix> globals_;  // by Part
  std::vector<Layer> layers_;
  Vector frequencies_;
  Vector logits_;
  std::uint64_t position_ = 0;
};

}  // namespace avow::model
