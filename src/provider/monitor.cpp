// SPDX-License-Identifier: Apache-2.0
#include "provider/monitor.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <string_view>

namespace avow::provider {
namespace {

constexpr unsigned kMostConnections = 16;
constexpr unsigned kMostOfOneAddress = 4;  // who opens them and says nothing keeps nobody else out
constexpr unsigned kTimeoutSecs = 10;

std::int64_t steady_millis() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// Nothing of text that is no address with a port.
std::optional<SocketAddress> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::uint16_t port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
  std::string host(text.substr(0, colon));
  SocketAddress address{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, host.c_str(), &address.v6.sin6_addr) != 1) return std::nullopt;
    return address;
  }
  address.v4.sin_family = AF_INET;
  address.v4.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.v4.sin_addr) != 1) return std::nullopt;
  return address;
}

// NOLINTBEGIN(readability-non-const-parameter): the library says what they are
MHD_Result reply_to(void* monitor, MHD_Connection* connection, const char* path, const char* method,
                    const char* /*version*/, const char* /*upload*/, std::size_t* upload_size, void** /*state*/) {
  // NOLINTEND(readability-non-const-parameter)
  if (*upload_size != 0) return MHD_NO;  // nobody has anything to say to us
  const Monitor::Reply reply = static_cast<Monitor*>(monitor)->answer(method, path);
  // The library copies the body before it returns, and only reads it.
  MHD_Response* response =
      MHD_create_response_from_buffer(reply.body.size(), const_cast<char*>(reply.body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply.type);
  const MHD_Result queued = MHD_queue_response(connection, reply.status, response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace

void Monitor::Stop::operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
Monitor::~Monitor() = default;

base::Result<std::unique_ptr<Monitor>, std::string> Monitor::listen(const std::string& address) {
  const auto parsed = parse_listen(address);
  if (!parsed) {
    return base::Err{fmt::format("'{}' is no address to listen on; write one like 127.0.0.1:9464", address)};
  }
  std::unique_ptr<Monitor> monitor(new Monitor());
  unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD;
  if (parsed->any.sa_family == AF_INET6) flags |= MHD_USE_IPv6;
  errno = 0;
  monitor->daemon_.reset(MHD_start_daemon(flags, 0, nullptr, nullptr, &reply_to, monitor.get(), MHD_OPTION_SOCK_ADDR,
                                          &parsed->any, MHD_OPTION_CONNECTION_LIMIT, kMostConnections,
                                          MHD_OPTION_PER_IP_CONNECTION_LIMIT, kMostOfOneAddress,
                                          MHD_OPTION_CONNECTION_TIMEOUT, kTimeoutSecs, MHD_OPTION_END));
  if (monitor->daemon_ == nullptr) {
    return base::Err{fmt::format("cannot listen on {}: {}; is another program there?", address, std::strerror(errno))};
  }
  return monitor;
}

std::uint16_t Monitor::port() const {
  const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_BIND_PORT);
  return info == nullptr ? std::uint16_t{0} : info->port;
}

void Monitor::tell(std::string metrics, std::string problem, std::uint64_t good_for_millis) {
  const std::scoped_lock lock(mutex_);
  metrics_ = std::move(metrics);
  problem_ = std::move(problem);
  good_until_ = steady_millis() + static_cast<std::int64_t>(good_for_millis);
}

Monitor::Reply Monitor::answer(std::string_view method, std::string_view path) {
  if (method != "GET" && method != "HEAD") return {405, "text/plain; charset=utf-8", "only GET\n"};
  const std::scoped_lock lock(mutex_);
  if (path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_};
  if (path != "/healthz") return {404, "text/plain; charset=utf-8", "there are /healthz and /metrics\n"};
  if (!problem_.empty()) return {503, "text/plain; charset=utf-8", problem_ + '\n'};
  if (steady_millis() > good_until_) return {503, "text/plain; charset=utf-8", "the service stands still\n"};
  return {200, "text/plain; charset=utf-8", "ok\n"};
}

}  // namespace avow::provider
