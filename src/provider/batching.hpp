// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "provider/decide.hpp"

namespace avow::provider {

/// A request whose answer is known and waits to be proven.
struct Waiting {
  base::Digest id{};
  base::Digest model_id{};
  std::uint64_t tokens = 0;       ///< that are read: prompt and answer, but its last
  std::uint64_t steps = 0;        ///< of the answer
  std::uint64_t last_moment = 0;  ///< at which all of it has to be settled
  bool is_locked = false;         ///< by its own provider: it may be settled in steps
};

/// What a proof of these would be.
struct BatchLimits {
  std::uint32_t most = 16;
  std::uint64_t most_places = 0;  ///< 0: as many as proofs have
  TransactionLimits transaction;
  const Policy* policy = nullptr;
  Now now;
};

/// Which of those that wait, oldest first, are proven together next: the first, and those of its model that may come
/// with it: the proof is no larger than may be, settled before the last moment of each, and in one transaction unless
/// all are locked. Places in `waiting`, which has one at least.
[[nodiscard]] std::vector<std::size_t> choose_batch(std::span<const Waiting> waiting, const Estimates& estimates,
                                                    const BatchLimits& limits);

}  // namespace avow::provider
