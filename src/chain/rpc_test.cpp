// SPDX-License-Identifier: Apache-2.0
#include "chain/rpc.hpp"

#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"
#include "chain/node_testing.hpp"

namespace avow::chain {
namespace {

using std::chrono::milliseconds;
using testing::answer;
using testing::FakeNetwork;
using testing::good;
using testing::refusal;
using testing::verdict;

Result<HttpReply> unreachable(const Json& /*request*/) { return fail(Cause::kTransport, "down"); }
Result<HttpReply> healthy(const Json& request) { return answer(request, "0x1"); }

TEST(JsonRpc, RepliesAreReadStrictly) {
  const std::string honest = R"({"jsonrpc": "2.0", "id": 7, "result": ["0x1"]})";
  EXPECT_EQ(good(parse_reply(honest, 7)), Json::array({"0x1"}));
  EXPECT_EQ(good(parse_reply(R"({"jsonrpc": "2.0", "id": 7, "result": null})", 7)), Json());
  EXPECT_EQ(good(parse_reply(R"({"jsonrpc": "2.0", "id": 7, "error": null, "result": 1})", 7)), Json(1));
  for (std::size_t length = 0; length < honest.size(); ++length) {
    EXPECT_EQ(verdict(parse_reply(honest.substr(0, length), 7)), "rpc.reply") << length;
  }
  for (const char* text :
       {"1", "[]", "{}", R"({"id": 7, "result": 1})", R"({"jsonrpc": "1.0", "id": 7, "result": 1})",
        R"({"jsonrpc": "2.0", "id": 8, "result": 1})", R"({"jsonrpc": "2.0", "id": "7", "result": 1})",
        R"({"jsonrpc": "2.0", "result": 1})", R"({"jsonrpc": "2.0", "id": 7})",
        R"({"jsonrpc": "2.0", "id": 7, "result": 1, "error": {"code": 1, "message": ""}})",
        R"({"jsonrpc": "2.0", "id": 7, "error": {"code": "1", "message": ""}})",
        R"({"jsonrpc": "2.0", "id": 7, "error": {"code": 1}})", R"({"jsonrpc": "2.0", "id": 7, "error": 1})",
        R"({"jsonrpc": "2.0", "id": 7, "id": 7, "result": 1})"}) {
    EXPECT_EQ(verdict(parse_reply(text, 7)), "rpc.reply") << text;
  }
}

TEST(JsonRpc, RepliesTakeNoMoreMemoryThanTheirTextExplains) {
  const auto reply_of = [](std::string_view element, std::size_t times) {
    std::string text = R"({"jsonrpc": "2.0", "id": 7, "result": [0)";
    for (std::size_t i = 0; i < times; ++i) text.append(",").append(element);
    return text + "]}";
  };
  for (const char* element : {"0", "[]", "{}", "\"\"", "null", R"({"a":0})"}) {
    EXPECT_EQ(verdict(parse_reply(reply_of(element, 1'000'000), 7)), "rpc.reply_size") << element;
    EXPECT_EQ(verdict(parse_reply(reply_of(element, 5'000), 7)), "ok") << element;
  }
  const std::string hash = '"' + std::string(66, '0') + '"';
  EXPECT_EQ(good(parse_reply(reply_of(hash, 400'000), 7)).size(), 400'001U);
}

TEST(JsonRpc, ErrorsOfNodesKeepCodeAndData) {
  const auto error = parse_reply(
      R"({"jsonrpc": "2.0", "id": 7, "error": {"code": 3, "message": "a\u001bb\u009bc", "data": "0x0102"}})", 7);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().cause, Cause::kNode);
  EXPECT_EQ(error.error().node_code, 3);
  EXPECT_EQ(error.error().data, (base::Bytes{1, 2}));
  EXPECT_EQ(error.error().text, "the node says: a?b??c");
  const auto nested =
      parse_reply(R"({"jsonrpc": "2.0", "id": 7, "error": {"code": 3, "message": "", "data": {"data": "0x03"}}})", 7);
  EXPECT_EQ(nested.error().data, base::Bytes{3});
}

TEST(JsonRpc, PassesNodesThatFailOver) {
  const auto malformed = [](const Json&) -> Result<HttpReply> { return HttpReply{200, "<html>"}; };
  const auto status = [](const Json&) -> Result<HttpReply> { return HttpReply{503, "busy"}; };
  const auto limited = [](const Json& request) { return refusal(request, -32005, "limit exceeded"); };
  FakeNetwork network;
  Rpc rpc = network.rpc({unreachable, malformed, status, limited, healthy});
  EXPECT_EQ(good(rpc.call("m", Json::array())), Json("0x1"));
  EXPECT_EQ(network.calls.size(), 5U);
  EXPECT_TRUE(network.waits.empty());
  // It stays with the one that answered.
  EXPECT_EQ(good(rpc.call("m", Json::array())), Json("0x1"));
  EXPECT_EQ(network.calls.back().first, 4U);
  EXPECT_EQ(network.calls.size(), 6U);
}

TEST(JsonRpc, TriesAgainWithLongerWaitsAndGivesUp) {
  FakeNetwork network;
  Rpc rpc = network.rpc({unreachable, unreachable}, {6, milliseconds(100), milliseconds(500)});
  EXPECT_EQ(verdict(rpc.call("m", Json::array())), "rpc.transport");
  EXPECT_EQ(network.calls.size(), 12U);
  EXPECT_EQ(network.waits, (std::vector<milliseconds>{milliseconds(100), milliseconds(200), milliseconds(400),
                                                      milliseconds(500), milliseconds(500)}));
}

TEST(JsonRpc, DoesNotRepeatWhatANodeRefuses) {
  FakeNetwork network;
  Rpc rpc = network.rpc({[](const Json& request) { return refusal(request, -32602, "invalid params"); }, healthy});
  EXPECT_EQ(verdict(rpc.call("m", Json::array())), "rpc.node");
  EXPECT_EQ(network.calls.size(), 1U);
}

TEST(JsonRpc, TakesAnErrorThatComesWithAnotherStatus) {
  FakeNetwork network;
  Rpc rpc = network.rpc({[](const Json& request) -> Result<HttpReply> {
    auto reply = refusal(request, -32602, "invalid params");
    reply.value().status = 400;
    return reply;
  }});
  EXPECT_EQ(verdict(rpc.call("m", Json::array())), "rpc.node");
}

TEST(JsonRpc, LeavesOutNodesOfOtherChains) {
  const auto on_chain = [](const char* id) {
    return [id](const Json& request) {
      return answer(request, request["method"] == "eth_chainId" ? Json(id) : Json("good"));
    };
  };
  RpcPolicy policy;
  policy.chain_id = 31337;
  FakeNetwork network;
  Rpc rpc = network.rpc({on_chain("0x1"), on_chain("nonsense"), on_chain("0x7a69")}, policy);
  EXPECT_EQ(good(rpc.call("m", Json::array())), Json("good"));
  EXPECT_EQ(network.calls.back(), (std::pair<std::size_t, std::string>(2, "m")));
  Rpc other = network.rpc({on_chain("0x1")}, policy);
  EXPECT_EQ(verdict(other.call("m", Json::array())), "rpc.chain_id");
}

}  // namespace
}  // namespace avow::chain
