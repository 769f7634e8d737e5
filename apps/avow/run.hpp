// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model_file/model_file.hpp"
#include "request_options.hpp"

namespace avow::app {

/// An opened `.avow` file with its tokenizer ready.
struct LoadedModel {
  model_file::Opened file;
  model::Tokenizer tokenizer;
};
/// Says on stderr what is wrong, and gives the exit code.
base::Result<LoadedModel, int> load_model(const char* command, const std::string& path);

struct RunOptions {
  std::string path, prompt, file;
  std::size_t most_tokens = 0;
  SamplingOptions sampling;
  PromptOptions chat;
  bool json = false;
};
/// Runs a model on a prompt; the exit code.
int run_model(const RunOptions& options);

struct ImportOptions {
  std::string path, output;
  std::uint64_t context = 0;
};
/// Makes a `.avow` file of a GGUF file or folder; the exit code.
int import_model(const ImportOptions& options);

struct SynthOptions {
  std::string shape, output;
  std::uint64_t seed = 1, context = 0;
};
/// Makes a `.avow` file of random weights; the exit code.
int synthesise_model(const SynthOptions& options);

/// Prints what a `.avow` file holds; the exit code.
int show_integer_model(const std::string& path, bool json);

struct EvaluateOptions {
  std::string path, original, text;
  std::size_t most_tokens = 0, window = 0;
  bool json = false;
};
/// Compares a model with its original on a text; the exit code.
int evaluate_model(const EvaluateOptions& options);

}  // namespace avow::app
