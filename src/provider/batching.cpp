// SPDX-License-Identifier: Apache-2.0
#include "provider/batching.hpp"

#include <algorithm>

#include "answer/delivery.hpp"
#include "base/check.hpp"

namespace avow::provider {
namespace {

struct Batch {
  std::vector<std::size_t> members;
  compile::Lengths lengths{0, 0, 0};
  std::uint64_t last_moment = ~std::uint64_t{0};
  bool all_locked = true;
};

Batch with(Batch batch, std::size_t place, const Waiting& added) {
  batch.members.push_back(place);
  batch.lengths.requests = batch.members.size();
  batch.lengths.tokens = std::max(batch.lengths.tokens, added.tokens);
  batch.lengths.steps = std::max(batch.lengths.steps, added.steps);
  batch.last_moment = std::min(batch.last_moment, added.last_moment);
  batch.all_locked = batch.all_locked && added.is_locked;
  return batch;
}

bool may_be(const Batch& batch, const Estimates& estimates, const BatchLimits& limits) {
  const std::uint64_t places = places_of(batch.lengths);
  const std::uint64_t most = limits.most_places == 0 ? answer::kMostPlaces : limits.most_places;
  if (places > std::min<std::uint64_t>(most, answer::kMostPlaces)) return false;
  Outlook outlook;
  outlook.estimate = estimates.of(places, batch.lengths.requests, limits.transaction);
  if (!batch.all_locked && outlook.estimate.transactions > 1) return false;
  const std::uint64_t needed = seconds_needed(outlook, Stage::kRan, false, *limits.policy, limits.now);
  return batch.last_moment >= limits.now.time && batch.last_moment - limits.now.time >= needed;
}

}  // namespace

std::vector<std::size_t> choose_batch(std::span<const Waiting> waiting, const Estimates& estimates,
                                      const BatchLimits& limits) {
  AVOW_CHECK(!waiting.empty() && limits.policy != nullptr);
  Batch batch = with({}, 0, waiting[0]);
  for (std::size_t i = 1; i < waiting.size() && batch.members.size() < limits.most; ++i) {
    if (waiting[i].model_id != waiting[0].model_id) continue;
    Batch larger = with(batch, i, waiting[i]);
    if (may_be(larger, estimates, limits)) batch = std::move(larger);
  }
  return batch.members;
}

}  // namespace avow::provider
