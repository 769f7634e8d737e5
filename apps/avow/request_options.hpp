// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "answer/request.hpp"
#include "model/tokenizer.hpp"

// What commands that ask a model have in common.
namespace avow::app {

struct SamplingOptions {
  double temperature = 0, top_p = 1;
  std::uint32_t top_k = 0;
  std::string seed;  ///< hexadecimal
};
void add_sampling_options(CLI::App& command, SamplingOptions& options);
/// As a request says it; a random seed if none is given. The problem in words.
base::Result<answer::Sampling, std::string> sampling_of(const SamplingOptions& options, std::uint64_t vocabulary);

struct PromptOptions {
  std::string system;
  bool chat = false;
};
/// --chat and --system.
void add_chat_options(CLI::App& command, PromptOptions& options);
/// The tokens of a prompt, in the model's chat template if so said, of which there is one at least.
base::Result<std::vector<std::uint32_t>, std::string> encode_prompt(const PromptOptions& options,
                                                                    const std::string& text,
                                                                    const model::Tokenizer& tokenizer);
/// The whole file.
base::Result<std::string, std::string> read_text(const std::string& path);

/// The token that ends the model's answers, if it has one.
std::vector<std::uint32_t> stop_ids_of(const model::Tokenizer& tokenizer);

/// A number of at most `size` bytes, with zeros before it; hexadecimal, 0x allowed. Nothing if there is no digit.
std::optional<std::vector<std::uint8_t>> bytes_of(const std::string& text, std::size_t size);
/// The same, of ids and addresses: with all of their digits, so that one that was cut off is none.
std::optional<std::vector<std::uint8_t>> all_bytes_of(const std::string& text, std::size_t size);

}  // namespace avow::app
