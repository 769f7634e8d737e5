// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>

#include "chain/error.hpp"

namespace avow::chain {

struct HttpReply {
  int status = 0;
  std::string body;
};

/// A node that requests are posted to. One thread at a time.
class Endpoint {
 public:
  Endpoint() = default;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  virtual ~Endpoint() = default;

  /// A reply of at most so many bytes, its headers included. Errors: kTransport, kReplySize.
  virtual Result<HttpReply> post(const std::string& body, std::size_t most_reply_bytes) = 0;
  /// For messages: scheme and host, without the path, which often holds a secret.
  [[nodiscard]] virtual const std::string& name() const = 0;
};

struct HttpSettings {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds total_timeout{30'000};  ///< of a whole exchange, the connection's making included
  std::string ca_file{};                            ///< PEM of who vouches for the node; empty: the system's
};

/// A node at http://host[:port][/path] or https://..., whose certificate is checked. Neither proxies nor redirections
/// are followed. Only the system's look-up of a name may outlast the time, by its own limits.
[[nodiscard]] Result<std::unique_ptr<Endpoint>> open_http(std::string_view url, const HttpSettings& settings = {});

}  // namespace avow::chain
