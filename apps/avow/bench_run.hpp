// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.hpp"
#include "compile/tensors.hpp"

namespace avow::app {

struct RunBenchOptions {
  std::string shape = "124m";  ///< of a synthetic model
  std::string model;           ///< a .avow file instead
  std::uint32_t prompt_tokens = 256, tokens = 64;
  std::uint32_t repeat = 1;
};

/// The model that is measured: the file's, or a synthetic one.
[[nodiscard]] base::Result<compile::IntegerModel, std::string> bench_model(const RunBenchOptions& options);

struct RunBenchResult {
  nlohmann::ordered_json figures;
  std::string error;  ///< empty if all is well
  int exit_code = 0;
};
/// Tokens per second of prompts and of decoding.
[[nodiscard]] RunBenchResult bench_run(const RunBenchOptions& options);

}  // namespace avow::app
