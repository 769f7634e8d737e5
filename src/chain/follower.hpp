// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "chain/client.hpp"

namespace avow::chain {

/// What happened to the chain since it was looked at last.
struct ChainStep {
  std::vector<BlockRef> rolled_back;  ///< no longer part of it, newest first
  std::vector<BlockRef> added;        ///< in order
  bool is_at_head = false;            ///< the node that was asked knows of nothing more
};

/// Follows a chain by its blocks' hashes, each of which names its parent's: a reorganisation shows where they do not
/// fit.
class Follower {
 public:
  /// Starts behind the blocks that are known, oldest first: those that a journal kept; at least one. Of them at most
  /// kMostKept are kept, which is how deep a reorganisation may be.
  Follower(Client& client, const std::vector<BlockRef>& known);

  /// At most kMostAdded blocks at a time; nothing only at the head. kReorganised if the chain has left even the oldest
  /// block that is known: then what was derived from it has to be read again from the start.
  [[nodiscard]] Result<ChainStep> advance();

  [[nodiscard]] const BlockRef& head() const { return known_.back(); }
  /// Oldest first; for the journal.
  [[nodiscard]] const std::deque<BlockRef>& known() const { return known_; }

  static constexpr std::size_t kMostKept = 256;
  static constexpr std::size_t kMostAdded = 512;

 private:
  [[nodiscard]] Result<ChainStep> look_once();
  [[nodiscard]] std::optional<Error> roll_back(std::deque<BlockRef>& known, ChainStep& step);

  Client* client_;
  std::deque<BlockRef> known_;
};

inline constexpr std::uint64_t kMostBackfillBlocks = 100'000;
inline constexpr std::uint64_t kNearHead = 64;
inline constexpr std::uint64_t kUsualBehind = 12;  ///< few reorganisations are deeper, and few nodes further behind

/// The logs from behind a block, after downtime or for the first time.
struct LogBackfill {
  std::vector<Log> logs;
  BlockRef upto;  ///< where the next one starts
};

/// Everything between a block that was read already and the head, `behind` blocks before it: a Follower reads on from
/// there. kReorganised if the chain has left the block (a Follower says how far), or changes while it is read (try
/// again); kBehind if a node lacks blocks (try again later). Of at most kMostBackfillBlocks at a time, and of no more
/// after Client::kMostLogBytes: `upto` says how far.
///
/// No log is missing as long as every node that answers is at most kNearHead blocks behind the one that says the head:
/// nearer ones are asked for by their hash. A node further behind is found out where it answers all questions, as it
/// does not know the last block; it is not where others behind the same address answer for it.
[[nodiscard]] Result<LogBackfill> backfill_logs(Client& client, const LogFilter& filter, const BlockRef& stored,
                                                std::uint64_t behind = kUsualBehind);

}  // namespace avow::chain
