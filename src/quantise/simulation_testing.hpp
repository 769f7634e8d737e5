// SPDX-License-Identifier: Apache-2.0
// spec/integer_models.md, sections 3 to 6, written down again as plainly as possible: slow, one token at a time, and
// with every range checked.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "compile/tensors.hpp"

namespace avow::quantise::testing {

class Simulation {
 public:
  /// `model` outlives it.
  explicit Simulation(const compile::IntegerModel& model);

  /// The logits after one more token, in units of 1/256. position() < plan.context.
  std::span<const std::int64_t> step(std::uint32_t token);
  [[nodiscard]] std::uint64_t position() const { return position_; }
  void reset();

  /// The first number that left its range; empty if none did.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  /// Largest sizes so far, of numbers and of lengths, to compare bounds with.
  struct Sizes {
    double query = 0, key = 0, value = 0, gate = 0, up = 0, score = 0, product = 0, logit = 0;
    double norm_output = 0, stream = 0;
  };
  [[nodiscard]] const Sizes& sizes() const { return sizes_; }

 private:
  using T = compile::ModelTensor;
  using Integers = std::vector<std::int64_t>;

  std::int64_t in(const char* name, __int128 value, std::int64_t least, std::int64_t above);
  std::int64_t narrow(const char* name, __int128 value) { return in(name, value, -32768, 32768); }
  [[nodiscard]] std::int64_t cell(T tensor, std::size_t i) const { return model_.of(tensor)[i]; }
  Integers norm(const Integers& x);
  Integers sums(T weights, std::size_t layer, std::size_t rows, const Integers& x, T bias, unsigned bias_up);
  Integers project(const char* name, T weights, std::size_t layer, std::size_t rows, const Integers& y, T bias,
                   unsigned bias_up, unsigned shift, double& size);
  Integers turn(const char* name, const Integers& q);
  Integers attention(std::size_t layer, const Integers& y);
  Integers mix(std::size_t layer, std::size_t head, const Integers& query);
  Integers feed_forward(std::size_t layer, const Integers& y);
  void logits(const Integers& y);

  const compile::IntegerModel& model_;
  const compile::Plan& plan_;
  std::vector<Integers> keys_, values_;  // by layer: position-major
  Integers logits_;
  std::uint64_t position_ = 0;
  std::string failure_;
  Sizes sizes_;
};

/// Section 6: the word that a step chooses.
std::uint64_t choose(const compile::IntegerModel& model, std::span<const std::int64_t> logits, std::uint64_t tau,
                     std::uint64_t k, std::uint64_t portion, std::uint64_t random, std::string& failure);

}  // namespace avow::quantise::testing
