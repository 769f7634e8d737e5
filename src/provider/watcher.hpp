// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain/follower.hpp"
#include "market/client.hpp"

namespace avow::provider {

/// An event of the market and the log that it was read from.
struct Sighting {
  market::Event event;
  chain::Log log;
};

/// What a look at the chain shows.
struct Look {
  chain::Block head;
  bool is_at_head = false;  ///< there is no more to be read now
  /// The first of the blocks that the chain has left: what stood in it and later ones has to be asked for anew.
  std::optional<std::uint64_t> left_from{};
  /// The chain has left all blocks that were known: everything has to be asked for anew.
  bool is_lost = false;
  std::vector<Sighting> sightings;  ///< in order, of blocks behind those that were known
  std::uint64_t unread = 0;         ///< logs that are none of this program's market
};

/// Reads a market's events, block by block, without missing any: what a look shows is taken as known only when the
/// caller, who has written it down, accepts it. Errors are those of nodes, and nothing is lost by them.
class Watcher {
 public:
  /// Behind these blocks, oldest first, one at least. The client must outlive it.
  Watcher(chain::Client& client, const market::Deployment& deployment, const std::vector<chain::BlockRef>& known);

  /// Where to start: a block `lookback` before the head.
  [[nodiscard]] static chain::Result<chain::BlockRef> start(chain::Client& client, std::uint64_t lookback);

  [[nodiscard]] chain::Result<Look> look();
  /// What the last look showed is known.
  void accept() { follower_ = next_; }
  /// Starts anew, behind another block.
  void restart(const chain::BlockRef& known) { next_ = follower_ = chain::Follower(*client_, {known}); }
  /// Of the last look, accepted or not; for the journal.
  [[nodiscard]] const std::deque<chain::BlockRef>& known() const { return next_.known(); }

 private:
  [[nodiscard]] std::optional<chain::Error> read_far(Look& look);
  [[nodiscard]] std::optional<chain::Error> read_near(Look& look);
  static void add(const std::vector<chain::Log>& logs, Look& look);

  chain::Client* client_;
  chain::LogFilter filter_;
  chain::Follower follower_, next_;
  unsigned times_short_ = 0;
};

}  // namespace avow::provider
