// SPDX-License-Identifier: Apache-2.0
// The same small random models in every kind of file.
#pragma once

#include "model/files_testing.hpp"

namespace avow::model::testing {

enum class Bias : std::uint8_t { kNo, kYes };

/// One layer, width 8, 2 heads of 4 values, 1 of keys and values, hidden 12, 5 words. Tensors have their names in GGUF
/// and the project's convention of rows.
std::vector<TinyTensor> tiny_llama(std::uint64_t seed, Bias bias);
/// One layer, width 8, 2 heads, hidden 12, 6 positions, 5 words.
std::vector<TinyTensor> tiny_gpt2(std::uint64_t seed);

/// Metadata of these models for GGUF.
GgufWriter llama_metadata(const std::string& architecture);
GgufWriter gpt2_metadata();
base::Bytes gguf_of(GgufWriter metadata, const std::vector<TinyTensor>& tensors);

/// The same for Hugging Face.
std::string llama_config(const std::string& model_type);
std::string gpt2_config();
/// With Hugging Face's names, order of rows and transpositions.
std::vector<TinyTensor> as_folder_llama(const std::vector<TinyTensor>& tensors);
std::vector<TinyTensor> as_folder_gpt2(const std::vector<TinyTensor>& tensors, const std::string& prefix);
/// Rows of queries and keys (and their biases) in two halves, as GGUF's qwen2 has them; other tensors stay.
std::vector<TinyTensor> with_split_halves(std::vector<TinyTensor> tensors);

}  // namespace avow::model::testing
