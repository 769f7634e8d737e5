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
using testing::refusal;
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
      if (request["method"] == "eth_getLogs") return logs(request);
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
  // One of each block that there is; what is not there yet is not said, but of hashes.
  [[nodiscard]] Result<HttpReply> logs(const Json& request) const {
    const Json& filter = request["params"][0];
    Json list = Json::array();
    for (std::uint64_t number = 0; number < branches_.size(); ++number) {
      const bool is_wanted = filter.contains("blockHash") ? filter["blockHash"] == to_data(ref(number).hash)
                                                          : number >= good(read_number(filter["fromBlock"])) &&
                                                                number <= good(read_number(filter["toBlock"]));
      if (is_wanted) list.push_back(log_of(ref(number)));
    }
    if (filter.contains("blockHash") && list.empty()) return refusal(request, -32000, "unknown block");
    return answer(request, list);
  }
  static Json log_of(const BlockRef& block) {
    return {{"address", to_data(Address{{1}}.bytes)},       {"topics", Json::array()},          {"data", "0x"},
            {"blockNumber", to_quantity(block.number)},     {"blockHash", to_data(block.hash)}, {"logIndex", "0x0"},
            {"transactionHash", to_data(base::Digest{{2}})}};
  }

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

// The numbers of the blocks whose logs there are.
Numbers numbers(const LogBackfill& read) {
  Numbers result;
  for (const Log& log : read.logs) result.push_back(log.block.number);
  return result;
}

Numbers from_to(std::uint64_t first, std::uint64_t last) {
  Numbers result;
  for (std::uint64_t number = first; number <= last; ++number) result.push_back(number);
  return result;
}

TEST(LogBackfills, NeedTheirBlockInTheChain) {
  FakeChain chain("aaaaa");
  FakeNetwork network;
  Client client = network.client(chain.node());
  const LogBackfill all = good(backfill_logs(client, {}, chain.ref(1), 0));
  EXPECT_EQ(all.upto, chain.ref(4));
  EXPECT_EQ(numbers(all), from_to(2, 4));
  EXPECT_EQ(good(backfill_logs(client, {}, chain.ref(1), 2)).upto, chain.ref(2));
  EXPECT_EQ(good(backfill_logs(client, {}, chain.ref(4), 0)).upto, chain.ref(4));
  EXPECT_EQ(good(backfill_logs(client, {}, chain.ref(3), 100)).upto, chain.ref(3));
  const BlockRef stored = chain.ref(3);
  chain.set("aabbb");
  for (const std::uint64_t behind : {0U, 1U, 9U}) {
    EXPECT_EQ(verdict(backfill_logs(client, {}, stored, behind)), "chain.reorganised") << behind;
  }
  chain.set("aaa");
  EXPECT_EQ(verdict(backfill_logs(client, {}, stored, 0)), "chain.behind") << "is no reorganisation";
}

TEST(LogBackfills, KeepAwayFromTheHead) {
  FakeChain chain(std::string(200, 'a'));
  FakeNetwork network;
  Client client = network.client(chain.node());
  const LogBackfill read = good(backfill_logs(client, {}, chain.ref(0)));
  EXPECT_EQ(read.upto, chain.ref(199 - kUsualBehind));
  EXPECT_EQ(numbers(read), from_to(1, 199 - kUsualBehind));
}

TEST(LogBackfills, AskForBlocksNearTheHeadByTheirHash) {
  FakeChain chain(std::string(100, 'a'));
  FakeNetwork network;
  std::vector<Json> asked;
  Client client = network.client([&, node = chain.node()](const Json& request) {
    if (request["method"] == "eth_getLogs") asked.push_back(request["params"][0]);
    return node(request);
  });
  EXPECT_EQ(numbers(good(backfill_logs(client, {}, chain.ref(9), 0))), from_to(10, 99));
  ASSERT_EQ(asked.size(), 1 + kNearHead);
  EXPECT_EQ(asked[0]["fromBlock"], "0xa");
  EXPECT_EQ(asked[0]["toBlock"], to_quantity(99 - kNearHead));
  for (std::uint64_t i = 0; i < kNearHead; ++i) {
    EXPECT_EQ(asked[1 + i]["blockHash"], to_data(chain.ref(100 - kNearHead + i).hash));
  }
}

