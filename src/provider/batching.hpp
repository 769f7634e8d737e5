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
  std::uint64_t tokens = 0;        ///< that are read: prompt and answer, but its last
  std::uint64_t steps = 0;         ///< of the answer
  std::uint64_t last_moment = 0;   ///< at which all of it has to be settled
  bool is_locked = false;          ///< by its own provider: it may be settled in steps
  std::uint64_t locked_block = 0;  ///< of this lock
  bool is_alone = false;           ///< it is proven without others
};

/// What a proof of these would be.
struct BatchLimits {
  std::uint32_t most = 16;
  std::uint64_t most_places = 0;  ///< 0: as many as proofs have
  TransactionLimits transaction;
  const Policy* policy = nullptr;
  Now now;
};

/// What has a bond at stake comes first, in the order in which it was locked: locks reckon with those before them.
/// Others stay as they are.
void sort_waiting(std::vector<Waiting>& waiting);

/// Which of those that wait, in order, are proven together next: the first, and those of its model that may come
/// with it: the proof is no larger than may be, settled before the last moment of each, and in one transaction unless
/// all are locked. It has hardly more places than they would have alone, which is what they pay for. Places in
/// `waiting`, which has one at least.
[[nodiscard]] std::vector<std::size_t> choose_batch(std::span<const Waiting> waiting, const Estimates& estimates,
                                                    const BatchLimits& limits);

}  // namespace avow::provider
