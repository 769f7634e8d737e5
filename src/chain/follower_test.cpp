// SPDX-License-Identifier: Apache-2.0
#include "chain/follower.hpp"

#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"
#include "chain/node_testing.hpp"

namespace avow::chain {
namespace {

using testing::answer;
using testing::FakeNetwork;
using testing::good;
using testing::verdict;

// A chain whose blocks' hashes are their number and a letter of their branch.
class FakeChain {
 public:
  explicit FakeChain(std::string branches) : branches_(std::move(branches)) {}

  void set(std::string branches) { branches_ = std::move(branches); }
  [[nodiscard]] BlockRef ref(std::uint64_t number) const {
    BlockRef ref{number, {}};
    base::store_be64(ref.hash.data(), number);
    // A block's hash is of its branch and, as it names its parent, of all before it.
    for (std::uint64_t i = 0; i <= number; ++i) {
      ref.hash[8 + i % 24] = static_cast<std::uint8_t>(ref.hash[8 + i % 24] * 31 + branches_[i]);
    }
    return ref;
  }
  testing::FakeNode::Answer node() {
    return [this](const Json& request) {
      if (request["method"] == "eth_blockNumber") return answer(request, to_quantity(branches_.size() - 1));
      if (request["method"] == "eth_getLogs") return answer(request, Json::array());
      const auto number = good(read_number(request["params"][0]));
      if (number >= branches_.size()) return answer(request, nullptr);
      return answer(request, {{"number", to_quantity(number)},
                              {"hash", to_data(ref(number).hash)},
                              {"parentHash", to_data(number == 0 ? base::Digest{} : ref(number - 1).hash)},
                              {"timestamp", "0x1"},
                              {"gasLimit", "0x1"},
                              {"baseFeePerGas", "0x1"}});
    };
  }