// Several nodes behind one address, of which those that answer for logs are behind.
TEST(LogBackfills, LoseNoLogsToANodeThatIsBehind) {
  FakeChain chain(std::string(200, 'a'));
  for (const std::size_t lag : {std::size_t{0}, std::size_t{1}, std::size_t{20}, std::size_t{kNearHead}}) {
    FakeChain lagging(std::string(200 - lag, 'a'));
    FakeNetwork network;
    Client client = network.client([node = chain.node(), late = lagging.node()](const Json& request) {
      return request["method"] == "eth_getLogs" ? late(request) : node(request);
    });
    for (const std::uint64_t behind : {std::uint64_t{0}, kUsualBehind}) {
      const auto read = backfill_logs(client, {}, chain.ref(0), behind);
      if (lag <= behind) {
        EXPECT_EQ(numbers(good(read)), from_to(1, 199 - behind)) << lag << ' ' << behind;
      } else {
        EXPECT_EQ(verdict(read), "chain.behind") << lag << ' ' << behind;
      }
    }
  }
}

TEST(LogBackfills, FindOutANodeThatIsFarBehind) {
  FakeChain chain(std::string(300, 'a'));
  FakeChain lagging(std::string(150, 'a'));
  FakeNetwork network;
  bool is_up = true;
  // The first node fails after it has said the head.
  const auto first = [&, node = chain.node()](const Json& request) -> Result<HttpReply> {
    if (!is_up) return fail(Cause::kTransport, "down");
    is_up = request["method"] != "eth_blockNumber";
    return node(request);
  };
  Client client(network.rpc({first, lagging.node()}));
  EXPECT_EQ(verdict(backfill_logs(client, {}, chain.ref(0))), "chain.behind");
}

TEST(LogBackfills, NoticeAReorganisationWhileTheyRead) {
  const std::string before(200, 'a');
  for (const std::size_t from : {100U, 197U}) {
    FakeChain chain(before);
    FakeNetwork network;
    Client client = network.client([&, node = chain.node()](const Json& request) {
      auto reply = node(request);
      if (request["method"] == "eth_getLogs") chain.set(before.substr(0, from) + std::string(200 - from, 'b'));
      return reply;
    });
    EXPECT_EQ(verdict(backfill_logs(client, {}, chain.ref(10), 0)), from == 100 ? "chain.reorganised" : "ok") << from;
    EXPECT_EQ(numbers(good(backfill_logs(client, {}, chain.ref(10), 0))), from_to(11, 199));
  }
}

TEST(LogBackfills, EndEarlyWhereLogsTakeTooMuchMemory) {
  FakeChain chain(std::string(500, 'a'));
  FakeNetwork network;
  Client client = network.client([&, node = chain.node()](const Json& request) {
    if (request["method"] != "eth_getLogs") return node(request);
    const Json& filter = request["params"][0];
    if (!filter.contains("blockHash") && filter["fromBlock"] != filter["toBlock"]) {
      return refusal(request, -32005, "query exceeds max block range");
    }
    Json reply = Json::parse(node(request).value().body);
    reply["result"][0]["data"] = "0x" + std::string(4'000'000, '0');
    return Result<HttpReply>(HttpReply{200, reply.dump()});
  });
  for (const std::uint64_t stored : {std::uint64_t{100}, 500 - kNearHead}) {
    const LogBackfill read = good(backfill_logs(client, {}, chain.ref(stored), 0));
    EXPECT_EQ(numbers(read), from_to(stored + 1, stored + 17)) << "of two megabytes each";
    EXPECT_EQ(read.upto, chain.ref(stored + 17));
  }
}

}  // namespace
}  // namespace avow::chain
