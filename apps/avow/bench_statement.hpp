// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace avow::app {

struct StatementBenchOptions {
  std::string which = "cells";  ///< lookups, matmul or cells
  std::uint32_t log2_size = 0;  ///< smaller than the figure's size, for a quick look; 0: the figure's
  std::uint32_t repeat = 1;
  std::uint32_t level = 128;
};

struct StatementBenchResult {
  nlohmann::ordered_json figures;
  std::string error;  ///< empty if all is well
  int exit_code = 0;
};
[[nodiscard]] StatementBenchResult bench_statement(const StatementBenchOptions& options);

}  // namespace avow::app
