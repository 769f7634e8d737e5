// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "lookup/claims.hpp"
#include "lookup/config.hpp"
#include "lookup_prover/layers.hpp"
#include "transcript/transcript.hpp"

namespace avow::lookup {

/// The bytes that lookup::verify reads, and the claims that it will return.
struct Proved {
  base::Bytes proof;
  ColumnClaims claims;
};

/// Time of the parts of a proof, for the benchmark's profile.
struct ProveTimes {
  std::chrono::nanoseconds tree{};    ///< all layers
  std::chrono::nanoseconds bottom{};  ///< the sumcheck over the cells
  std::chrono::nanoseconds upper{};   ///< those of the layers above
};

/// Places where a test makes the prover cheat; each may change what it is given. Empty in honest use.
struct Faults {
  std::function<void(std::vector<Fp3>& fractions)> top;  ///< numerator, denominator of each
  std::function<void(std::size_t layer, std::size_t round, Fp3& linear, Fp3& quadratic)> round;
  std::function<void(std::size_t layer, std::array<Fp3, 4>& values)> layer;  ///< p0, p1, q0, q1
  std::function<void(std::vector<ColumnClaim>& columns)> columns;
};

/// The proof that the fractions of all columns add up to zero, one ColumnData for each column of the configuration, in
/// its order. If they do not, or a denominator is zero, the verifier will say so. The transcript must be in the
/// verifier's state, the configuration valid. Memory: about 24 bytes for each cell that is not padding, 36 where
/// numerators are given, besides the caller's cells, which are only read.
[[nodiscard]] Proved prove(transcript::Transcript& transcript, const Config& config,
                           std::span<const ColumnData> columns, ProveTimes* times = nullptr, const Faults& faults = {});

}  // namespace avow::lookup
