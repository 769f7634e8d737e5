// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pcs/config.hpp"

namespace avow::pcs {

/// How far from the code a word may be in the analysis. Both are proven; the up-to-capacity conjecture is not offered.
enum class Regime : std::uint8_t {
  kUniqueDecoding,  ///< radius (1 - rho) / 2
  kJohnson,         ///< radius 1 - sqrt(rho) - sqrt(rho)/100
};

/// One round of the protocol, or one other thing that an attacker may try, in one regime (spec/security.md).
struct SecurityRow {
  std::string name;  ///< soundcalc's name where it has one
  Regime regime;
  double bits;               ///< -log2 of the error, grinding included
  std::int32_t floor_bits;   ///< what is promised: bits, rounded down
  bool known_to_soundcalc;   ///< ethereum/soundcalc computes the same number; a test compares them
  std::string_view formula;  ///< for the table; empty where known_to_soundcalc
};

struct SecurityReport {
  std::vector<SecurityRow> rows;

  /// Minima of floor_bits over the rounds soundcalc knows, over the others, and over all.
  [[nodiscard]] std::int32_t soundcalc_bits(Regime regime) const;
  [[nodiscard]] std::int32_t other_bits(Regime regime) const;
  [[nodiscard]] std::int32_t bits(Regime regime) const;
  /// Of the better regime: the analysis may choose its radius, the protocol does not know of it.
  [[nodiscard]] std::int32_t bits() const;
};

/// Round-by-round soundness of an opening. The configuration must be valid.
///
/// Doubles are allowed here because nothing of this is hashed: the result says whether a configuration is good enough,
/// and configurations are fixed integers in spec/parameters.json. The operations and their order are soundcalc's, so
/// that both round alike.
[[nodiscard]] SecurityReport analyse_security(const Config& config, const Shape& shape);

/// The most claims that the level of a configuration is asserted for.
inline constexpr std::uint32_t kMaxClaims = 1u << 20;
/// Whether an opening of any shape that the configuration admits has config.level bits. To be asked of every
/// configuration that comes from somebody else, once, when its key is loaded.
[[nodiscard]] bool reaches_level(const Config& config);

/// The report as a text table with one line a round, for `avow pcs table`.
[[nodiscard]] std::string format_security(const SecurityReport& report);

/// The parameters of soundcalc's class WHIR, under its names, over Goldilocks^3, one out-of-domain sample an iteration.
/// Iteration = oracle. It exists so that the map from our protocol to soundcalc's is data: the recorded vectors hold
/// it.
struct SoundcalcInput {
  std::uint32_t log_degree = 0;
  std::vector<std::uint32_t> folding_factors;
  std::vector<std::uint32_t> log_inv_rates;  ///< soundcalc derives them from the first; ours are free
  std::vector<std::uint32_t> num_queries;
  std::vector<std::uint32_t> grinding_bits_queries;
  std::vector<std::vector<std::uint32_t>> grinding_bits_folding;
  // d = max(d*, 3) with d* = 1 + deg_Z + deg_X, both 1 here (WHIR, construction 5.1).
  std::uint32_t constraint_degree = 3;
  // Used by soundcalc's own examples only: our columns are joined by the fold of the column variables.
  std::uint32_t batch_size = 1;
  std::uint32_t grinding_batching_phase = 0;
};
[[nodiscard]] SoundcalcInput to_soundcalc(const Config& config, const Shape& shape);
/// One row a round, in soundcalc's order and under its names.
[[nodiscard]] std::vector<SecurityRow> soundcalc_rounds(const SoundcalcInput& input, Regime regime);

// The proven bounds on a Reed-Solomon code of rate 2^-log_inv_rate, for the parameter search.

/// Bits of the query error (1 - radius)^queries alone, without grinding.
[[nodiscard]] double query_bits(Regime regime, std::uint32_t log_inv_rate, std::uint32_t queries);
/// Bits of one folding round onto a code of dimension 2^log_dimension, without grinding.
[[nodiscard]] double fold_bits(Regime regime, std::uint32_t log_inv_rate, std::uint32_t log_dimension);

}  // namespace avow::pcs
