// SPDX-License-Identifier: Apache-2.0
#include "provider/watcher.hpp"

#include <algorithm>

namespace avow::provider {
namespace {

// A node may be behind for a moment; a chain that stays shorter than all that is known of it was started anew.
constexpr unsigned kMostTimesShort = 5;

}  // namespace

Watcher::Watcher(chain::Client& client, const market::Deployment& deployment, const std::vector<chain::BlockRef>& known)
    : client_(&client), filter_(market::events_of(deployment)), follower_(client, known), next_(follower_) {}

chain::Result<chain::BlockRef> Watcher::start(chain::Client& client, std::uint64_t lookback) {
  const auto head = client.block_number();
  if (!head) return base::Err{head.error()};
  const auto block = client.known_block(head.value() - std::min(lookback, head.value()));
  if (!block) return base::Err{block.error()};
  return block.value().ref;
}

chain::Result<Look> Watcher::look() {
  next_ = follower_;
  Look look;
  const auto head = client_->block(chain::BlockId::latest());
  if (!head) return base::Err{head.error()};
  if (!head.value()) return chain::fail(chain::Cause::kBehind, "the node knows no block");
  look.head = *head.value();
  const std::uint64_t number = look.head.ref.number;
  times_short_ = number < follower_.known().front().number ? times_short_ + 1 : 0;
  if (times_short_ > kMostTimesShort) {
    times_short_ = 0;
    look.is_lost = true;
    return look;
  }
  std::optional<chain::Error> error;
  if (number > follower_.head().number + chain::kNearHead) {
    error = read_far(look);
    if (!error) return look;
    // Which blocks the chain has left is the follower's to say.
    if (error->cause != chain::Cause::kReorganised) return base::Err{std::move(*error)};
    look.sightings.clear();
  }
  error = read_near(look);
  if (error) return base::Err{std::move(*error)};
  return look;
}

std::optional<chain::Error> Watcher::read_far(Look& look) {
  const auto read = chain::backfill_logs(*client_, filter_, follower_.head());
  if (!read) return read.error();
  add(read.value().logs, look);
  std::vector<chain::BlockRef> known(follower_.known().begin(), follower_.known().end());
  if (read.value().upto != known.back()) known.push_back(read.value().upto);
  next_ = chain::Follower(*client_, known);
  return std::nullopt;
}

std::optional<chain::Error> Watcher::read_near(Look& look) {
  const auto step = next_.advance();
  if (!step && step.error().cause == chain::Cause::kReorganised) {
    look.is_lost = true;
    return std::nullopt;
  }
  if (!step) return step.error();
  look.is_at_head = step.value().is_at_head;
  if (!step.value().rolled_back.empty()) look.left_from = step.value().rolled_back.back().number;
  for (const chain::BlockRef& block : step.value().added) {
    const auto logs = client_->logs(filter_, block);
    if (!logs) return logs.error();
    add(logs.value(), look);
  }
  return std::nullopt;
}

void Watcher::add(const std::vector<chain::Log>& logs, Look& look) {
  for (const chain::Log& log : logs) {
    auto event = market::event_of(log);
    // Nobody but the market makes these logs; one that cannot be read is a node's fault, or a program's that is too old
    // for the market. Standing still would help in neither case.
    if (!event) {
      ++look.unread;
      continue;
    }
    if (event.value()) look.sightings.push_back({std::move(*event.value()), log});
  }
}

}  // namespace avow::provider
