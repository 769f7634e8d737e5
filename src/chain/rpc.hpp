// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "chain/endpoint.hpp"
#include "chain/json.hpp"

namespace avow::chain {

/// Waits; tests give one that does not.
using Sleep = std::function<void(std::chrono::milliseconds)>;
void sleep_for(std::chrono::milliseconds time);

struct RpcPolicy {
  unsigned rounds = 4;                           ///< over all endpoints, at least 1
  std::chrono::milliseconds first_backoff{250};  ///< after the first round; doubled after each
  std::chrono::milliseconds most_backoff{4'000};
  std::optional<std::uint64_t> chain_id{};  ///< endpoints of other chains are not used
};

/// What a caller knows of the replies to its call.
struct Expected {
  std::function<bool(const Error&)> is_final{};   ///< errors that another node, or this one later, would say as well
  std::function<bool(const Error&)> may_pass{};   ///< errors of a node (kNode) that would not be said then
  std::size_t most_bytes = std::size_t{4} << 20;  ///< of a reply; more than any but lists of logs has
};

/// JSON-RPC over several nodes of one chain. A node that fails is passed over for the next one; when all have failed,
/// they are tried again after a while. Only calls that may be repeated are to be made: all of Client's are. One thread
/// at a time.
class Rpc {
 public:
  /// At least one endpoint.
  explicit Rpc(std::vector<std::unique_ptr<Endpoint>> endpoints, RpcPolicy policy = {}, Sleep sleep = sleep_for);

  /// The result. Errors of nodes (kNode) are the caller's to judge and not tried again, but those that say that the
  /// node is busy; unless `expected` says otherwise. A larger reply than expected is an error (kReplySize), as is one
  /// of more values than its size explains.
  [[nodiscard]] Result<Json> call(const char* method, const Json& params, const Expected& expected = {});

  [[nodiscard]] const Sleep& sleep() const { return sleep_; }

 private:
  struct Node {
    std::unique_ptr<Endpoint> endpoint;
    bool is_known = false;  // to be of the chain that the policy wants
  };
  [[nodiscard]] Result<Json> exchange(Node& node, const char* method, const Json& params, std::size_t most_bytes);
  [[nodiscard]] std::optional<Error> check_chain(Node& node);

  std::vector<Node> nodes_;
  RpcPolicy policy_;
  Sleep sleep_;
  std::size_t current_ = 0;
  std::uint64_t last_id_ = 0;
};

/// The result in a reply to the request of this id; kNode if the node says an error. What it takes in memory is in
/// proportion to the text: where more values are in it than that explains, it is kReplySize.
[[nodiscard]] Result<Json> parse_reply(std::string_view body, std::uint64_t id);

}  // namespace avow::chain
