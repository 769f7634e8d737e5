// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/config.hpp"
#include "model/error.hpp"
#include "model/tensor.hpp"

namespace avow::model {

/// The weights that are stored in one type. A tied head is not counted: it is the token embedding.
struct StoredWeights {
  TensorType type;
  std::uint64_t tensors;  ///< logical ones (model/weights.hpp)
  std::uint64_t values;
  std::uint64_t bytes;
};

/// What a model file holds, without its tokenizer.
struct ModelSummary {
  ModelConfig config;
  std::vector<StoredWeights> weights;  ///< of each type in use, in TensorType's order
  std::string name;                    ///< GGUF's general.name; any bytes; empty if there is none
  std::string licence;                 ///< GGUF's general.license, likewise

  [[nodiscard]] std::uint64_t values() const noexcept;
  [[nodiscard]] std::uint64_t bytes() const noexcept;
};

/// Of a GGUF file or a Hugging Face folder, refused for the same reasons as by Weights::open(). Weights are not
/// decoded.
[[nodiscard]] base::Result<ModelSummary, ReadError> summarise_model(const std::string& path);

}  // namespace avow::model
