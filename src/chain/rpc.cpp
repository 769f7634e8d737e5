// SPDX-License-Identifier: Apache-2.0
#include "chain/rpc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/check.hpp"
#include "base/hex.hpp"
#include "base/json.hpp"
#include "base/printable.hpp"
#include "chain/uint256.hpp"

namespace avow::chain {
namespace {

constexpr std::size_t kMostReplyDepth = 32;
// Logs have 40 bytes and more of text for each value, and so has all that is large; what has less is small, or takes
// memory on purpose.
constexpr std::size_t kBytesOfAValue = 32;
constexpr std::size_t kFreeValues = std::size_t{1} << 14;
constexpr std::size_t kMostNodeText = 300;
constexpr std::int64_t kLimitExceeded = -32005;

base::Err<Error> no_reply(std::string_view what) {
  return fail(Cause::kReply, fmt::format("a reply that is not JSON-RPC 2.0: {}", what));
}

Error node_error(const Json& json) {
  const Json* code = member(json, "code");
  const std::string* message = string_member(json, "message");
  if (code == nullptr || !code->is_number_integer() || message == nullptr)
    return no_reply("an error without code or message").error;
  Error error{Cause::kNode, fmt::format("the node says: {}", base::printable(*message, kMostNodeText)),
              code->get<std::int64_t>()};
  // Most nodes say what a call reverted with as text, some inside an object.
  const Json* data = member(json, "data");
  if (data != nullptr && data->is_object()) data = member(*data, "data");
  const auto* text = data == nullptr ? nullptr : data->get_ptr<const std::string*>();
  if (text != nullptr && text->starts_with("0x")) error.data = base::from_hex(*text).value_or(base::Bytes{});
  return error;
}

bool is_busy(const Error& error) {
  return error.cause == Cause::kNode && (error.node_code == kLimitExceeded || error.node_code == 429 ||
                                         error.text.find("rate limit") != std::string::npos);
}

// Whether another node, or the same one later, may do better.
bool is_worth_trying(const Error& error, const Expected& expected) {
  if (expected.is_final && expected.is_final(error)) return false;
  return error.cause != Cause::kNode || is_busy(error) || (expected.may_pass && expected.may_pass(error));
}

}  // namespace

void sleep_for(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

Result<Json> parse_reply(std::string_view body, std::uint64_t id) {
  auto parsed =
      base::parse_json(body, kMostReplyDepth, base::JsonTop::kAny, kFreeValues + body.size() / kBytesOfAValue);
  if (!parsed && parsed.error().fault == base::JsonFault::kValues) {
    return fail(Cause::kReplySize, fmt::format("a reply that {}", parsed.error().reason));
  }
  if (!parsed) return no_reply(parsed.error().reason);
  Json& json = parsed.value();
  const std::string* version = string_member(json, "jsonrpc");
  if (version == nullptr || *version != "2.0") return no_reply("'jsonrpc' is not 2.0");
  const Json* result = member(json, "result");
  const Json* error = member(json, "error");
  if (error != nullptr && !error->is_null()) {
    if (result != nullptr && !result->is_null()) return no_reply("a result and an error");
    return base::Err{node_error(*error)};
  }
  const Json* reply_id = member(json, "id");
  if (reply_id == nullptr || !reply_id->is_number_unsigned() || reply_id->get<std::uint64_t>() != id) {
    return no_reply("the id is not the request's");
  }
  if (result == nullptr) return no_reply("neither a result nor an error");
  return std::move(json["result"]);  // which may be large
}

Rpc::Rpc(std::vector<std::unique_ptr<Endpoint>> endpoints, RpcPolicy policy, Sleep sleep)
    : policy_(policy), sleep_(std::move(sleep)) {
  AVOW_CHECK(!endpoints.empty() && policy.rounds > 0);
  for (auto& endpoint : endpoints) nodes_.push_back({std::move(endpoint)});
}

Result<Json> Rpc::call(const char* method, const Json& params, const Expected& expected) {
  Error last{Cause::kTransport, ""};
  auto backoff = policy_.first_backoff;
  for (unsigned round = 0; round < policy_.rounds; ++round) {
    if (round > 0) {
      sleep_(backoff);
      backoff = std::min(2 * backoff, policy_.most_backoff);
    }
    for (std::size_t tried = 0; tried < nodes_.size(); ++tried) {
      auto result = exchange(nodes_[current_], method, params, expected.most_bytes);
      if (result || !is_worth_trying(result.error(), expected)) return result;
      last = result.error();
      current_ = (current_ + 1) % nodes_.size();
    }
  }
  return base::Err{last};
}

Result<Json> Rpc::exchange(Node& node, const char* method, const Json& params, std::size_t most_bytes) {
  if (policy_.chain_id && !node.is_known) {
    if (auto error = check_chain(node)) return base::Err{std::move(*error)};
    node.is_known = true;
  }
  const std::uint64_t id = ++last_id_;
  const Json request = {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
  const auto reply = node.endpoint->post(to_text(request), most_bytes);
  if (!reply) return base::Err{reply.error()};
  auto result = parse_reply(reply.value().body, id);
  // Some nodes answer with an error of JSON-RPC and a status of its kind.
  const bool says_why = !result && result.error().cause == Cause::kNode;
  if (reply.value().status != 200 && !says_why) {
    return fail(Cause::kHttp, fmt::format("{}: HTTP status {}", node.endpoint->name(), reply.value().status));
  }
  if (result) return result;
  Error error = result.error();
  error.text = fmt::format("{}: {}: {}", node.endpoint->name(), method, error.text);
  return base::Err{std::move(error)};
}

std::optional<Error> Rpc::check_chain(Node& node) {
  node.is_known = true;  // for this call
  const auto result = exchange(node, "eth_chainId", Json::array(), Expected{}.most_bytes);
  node.is_known = false;
  if (!result) return result.error();
  const auto* text = result.value().get_ptr<const std::string*>();
  const auto chain_id = text == nullptr ? Result<U256>(fail(Cause::kReply, "")) : parse_quantity(*text);
  if (chain_id && chain_id.value() == U256(*policy_.chain_id)) return std::nullopt;
  return Error{Cause::kChainId,
               fmt::format("{}: is on chain {}, where {} is wanted; give a node of that chain", node.endpoint->name(),
                           chain_id ? to_decimal(chain_id.value()) : "?", *policy_.chain_id)};
}

}  // namespace avow::chain
