// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "compile/tensors.hpp"
#include "model/weights.hpp"
#include "quantise/error.hpp"

namespace avow::quantise {

/// The tensors of an integer model before they are rounded: real numbers in which everything is folded that an integer
/// model has no step for (spec/integer_models.md, sections 3 and 5):
///   - gains of norms, and sqrt(width) / (1 - 2^-10), into the columns that read a norm's output, so that what they
///   read
///     is y / 2^15;
///   - biases of norms into the biases of what reads them;
///   - 1 / sqrt(head_size) into queries;
///   - for LayerNorm, the mean over features out of everything that is added to the residual stream. Embeddings keep
///     theirs, as they may be the head, too: embedding_mean has it.
class Folder {
 public:
  /// Both outlive it. The plan has architecture, flags and sizes.
  Folder(const model::Weights& weights, const compile::Plan& plan) : weights_(weights), plan_(plan) {}

  /// Takes the values of the next cells, in the order of the tensor's axes.
  using Sink = std::function<void(std::span<const double> values)>;
  /// All cells of a tensor that comes from weights: none of the function tables, nor embedding_mean.
  [[nodiscard]] std::optional<Error> visit(compile::ModelTensor tensor, const Sink& sink) const;

 private:
  // How a matrix or its bias is folded.
  struct Rule {
    model::Part matrix;
    std::optional<model::Part> bias, gain, gain_bias;  // the latter of the norm whose output it reads
    double factor = 1;
    bool centred = false;
  };
  [[nodiscard]] Rule rule_of(compile::ModelTensor tensor) const;
  [[nodiscard]] std::optional<Error> visit_matrix(const Rule& rule, const Sink& sink) const;
  [[nodiscard]] std::optional<Error> visit_bias(const Rule& rule, const Sink& sink) const;
  [[nodiscard]] std::optional<Error> visit_positions(const Sink& sink) const;
  // One row, of a matrix or of a vector; empty if the model has no such part.
  [[nodiscard]] std::optional<Error> read(model::Part part, std::uint64_t layer, std::uint64_t row,
                                          std::vector<float>& out) const;
  [[nodiscard]] double norm_factor() const;

  const model::Weights& weights_;
  const compile::Plan& plan_;
};

}  // namespace avow::quantise
