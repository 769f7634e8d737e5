// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

#include "chain/client.hpp"

namespace avow::chain::testing {

/// A node that answers as a test says.
class FakeNode final : public Endpoint {
 public:
  using Answer = std::function<Result<HttpReply>(const Json& request)>;
  explicit FakeNode(Answer answer) : answer_(std::move(answer)) {}

  Result<HttpReply> post(const std::string& body, std::size_t most_reply_bytes) override {
    auto reply = answer_(Json::parse(body));
    if (reply && reply.value().body.size() > most_reply_bytes) return fail(Cause::kReplySize, "too large");
    return reply;
  }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  Answer answer_;
  std::string name_ = "http://fake";
};

/// Good answers and errors, as nodes write them.
inline Result<HttpReply> answer(const Json& request, const Json& result) {
  return HttpReply{200, Json{{"jsonrpc", "2.0"}, {"id", request["id"]}, {"result", result}}.dump()};
}
inline Result<HttpReply> refusal(const Json& request, std::int64_t code, const std::string& message,
                                 const Json& data = {}) {
  Json error = {{"code", code}, {"message", message}};
  if (!data.is_null()) error["data"] = data;
  return HttpReply{200, Json{{"jsonrpc", "2.0"}, {"id", request["id"]}, {"error", error}}.dump()};
}

/// Over nodes that answer like this; waits are counted, not waited.
struct FakeNetwork {
  std::vector<std::chrono::milliseconds> waits;
  std::vector<std::pair<std::size_t, std::string>> calls;  ///< node and method

  Rpc rpc(std::vector<FakeNode::Answer> answers, RpcPolicy policy = {}) {
    std::vector<std::unique_ptr<Endpoint>> nodes;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      nodes.push_back(std::make_unique<FakeNode>([this, i, reply = std::move(answers[i])](const Json& request) {
        calls.emplace_back(i, request["method"].get<std::string>());
        return reply(request);
      }));
    }
    return Rpc(std::move(nodes), policy, [this](std::chrono::milliseconds time) { waits.push_back(time); });
  }
  Client client(FakeNode::Answer one) {
    std::vector<FakeNode::Answer> answers;
    answers.push_back(std::move(one));
    return Client(rpc(std::move(answers)));
  }
};

}  // namespace avow::chain::testing
