// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>

#include "chain/client.hpp"
#include "chain/key.hpp"

namespace avow::chain::testing {

/// A local chain (foundry's anvil, with the limits of Ethereum) on a free port of this machine. Ends with the object,
/// and with the test if that dies.
class Anvil {
 public:
  Anvil();
  ~Anvil();
  Anvil(const Anvil&) = delete;
  Anvil& operator=(const Anvil&) = delete;

  /// Nothing can be tested where this is false: anvil is not installed.
  [[nodiscard]] static bool is_installed();
  /// Whether it answered in time.
  [[nodiscard]] bool is_running() const { return is_running_; }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] Rpc rpc() const;
  [[nodiscard]] Client client() const { return Client(rpc()); }
  /// One of anvil's own methods.
  Json tell(const char* method, const Json& params = Json::array()) const;

 private:
  pid_t process_ = -1;
  bool is_running_ = false;
  std::string url_;
};

/// One of anvil's well-known development keys, 0 or 1.
[[nodiscard]] PrivateKey development_key(std::size_t index);

}  // namespace avow::chain::testing