 private:
  std::string branches_;  // of each block
};

std::vector<std::uint64_t> numbers(const std::vector<BlockRef>& refs) {
  std::vector<std::uint64_t> result;
  for (const BlockRef& ref : refs) result.push_back(ref.number);
  return result;
}

using Numbers = std::vector<std::uint64_t>;

TEST(ChainFollower, ReportsWhatIsAddedAndRolledBack) {
  FakeChain chain("aaa");
  FakeNetwork network;
  Client client = network.client(chain.node());
  Follower follower(client, {chain.ref(0)});
  EXPECT_EQ(numbers(good(follower.advance()).added), (Numbers{1, 2}));
  EXPECT_TRUE(good(follower.advance()).added.empty());
  chain.set("aaaaa");
  const ChainStep grown = good(follower.advance());
  EXPECT_EQ(numbers(grown.added), (Numbers{3, 4}));
  EXPECT_TRUE(grown.is_at_head);
  chain.set("aabbbb");
  const ChainStep turned = good(follower.advance());
  EXPECT_EQ(numbers(turned.rolled_back), (Numbers{4, 3, 2}));
  EXPECT_EQ(turned.rolled_back[0], grown.added[1]);
  EXPECT_EQ(numbers(turned.added), (Numbers{2, 3, 4, 5}));
  EXPECT_EQ(follower.head(), chain.ref(5));
}

TEST(ChainFollower, DoesNotTakeANodeThatIsBehindForAReorganisation) {
  FakeChain chain("aaaaaa");
  FakeNetwork network;
  Client client = network.client(chain.node());
  Follower follower(client, {chain.ref(0)});
  EXPECT_EQ(good(follower.advance()).added.size(), 5U);
  chain.set("aaa");
  const ChainStep behind = good(follower.advance());
  EXPECT_TRUE(behind.rolled_back.empty() && behind.added.empty());
  EXPECT_EQ(follower.head().number, 5U);
  chain.set("aab");
  EXPECT_EQ(numbers(good(follower.advance()).rolled_back), (Numbers{5, 4, 3, 2}));
}

TEST(ChainFollower, SaysWhenAllThatItKnowsIsGone) {
  FakeChain chain("aaaa");
  FakeNetwork network;
  Client client = network.client(chain.node());
  Follower follower(client, {chain.ref(2), chain.ref(3)});
  chain.set("abbbb");
  EXPECT_EQ(verdict(follower.advance()), "chain.reorganised");
  EXPECT_EQ(follower.known().size(), 2U);
  chain.set("aaabb");
  EXPECT_EQ(numbers(good(follower.advance()).rolled_back), (Numbers{3}));
}

TEST(ChainFollower, DoesNotStandStillOnBlocksThatDoNotFit) {
  FakeChain chain("aaaa");
  FakeNetwork network;
  bool is_torn = true;
  Client client = network.client([&, node = chain.node()](const Json& request) {
    // As if the chain changed between two questions.
    chain.set(is_torn && request["params"][0] == "0x2" ? "abbb" : "aaaa");
    return node(request);
  });
  Follower follower(client, {chain.ref(0), chain.ref(1)});
  const BlockRef head = follower.head();
  EXPECT_EQ(verdict(follower.advance()), "rpc.reply");
  EXPECT_EQ(follower.head(), head);
  is_torn = false;
  EXPECT_EQ(numbers(good(follower.advance()).added), (Numbers{2, 3}));
}

TEST(ChainFollower, BearsAChainThatChangesWhileItLooks) {
  FakeChain chain("aaaa");
  FakeNetwork network;
  Client client = network.client([&, node = chain.node()](const Json& request) {
    if (request["params"][0] == "0x2") chain.set("abbb");
    return node(request);
  });
  Follower follower(client, {chain.ref(0), chain.ref(1)});
  const BlockRef left = follower.head();
  EXPECT_EQ(good(follower.advance()).rolled_back, std::vector<BlockRef>{left});
  EXPECT_EQ(follower.head(), chain.ref(3));
}

TEST(ChainFollower, GoesInBoundedSteps) {
  FakeChain chain(std::string(2 * Follower::kMostAdded, 'a'));
  FakeNetwork network;
  Client client = network.client(chain.node());
  Follower follower(client, {chain.ref(0)});
  const ChainStep first = good(follower.advance());
  EXPECT_EQ(first.added.size(), Follower::kMostAdded);
  EXPECT_FALSE(first.is_at_head);
  EXPECT_EQ(follower.known().size(), Follower::kMostKept);
  EXPECT_EQ(good(follower.advance()).added.size(), Follower::kMostAdded - 1);
}

TEST(LogBackfills, NeedTheirBlockInTheChain) {
  FakeChain chain("aaaaa");
  FakeNetwork network;
  Client client = network.client(chain.node());
  EXPECT_EQ(good(backfill_logs(client, {}, chain.ref(1))).upto, chain.ref(4));
  EXPECT_EQ(good(backfill_logs(client, {}, chain.ref(1), 2)).upto, chain.ref(2));
  EXPECT_EQ(good(backfill_logs(client, {}, chain.ref(4))).upto, chain.ref(4));
  EXPECT_EQ(good(backfill_logs(client, {}, chain.ref(3), 100)).upto, chain.ref(3));
  const BlockRef stored = chain.ref(3);
  chain.set("aabbb");
  EXPECT_EQ(verdict(backfill_logs(client, {}, stored)), "chain.reorganised");
}

TEST(LogBackfills, NoticeAReorganisationWhileTheyRead) {
  FakeChain chain("aaaaa");
  FakeNetwork network;
  Client client = network.client([&, node = chain.node()](const Json& request) {
    if (request["method"] == "eth_getLogs") chain.set("aaabb");
    return node(request);
  });
  EXPECT_EQ(verdict(backfill_logs(client, {}, chain.ref(1))), "chain.reorganised");
  EXPECT_EQ(verdict(backfill_logs(client, {}, chain.ref(1))), "ok");
}

}  // namespace
}  // namespace avow::chain
