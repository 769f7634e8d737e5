// SPDX-License-Identifier: Apache-2.0
#include "chain/anvil_testing.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "chain/chain_testing.hpp"

namespace avow::chain::testing {
namespace {

std::string anvil_path() { return std::string(AVOW_SOURCE_DIR) + "/contracts/node_modules/.bin/anvil"; }

// A port that was free a moment ago.
std::uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(probe, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(probe);
  return ntohs(address.sin_port);
}

[[noreturn]] void become_anvil(const std::string& path, const std::string& port) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const int nothing = ::open("/dev/null", O_RDWR);
  for (const int stream : {0, 1, 2}) ::dup2(nothing, stream);
  ::execl(path.c_str(), "anvil", "--hardfork", "osaka", "--enable-tx-gas-limit", "--port", port.c_str(), "--silent",
          static_cast<char*>(nullptr));
  ::_exit(127);
}

}  // namespace

bool Anvil::is_installed() { return ::access(anvil_path().c_str(), X_OK) == 0; }

Anvil::Anvil() {
  const std::string path = anvil_path();
  const std::string port = std::to_string(free_port());
  url_ = "http://127.0.0.1:" + port;
  process_ = ::fork();
  if (process_ == 0) become_anvil(path, port);
  Client client = this->client();
  for (int attempt = 0; attempt < 150 && !is_running_; ++attempt) {
    sleep_for(std::chrono::milliseconds(100));
    is_running_ = client.chain_id().ok();
  }
}

Anvil::~Anvil() {
  if (process_ <= 0) return;
  ::kill(process_, SIGTERM);
  for (int attempt = 0; attempt < 100; ++attempt) {
    if (::waitpid(process_, nullptr, WNOHANG) == process_) return;
    sleep_for(std::chrono::milliseconds(50));
  }
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

Rpc Anvil::rpc() const {
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  endpoints.push_back(good(open_http(url_)));
  RpcPolicy policy;
  policy.rounds = 1;
  policy.chain_id = 31337;
  return Rpc(std::move(endpoints), policy);
}

Json Anvil::tell(const char* method, const Json& params) const { return good(rpc().call(method, params)); }

PrivateKey development_key(std::size_t index) {
  constexpr std::array kKeys = {"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
                                "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"};
  return good(PrivateKey::from_bytes(hex(kKeys.at(index))));
}

}  // namespace avow::chain::testing
