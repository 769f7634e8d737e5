// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "quantise/cells.hpp"
#include "quantise/quantise.hpp"

namespace avow::quantise {

/// Rows that read a norm's output, with their biases.
struct Projection {
  Matrix weights;
  std::span<const std::int16_t> bias;  // empty if there is none
  double bias_unit = 1;                // of the bias in units of the sum
  double input = 0;                    // the length of what they read is at most this

  /// Bounds on the sum of a row, on the length of the sums of rows 2i and 2i + 1, and on that of a run of rows.
  [[nodiscard]] double row(std::size_t i) const;
  [[nodiscard]] double pair(std::size_t i) const;
  [[nodiscard]] double run(std::size_t first, std::size_t count) const;
};

/// One import: each step rounds some tensors and chooses the numbers of the plan that these decide, in the order in
/// which the model computes, so that every bound is one on integers that are already fixed.
class Importer {
 public:
  explicit Importer(const model::Weights& weights) : weights_(weights), folder_(weights, plan()) {}

  [[nodiscard]] std::optional<Error> run(const Options& options);
  [[nodiscard]] Import take() { return std::move(import_); }

 private:
  using Maybe = std::optional<Error>;
  using T = compile::ModelTensor;

  // importer.cpp
  Maybe embed();
  Maybe stream();
  Maybe head();
  Maybe head_scale(int& bits);
  Maybe logits();
  [[nodiscard]] std::uint64_t epsilon_at(unsigned shift) const;
  Maybe rotate();
  void fixed_tables();

  // importer_attention.cpp
  Maybe attention();
  Maybe queries_and_keys();
  Maybe values();
  Maybe outputs();
  [[nodiscard]] double score_bound() const;

  // importer_feed_forward.cpp
  Maybe feed_forward();
  Maybe gates_and_ups();
  Maybe products();
  Maybe downs();
  [[nodiscard]] double product_bound(std::size_t row) const;
  [[nodiscard]] double feed_forward_length(std::size_t layer) const;
  [[nodiscard]] double gated_length(std::size_t layer, const RealMatrix& down) const;

  // Rounds a matrix to 16 bits with the finest scale; `bits` is that scale.
  Maybe round_matrix(T tensor, int& bits);
  // Rounds a bias that is added to a sum in units of 2^-sum_bits.
  Maybe round_bias(T tensor, int sum_bits, unsigned& bias_up);
  // The least shift from 0 to 40 after which a value is at most `limit`; `after` bounds it.
  static Maybe least_shift(const char* name, double limit, const std::function<double(unsigned)>& after,
                           unsigned& shift);

  [[nodiscard]] compile::Plan& plan() { return import_.model.plan; }
  [[nodiscard]] const compile::Plan& plan() const { return import_.model.plan; }
  [[nodiscard]] compile::Cells& cells(T tensor) { return import_.model.of(tensor); }
  [[nodiscard]] Matrix matrix(T tensor, std::size_t columns) const {
    return {import_.model.of(tensor).narrow, columns};
  }
  // The rows of all layers.
  [[nodiscard]] Projection projection(T weights, std::optional<T> bias, unsigned bias_up) const;
  [[nodiscard]] Projection query_projection() const;
  [[nodiscard]] Projection key_projection() const;
  [[nodiscard]] Projection value_projection() const;
  [[nodiscard]] Projection gate_projection() const;
  [[nodiscard]] Projection up_projection() const;
  [[nodiscard]] double bias_length(T tensor, std::size_t layer, unsigned bias_up) const;
  [[nodiscard]] std::uint64_t heads() const { return plan().kv_heads * plan().group; }

  const model::Weights& weights_;
  Import import_;
  Folder folder_;
  int query_bits_ = 0, key_bits_ = 0, value_bits_ = 0, output_bits_ = 0;  // of matrices
  int gate_bits_ = 0, up_bits_ = 0, down_bits_ = 0;
  double rotation_gain_ = 1;  // how much longer a turned pair can be, rounding aside
};

/// The length of a vector of `count` roundings.
[[nodiscard]] double rounding_length(std::uint64_t count);

}  // namespace avow::quantise
