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

// Unless the chain has another block in its place, or the node none.
std::optional<Error> check_is_in_chain(Client& client, const BlockRef& ref) {
  const auto block = client.known_block(ref.number);
  if (!block) return block.error();
  if (block.value().ref != ref) return left_behind(ref).error;
  return std::nullopt;
}

// What is read in parts is of one chain, which holds where it starts, if its end is there before and after: the end
// names all others.
std::optional<Error> add_range(Client& client, const LogFilter& filter, std::uint64_t last, LogBackfill& read) {
  const auto end = client.known_block(last);
  if (!end) return end.error();
  if (auto error = check_is_in_chain(client, read.upto)) return error;
  auto range = client.logs(filter, read.upto.number + 1, last);
  if (!range) return range.error();
  const auto upto = client.known_block(range.value().upto);
  if (!upto) return upto.error();
  if (auto error = check_is_in_chain(client, end.value().ref)) return error;
  read = {std::move(range.value().logs), upto.value().ref};
  return std::nullopt;
}

// One by one, each of which names the one before it.
std::optional<Error> add_blocks(Client& client, const LogFilter& filter, std::uint64_t last, LogBackfill& read) {
  while (read.upto.number < last && memory_of(read.logs) <= Client::kMostLogBytes) {
    const auto block = client.known_block(read.upto.number + 1);
    if (!block) return block.error();
    if (block.value().parent != read.upto.hash) return left_behind(read.upto).error;
    auto logs = client.logs(filter, block.value().ref);
    if (!logs) return logs.error();
    std::move(logs.value().begin(), logs.value().end(), std::back_inserter(read.logs));
    read.upto = block.value().ref;
  }
  return std::nullopt;
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
  const auto head = client.block_number();
  if (!head) return base::Err{head.error()};
  const std::uint64_t newest = head.value() - std::min(behind, head.value());
  const std::uint64_t wanted = newest > stored.number ? std::min(newest - stored.number, kMostBackfillBlocks) : 0;
  const std::uint64_t last = stored.number + wanted;
  const std::uint64_t far = std::min(last, head.value() - std::min(kNearHead, head.value()));
  LogBackfill read{{}, stored};
  auto error = far > stored.number ? add_range(client, filter, far, read) : check_is_in_chain(client, stored);
  if (!error) error = add_blocks(client, filter, last, read);
  if (error) return base::Err{std::move(*error)};
  return read;
}

}  // namespace avow::chain
