// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "provider/job.hpp"

namespace avow::provider {

/// What a provider counts, since it was started unless said otherwise.
struct Metrics {
  std::uint64_t locks_won = 0, locks_lost = 0;
  std::uint64_t bonds_slashed = 0;
  /// From the last payment to the moment at which it was due, and the least of these.
  std::optional<std::int64_t> last_margin_secs{}, least_margin_secs{};
  std::uint64_t gas_used = 0;
  chain::U256 wei_spent;                                       ///< for gas
  chain::U256 earnings;                                        ///< of the token, fees taken off
  std::uint64_t paid = 0, lost = 0, refused = 0, skipped = 0;  ///< skipped: requests for models that are not served
  std::uint64_t proofs = 0, answers_proven = 0, proofs_abandoned = 0;
  std::uint64_t prove_millis = 0, run_millis = 0;
  std::uint64_t transactions_sent = 0, transactions_replaced = 0, transactions_failed = 0;
  std::uint64_t rpc_errors = 0, reorganisations = 0;
  // As they stand.
  std::array<std::uint64_t, kStages> jobs_by_stage{};
  chain::U256 bond_at_risk;
  std::uint64_t head_block = 0, head_time = 0;
  bool is_working = false;  ///< at a proof or a run
};

/// In Prometheus's text format.
[[nodiscard]] std::string to_text(const Metrics& metrics);

}  // namespace avow::provider
