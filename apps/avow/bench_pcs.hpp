// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace avow::app {

struct PcsBenchOptions {
  std::uint32_t log2_size = 24;
  std::optional<std::uint32_t> model_log2_size;
  std::uint32_t repeat = 1;
  std::uint32_t level = 128;
  std::uint32_t claims = 64;
  std::string cache;       ///< file of the model's commitment; empty: a temporary one
  bool tree_only = false;  ///< keep the model's tree only, compute opened rows again
};

/// Commits, opens and verifies random matrices; returns the figures of `avow bench pcs`, or an error text.
struct PcsBenchResult {
  nlohmann::ordered_json figures;
  std::string error;  ///< empty if all is well
  int exit_code = 0;
};
[[nodiscard]] PcsBenchResult bench_pcs(const PcsBenchOptions& options);

}  // namespace avow::app
