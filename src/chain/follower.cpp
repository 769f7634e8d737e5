// SPDX-License-Identifier: Apache-2.0
#include "chain/follower.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"

namespace avow::chain {
namespace {

constexpr int kMostLooks = 3;

base::Err<Error> left_behind(const BlockRef& block) {
  return fail(Cause::kReorganised,
              fmt::format("block {} is no longer part of the chain; read again from a block before it", block.number));
}

}  // namespace

Follower::Follower(Client& client, const std::vector<BlockRef>& known)
    : client_(&client),
      known_(known.end() - static_cast<std::ptrdiff_t>(std::min(known.size(), kMostKept)), known.end()) {
  AVOW_CHECK(!known.empty());
}

// Takes away the blocks in whose place the chain has others. That it has none there says nothing: the node that was
// asked may be behind.
std::optional<Error> Follower::roll_back(std::deque<BlockRef>& known, ChainStep& step) {
  std::size_t kept = known.size();
  bool has_others = false;
  for (; kept > 0; --kept) {
    const auto block = client_->block(known[kept - 1].number);
    if (!block) return block.error();
    if (!block.value()) continue;
    if (block.value()->ref == known[kept - 1]) break;
    has_others = true;
  }
  if (!has_others) return std::nullopt;
  if (kept == 0) return left_behind(known.front()).error;
  while (known.size() > kept) {
    step.rolled_back.push_back(known.back());
    known.pop_back();
  }
  return std::nullopt;
}

// A chain may change between two questions, but not each time: a node whose blocks do not fit together would never let
// the follower come further.
Result<ChainStep> Follower::advance() {
  for (int look = 0; look < kMostLooks; ++look) {
    auto step = look_once();
    if (!step || step.value().is_at_head || !step.value().added.empty() || !step.value().rolled_back.empty()) {
      return step;
    }
  }
  return fail(Cause::kReply, fmt::format("the node's block {} does not follow the block {} that it gives",
                                         known_.back().number + 1, known_.back().number));
}

Result<ChainStep> Follower::look_once() {
  // Of a step that fails half way nothing is kept.
  std::deque<BlockRef> known = known_;
  ChainStep step;
  if (auto error = roll_back(known, step)) return base::Err{std::move(*error)};
  while (step.added.size() < kMostAdded) {
    const std::uint64_t number = known.back().number + 1;
    const auto block = client_->block(number);
    if (!block) return base::Err{block.error()};
    step.is_at_head = !block.value();
    if (step.is_at_head) break;
    // It changed between two questions: the next look will see the blocks that left.
    if (block.value()->parent != known.back().hash) break;
    known.push_back(block.value()->ref);
    step.added.push_back(block.value()->ref);
  }
  while (known.size() > kMostKept) known.pop_front();
  known_ = std::move(known);
  return step;
}

Result<LogBackfill> backfill_logs(Client& client, const LogFilter& filter, const BlockRef& stored,
                                  std::uint64_t behind) {
  const auto is_in_chain = [&](const BlockRef& ref) -> Result<bool> {
    const auto block = client.block(ref.number);
    if (!block) return base::Err{block.error()};
    return block.value() && block.value()->ref == ref;
  };
  const auto before = is_in_chain(stored);
  if (!before) return base::Err{before.error()};
  if (!before.value()) return left_behind(stored);
  const auto head = client.block_number();
  if (!head) return base::Err{head.error()};
  const std::uint64_t newest = head.value() - std::min(behind, head.value());
  if (newest <= stored.number) return LogBackfill{{}, stored};
  const std::uint64_t last = stored.number + std::min(newest - stored.number, kMostBackfillBlocks);
  const auto end = client.block(last);
  if (!end) return base::Err{end.error()};
  if (!end.value()) return fail(Cause::kReply, "the node does not give its newest block");
  auto logs = client.logs(filter, stored.number + 1, last);
  if (!logs) return base::Err{logs.error()};
  // What was read in parts is of one chain if its last block is still there: it names all others.
  const auto after = is_in_chain(end.value()->ref);
  if (!after) return base::Err{after.error()};
  if (!after.value()) return left_behind(end.value()->ref);
  return LogBackfill{std::move(logs).value(), end.value()->ref};
}

}  // namespace avow::chain
