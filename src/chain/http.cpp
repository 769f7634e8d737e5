// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <httplib.h>

#include "chain/endpoint.hpp"
#include "chain/url.hpp"

namespace avow::chain {
namespace {

using Clock = std::chrono::steady_clock;

class HttpEndpoint final : public Endpoint {
 public:
  HttpEndpoint(Url url, const HttpSettings& settings)
      : url_(std::move(url)), settings_(settings), client_(url_.origin) {
    client_.set_connection_timeout(settings.connect_timeout);
    client_.set_read_timeout(settings.total_timeout);
    client_.set_write_timeout(settings.total_timeout);
    client_.set_keep_alive(true);
    client_.set_tcp_nodelay(true);  // or each request waits for the node's delayed acknowledgement, 40 ms
    client_.set_follow_location(false);
  }

  [[nodiscard]] bool is_valid() const { return client_.is_valid(); }
  [[nodiscard]] const std::string& name() const override { return url_.origin; }

  Result<HttpReply> post(const std::string& body) override {
    HttpReply reply;
    bool is_too_large = false;
    const auto deadline = Clock::now() + settings_.total_timeout;
    httplib::Request request;
    request.method = "POST";
    request.path = url_.whole.substr(url_.origin.size());
    request.headers = {
        {"Content-Type", "application/json"}, {"Accept", "application/json"}, {"Accept-Encoding", "identity"}};
    request.body = body;
    // Sizes that a reply announces count for nothing: what came is counted.
    request.content_receiver = [&](const char* bytes, std::size_t size, std::uint64_t, std::uint64_t) {
      is_too_large = size > settings_.most_reply_bytes - reply.body.size();
      if (is_too_large || Clock::now() > deadline) return false;
      reply.body.append(bytes, size);
      return true;
    };
    const auto result = client_.send(request);
    if (is_too_large) {
      return fail(Cause::kReplySize,
                  fmt::format("{}: a reply of more than {} bytes", name(), settings_.most_reply_bytes));
    }
    if (!result) {
      return fail(Cause::kTransport, fmt::format("{}: {}; is the node running?", name(), reason(result.error())));
    }
    reply.status = result->status;
    return reply;
  }

 private:
  static std::string_view reason(httplib::Error error) {
    switch (error) {
      case httplib::Error::Connection:
        return "it cannot be reached";
      case httplib::Error::ConnectionTimeout:
        return "it cannot be reached in time";
      case httplib::Error::Read:
        return "no whole reply came in time";
      case httplib::Error::Canceled:
        return "the reply took too long";
      case httplib::Error::Write:
        return "the request could not be sent";
      case httplib::Error::SSLConnection:
      case httplib::Error::SSLLoadingCerts:
      case httplib::Error::SSLServerVerification:
        return "its certificate is not trusted, or it does not speak TLS";
      default:
        return "the exchange failed";
    }
  }

  Url url_;
  HttpSettings settings_;
  httplib::Client client_;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> open_http(std::string_view url, const HttpSettings& settings) {
  auto parsed = parse_url(url);
  if (!parsed) return base::Err{parsed.error()};
  auto endpoint = std::make_unique<HttpEndpoint>(std::move(parsed).value(), settings);
  if (!endpoint->is_valid()) return fail(Cause::kUrl, endpoint->name() + " is no address of a node");
  return std::unique_ptr<Endpoint>(std::move(endpoint));
}

}  // namespace avow::chain
