// SPDX-License-Identifier: Apache-2.0
#include "chain/client.hpp"

#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"
#include "chain/node_testing.hpp"
#include "hash/keccak.hpp"

namespace avow::chain {
namespace {

using testing::answer;
using testing::FakeNetwork;
using testing::good;
using testing::refusal;
using testing::verdict;

std::string filled(char digit, std::size_t bytes) { return "0x" + std::string(2 * bytes, digit); }

Json honest_log() {
  return {{"address", filled('1', 20)},
          {"topics", Json::array({filled('2', 32)})},
          {"data", "0x01"},
          {"blockNumber", "0x5"},
          {"blockHash", filled('3', 32)},
          {"logIndex", "0x0"},
          {"removed", false},
          {"transactionHash", filled('4', 32)}};
}
Json honest_receipt() {
  return {{"transactionHash", filled('4', 32)},
          {"blockNumber", "0x5"},
          {"blockHash", filled('3', 32)},
          {"status", "0x1"},
          {"gasUsed", "0x5208"},
          {"effectiveGasPrice", "0x7"},
          {"contractAddress", nullptr},
          {"logs", Json::array({honest_log()})}};
}
Json honest_call() {
  return {{"hash", filled('4', 32)}, {"from", filled('1', 20)}, {"to", nullptr}, {"input", "0x01"}};
}
Json honest_block() {
  return {{"number", "0x5"},     {"hash", filled('3', 32)}, {"parentHash", filled('6', 32)},
          {"timestamp", "0x10"}, {"gasLimit", "0x1c9c380"}, {"baseFeePerGas", "0x7"}};
}

// What becomes of a reply in which one member is missing, or something else.
template <typename T>
void expect_all_needed(const Json& honest, Result<T> (*read)(const Json&), const std::vector<std::string>& optional) {
  EXPECT_EQ(verdict(read(honest)), "ok") << honest.dump();
  for (const auto& [key, value] : honest.items()) {
    if (std::find(optional.begin(), optional.end(), key) != optional.end()) continue;
    Json without = honest;
    without.erase(key);
    EXPECT_EQ(verdict(read(without)), "rpc.reply") << key;
    for (const Json& other : {Json(), Json(1), Json("0x"), Json("0x0g"), Json(std::string(200, '0')), Json::object()}) {
      if ((key == "data" || key == "input") && other == Json("0x")) continue;
      Json changed = honest;
      changed[key] = other;
      EXPECT_EQ(verdict(read(changed)), "rpc.reply") << key << ' ' << other.dump();
    }
  }
  EXPECT_EQ(verdict(read(Json())), "rpc.reply");
  EXPECT_EQ(verdict(read(Json::array())), "rpc.reply");
}

TEST(Replies, AreReadStrictly) {
  expect_all_needed(honest_block(), read_block, {});
  expect_all_needed(honest_log(), read_log, {"removed"});
  expect_all_needed(honest_receipt(), read_receipt, {"contractAddress"});
  expect_all_needed(honest_call(), read_calldata, {"to"});
  Json removed = honest_log();
  removed["removed"] = true;
  EXPECT_EQ(verdict(read_log(removed)), "rpc.reply");
  Json topics = honest_log();
  topics["topics"] = Json(5, filled('2', 32));
  EXPECT_EQ(verdict(read_log(topics)), "rpc.reply");
  Json status = honest_receipt();
  status["status"] = "0x2";
  EXPECT_EQ(verdict(read_receipt(status)), "rpc.reply");
  for (const char* key : {"transactionHash", "blockHash", "blockNumber"}) {
    Json other = honest_receipt();
    other["logs"][0][key] = key == std::string("blockNumber") ? Json("0x6") : Json(filled('9', 32));
    EXPECT_EQ(verdict(read_receipt(other)), "rpc.reply") << key;
  }
  const Json fees = {{"baseFeePerGas", {"0x1", "0x2"}}, {"reward", {Json::array({"0x3"})}}};
  expect_all_needed(fees, read_fee_history, {});
  EXPECT_EQ(verdict(read_number("0x10000000000000000")), "rpc.reply");
  EXPECT_EQ(verdict(read_quantity("0x01")), "rpc.reply");
}

TEST(NodeClient, SaysWhyAContractRefused) {
  const Interface token = good(Interface::parse(testing::artifact("AvowToken")));
  const auto selector = selector_of("ERC20InvalidReceiver(address)");
  base::Bytes data(selector.begin(), selector.end());
  data.resize(4 + 32);
  FakeNetwork network;
  Client client =
      network.client([&](const Json& request) { return refusal(request, 3, "execution reverted", to_data(data)); });
  client.name_errors_of({&token});
  const auto refused = client.call({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(to_string(refused.error()),
            "rpc.reverted: ERC20InvalidReceiver(receiver: 0x0000000000000000000000000000000000000000)");
  EXPECT_EQ(refused.error().data, data);
  EXPECT_EQ(verdict(client.estimate_gas({})), "rpc.reverted");
  EXPECT_EQ(network.calls.size(), 2U);
  Client without_data =
      network.client([&](const Json& request) { return refusal(request, -32000, "execution reverted"); });
  EXPECT_EQ(verdict(without_data.call({})), "rpc.reverted");
  Client other = network.client([&](const Json& request) { return refusal(request, -32000, "header not found"); });
  EXPECT_EQ(verdict(other.call({})), "rpc.node");
}

TEST(NodeClient, TakesATransactionThatIsKnownAsSent) {
  const base::Bytes transaction{2, 0xc0};
  const auto hash = hash::keccak256(transaction);
  FakeNetwork network;
  for (const char* words : {"already known", "Transaction with the same hash was already imported.", "AlreadyKnown",
                            "Known transaction", "ALREADY KNOWN"}) {
    Client known = network.client([=](const Json& request) { return refusal(request, -32000, words); });
    EXPECT_EQ(good(known.send(transaction)), hash) << words;
  }
  Client unknown =
      network.client([](const Json& request) { return refusal(request, -32000, "Unknown transaction type"); });
  EXPECT_EQ(verdict(unknown.send(transaction)), "rpc.node");
  Client other = network.client([](const Json& request) { return answer(request, filled('0', 32)); });
  EXPECT_EQ(verdict(other.send(transaction)), "rpc.reply");
  Client refused = network.client([](const Json& request) { return refusal(request, -32000, "nonce too low"); });
  EXPECT_EQ(verdict(refused.send(transaction)), "rpc.node");
}

TEST(NodeClient, ShowsNothingOfANodeThatATerminalObeys) {
  FakeNetwork network;
  for (const char* result : {"\"\\u001b[2J\\u009b\\u202e\"", "{\"\\u001b\": 1, \"\\u001b\": 1}", "\"\xff\""}) {
    Client client = network.client([&](const Json& request) {
      return HttpReply{200, R"({"jsonrpc": "2.0", "id": )" + request["id"].dump() + R"(, "result": )" + result + "}"};
    });
    const auto refused = client.block_number();
    ASSERT_EQ(verdict(refused), "rpc.reply") << result;
    for (const char c : refused.error().text) EXPECT_TRUE(c >= ' ' && c <= '~') << refused.error().text;
  }
}

TEST(NodeClient, TellsWhatIsNotThereFromWhatIsMalformed) {
  FakeNetwork network;
  Client none = network.client([](const Json& request) { return answer(request, nullptr); });
  EXPECT_FALSE(good(none.block(7)).has_value());
  EXPECT_FALSE(good(none.receipt({})).has_value());
  EXPECT_EQ(verdict(none.block_number()), "rpc.reply");
  Client other = network.client([](const Json& request) { return answer(request, honest_receipt()); });
  EXPECT_EQ(verdict(other.receipt({})), "rpc.reply") << "another transaction's";
  EXPECT_FALSE(good(none.calldata({})).has_value());
  Client another = network.client([](const Json& request) { return answer(request, honest_call()); });
  EXPECT_EQ(verdict(another.calldata({})), "rpc.reply") << "another transaction";
  base::Digest hash;
  hash.fill(0x44);
  EXPECT_EQ(good(another.calldata(hash))->data, base::Bytes{1});
}

// A node that has every block, and answers what else it is asked as a test says.
testing::FakeNode::Answer with_blocks(testing::FakeNode::Answer other) {
  return [other = std::move(other)](const Json& request) {
    if (request["method"] != "eth_getBlockByNumber") return other(request);
    Json block = honest_block();
    block["number"] = request["params"][0];
    return answer(request, block);
  };
}

// A node with a log in every block that refuses ranges above a limit.
testing::FakeNode::Answer log_node(std::uint64_t most_range, std::vector<std::uint64_t>* ranges,
                                   std::size_t data_bytes = 1) {
  return with_blocks([=](const Json& request) {
    const Json& filter = request["params"][0];
    const auto first = good(read_number(filter["fromBlock"]));
    const auto last = good(read_number(filter["toBlock"]));
    ranges->push_back(last - first + 1);
    if (last - first + 1 > most_range) return refusal(request, -32005, "query exceeds max block range");
    Json logs = Json::array();
    for (std::uint64_t i = 0; i <= last - first; ++i) {
      Json log = honest_log();
      log["blockNumber"] = to_quantity(first + i);
      log["data"] = filled('0', data_bytes);
      logs.push_back(log);
    }
    return answer(request, logs);
  });
}

TEST(NodeClient, HalvesRangesOfLogsThatAreTooLarge) {
  std::vector<std::uint64_t> ranges;
  FakeNetwork network;
  Client client = network.client(log_node(300, &ranges));
  const auto logs = good(client.logs({}, 10, 5009)).logs;
  ASSERT_EQ(logs.size(), 5000U);
  for (std::size_t i = 0; i < logs.size(); ++i) EXPECT_EQ(logs[i].block.number, 10 + i);
  EXPECT_EQ(std::vector<std::uint64_t>(ranges.begin(), ranges.begin() + 4),
            (std::vector<std::uint64_t>{2048, 1024, 512, 256}));
  EXPECT_TRUE(network.waits.empty());
  Client never = network.client(log_node(0, &ranges));
  EXPECT_EQ(verdict(never.logs({}, 0, 100)), "rpc.node");
  EXPECT_TRUE(good(client.logs({}, 5, 4)).logs.empty());
  const std::uint64_t end = ~std::uint64_t{0};
  EXPECT_EQ(good(client.logs({}, end - 1, end)).logs.size(), 2U);
}

TEST(NodeClient, EndsEarlyWhereLogsTakeTooMuchMemory) {
  std::vector<std::uint64_t> ranges;
  FakeNetwork network;
  Client client = network.client(log_node(4, &ranges, 1'000'000));
  const LogRange part = good(client.logs({}, 1, 1000));
  EXPECT_GT(memory_of(part.logs), Client::kMostLogBytes);
  EXPECT_LT(memory_of(part.logs), Client::kMostLogBytes + 4'100'000);
  EXPECT_EQ(part.upto, part.logs.back().block.number);
  EXPECT_EQ(part.upto, part.logs.size());
}

TEST(NodeClient, RefusesLogsThatWereNotAskedFor) {
  FakeNetwork network;
  Client client = network.client(with_blocks([](const Json& request) {
    return answer(request, Json::array({honest_log(), honest_log()}));
  }));
  EXPECT_EQ(verdict(client.logs({}, 0, 9)), "rpc.reply") << "the same log twice";
  Client one =
      network.client(with_blocks([](const Json& request) { return answer(request, Json::array({honest_log()})); }));
  EXPECT_EQ(verdict(one.logs({}, 0, 9)), "ok");
  EXPECT_EQ(verdict(one.logs({}, 6, 9)), "rpc.reply");
  EXPECT_EQ(verdict(one.logs({{Address{}}}, 0, 9)), "rpc.reply");
  EXPECT_EQ(verdict(one.logs({{}, {base::Digest{}}}, 0, 9)), "rpc.reply");
  EXPECT_EQ(verdict(one.logs({{}, {std::nullopt}}, 0, 9)), "ok");
  EXPECT_EQ(verdict(one.logs({{}, {std::nullopt, std::nullopt}}, 0, 9)), "rpc.reply");
}

TEST(NodeClient, RefusesLogsOfAnotherBlockThanTheOneOfTheirNumber) {
  FakeNetwork network;
  Client client = network.client(with_blocks([](const Json& request) {
    Json log = honest_log();
    log["blockHash"] = filled('7', 32);
    return answer(request, Json::array({log}));
  }));
  EXPECT_EQ(verdict(client.logs({}, 0, 5)), "rpc.reply") << "the last block is known";
  EXPECT_EQ(verdict(client.logs({}, 0, 6)), "ok") << "this one is not";
  base::Digest hash{};
  hash.fill(0x33);
  EXPECT_EQ(verdict(client.logs({}, BlockRef{5, hash})), "rpc.reply");
  hash.fill(0x77);
  EXPECT_EQ(verdict(client.logs({}, BlockRef{5, hash})), "ok");
  EXPECT_EQ(verdict(client.logs({}, BlockRef{6, hash})), "rpc.reply");
}

TEST(NodeClient, DoesNotTakeANodeThatIsBehindForOneWithoutLogs) {
  // The newest block that the node has before it is asked for logs, and after.
  using Heads = std::pair<std::uint64_t, std::uint64_t>;
  for (const auto& [before, after] : {Heads{5, 5}, Heads{4, 4}, Heads{5, 4}, Heads{4, 5}}) {
    FakeNetwork network;
    std::uint64_t head = before;
    const auto node = with_blocks([](const Json& request) { return answer(request, Json::array()); });
    Client client = network.client([&, later = after](const Json& request) {
      if (request["method"] == "eth_getLogs") {
        head = later;
      } else if (good(read_number(request["params"][0])) > head) {
        return answer(request, nullptr);
      }
      return node(request);
    });
    EXPECT_EQ(verdict(client.logs({}, 0, 5)), before == 5 && after == 5 ? "ok" : "chain.behind") << before << after;
  }
}

TEST(NodeClient, NoticesThatABlockIsReplacedWhileItsLogsAreRead) {
  FakeNetwork network;
  char branch = '3';
  Client client = network.client([&](const Json& request) {
    if (request["method"] != "eth_getBlockByNumber") {
      branch = '7';
      return answer(request, Json::array());
    }
    Json block = honest_block();
    block["hash"] = filled(branch, 32);
    return answer(request, block);
  });
  EXPECT_EQ(verdict(client.logs({}, 0, 5)), "chain.reorganised");
  EXPECT_EQ(verdict(client.logs({}, 0, 5)), "ok");
}

TEST(NodeClient, TriesAgainWhereOneOfSeveralNodesDoesNotKnowABlockYet) {
  FakeNetwork network;
  int asked = 0;
  const auto node = [&](const Json& request) {
    if (++asked % 3 != 0) return refusal(request, -32000, "unknown block");
    return answer(request, Json::array({honest_log()}));
  };
  base::Digest hash{};
  hash.fill(0x33);
  Client client = network.client(node);
  EXPECT_EQ(good(client.logs({}, BlockRef{5, hash})).size(), 1U);
  EXPECT_EQ(network.waits.size(), 2U);
  Client never = network.client([](const Json& request) { return refusal(request, -32001, "Block not found"); });
  EXPECT_EQ(verdict(never.logs({}, BlockRef{5, hash})), "chain.behind");
}

TEST(NodeClient, RefusesLogsOfTwoBlocksWithOneNumber) {
  FakeNetwork network;
  char branch = '3';
  Client client = network.client(with_blocks([&](const Json& request) {
    Json second = honest_log();
    second["logIndex"] = "0x1";
    second["blockHash"] = filled(branch, 32);
    return answer(request, Json::array({honest_log(), second}));
  }));
  EXPECT_EQ(verdict(client.logs({}, 0, 9)), "ok");
  branch = '4';
  EXPECT_EQ(verdict(client.logs({}, 0, 9)), "rpc.reply");
}

TEST(NodeClient, TakesLargeRepliesOfLogsAlone) {
  FakeNetwork network;
  Client client = network.client(with_blocks([](const Json& request) {
    Json log = honest_log();
    log["data"] = filled('0', 2'500'000);
    return answer(request, request["method"] == "eth_getLogs" ? Json::array({log}) : log["data"]);
  }));
  EXPECT_EQ(good(client.logs({}, 5, 5)).logs[0].body.data.size(), 2'500'000U);
  EXPECT_EQ(verdict(client.code({})), "rpc.reply_size");
}

TEST(NodeClient, TakesNoOtherBlockThanItAskedFor) {
  FakeNetwork network;
  Client client = network.client([](const Json& request) { return answer(request, honest_block()); });
  EXPECT_EQ(good(client.block(5))->ref.number, 5U);
  EXPECT_EQ(verdict(client.block(6)), "rpc.reply");
  EXPECT_EQ(good(client.block(BlockId::latest()))->ref.number, 5U);
}

}  // namespace
}  // namespace avow::chain
