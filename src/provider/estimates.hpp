// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "compile/instance.hpp"
#include "provider/policy.hpp"

namespace avow::provider {

/// What one proof took. Places are padded requests times padded tokens: what all costs grow with.
struct Measure {
  std::uint64_t places = 0;
  std::uint64_t run_millis = 0;  ///< running the model on all of its requests
  std::uint64_t prove_millis = 0;
  std::uint64_t bytes = 0;  ///< of the proof
  std::uint64_t gas = 0;    ///< of all transactions that settled it; 0: not known
  friend bool operator==(const Measure&, const Measure&) = default;
};

/// What a proof will take.
struct Estimate {
  std::uint64_t run_millis = 0, prove_millis = 0;
  std::uint64_t gas = 0;
  std::uint64_t transactions = 1;
};

[[nodiscard]] std::uint64_t places_of(const compile::Lengths& lengths);
/// Of so many requests of so many tokens (prompt and answer) each.
[[nodiscard]] std::uint64_t places_of(std::uint64_t requests, std::uint64_t tokens);

/// One model's proofs so far, the last one of each size.
class Estimates {
 public:
  void add(const Measure& measure);
  [[nodiscard]] bool is_empty() const { return measures_.empty(); }
  [[nodiscard]] const std::map<std::uint64_t, Measure>& measures() const { return measures_; }

  /// From the nearest proof that was not smaller, or scaled up from the largest one. Requires one measure at least.
  [[nodiscard]] Estimate of(std::uint64_t places, std::uint64_t requests, const TransactionLimits& limits) const;

 private:
  std::map<std::uint64_t, Measure> measures_;  // by places
};

/// With so many percent on top, rounded up.
[[nodiscard]] std::uint64_t with_margin(std::uint64_t value, std::uint32_t percent);

}  // namespace avow::provider
