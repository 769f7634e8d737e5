// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "compile/usual.hpp"

namespace avow::app {

struct ProveBenchOptions {
  std::string shape = "124m";
  std::string model;          ///< a .avow file instead
  std::string cache;          ///< of the model's commitment; empty: a temporary file
  bool tree_only = false;     ///< keep only the tree, compute opened rows again
  std::uint32_t tokens = 64;  ///< of prompt and answer, half each
  std::uint32_t batch = 1;
  std::uint32_t level = 128;
  compile::UsualProof usual;
  std::uint32_t repeat = 1;
};
struct ProveBenchResult {
  nlohmann::ordered_json figures;
  std::string error;
  int exit_code = 0;
};
/// Answers random prompts and proves it.
ProveBenchResult bench_prove(const ProveBenchOptions& options);

}  // namespace avow::app
