// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer_data.hpp"
#include "model/weights.hpp"

/// Models of well-known shapes without anybody's weights, to measure with.
namespace avow::quantise {

/// By name: "260k" (stories260K), "124m" (LLaMA's architecture with GPT-2 small's sizes), "1b" (TinyLlama's), "gpt2"
/// (GPT-2 small), "long" (one layer of one head, with a context of 4,096). Nothing of another name.
[[nodiscard]] std::optional<model::ModelConfig> synthetic_shape(std::string_view name);

/// Every name that has a shape.
inline const std::vector<std::string> kSyntheticNames = {"260k", "124m", "1b", "gpt2", "long"};

/// Random weights: normal, with the deviations that training starts from; norms' gains near 1, biases near 0. The same
/// on every machine for the same seed.
class SyntheticModel {
 public:
  SyntheticModel(const model::ModelConfig& config, std::uint64_t seed);

  /// Refer to this object.
  [[nodiscard]] base::Result<model::Weights, model::ReadError> weights() const;
  /// Its words: the 256 bytes, and names of numbers for the others.
  [[nodiscard]] model::TokenizerData tokenizer() const;

 private:
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::vector<std::uint16_t> cells;  // bfloat16
  };
  // Values with a mean and a standard deviation.
  void add(std::string name, std::vector<std::uint64_t> shape, double mean, double deviation);
  void add_llama();
  void add_gpt2();

  model::ModelConfig config_;
  std::uint64_t random_;
  std::vector<Tensor> tensors_;
};

}  // namespace avow::quantise
