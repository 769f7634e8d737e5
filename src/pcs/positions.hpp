// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "pcs/config.hpp"
#include "pcs/messages.hpp"

namespace avow::pcs {

/// Draws the query positions of an oracle: sorted, each once. What both sides open.
[[nodiscard]] inline std::vector<std::uint32_t> draw_positions(transcript::Transcript& transcript, const Config& config,
                                                               std::size_t oracle) {
  auto positions =
      transcript.positions(messages::kQueryPositions, config.log_domain(oracle), config.oracles[oracle].queries);
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  return positions;
}

}  // namespace avow::pcs
