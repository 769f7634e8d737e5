// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <atomic>
#include <thread>

#include "chain/chain_testing.hpp"
#include "chain/endpoint.hpp"

namespace avow::chain {
namespace {

using testing::good;
using testing::verdict;

// A server on a free port of this machine, ended with the test.
class HttpServer {
 public:
  explicit HttpServer(const httplib::Server::Handler& handler) {
    server_.Post("/rpc", handler);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~HttpServer() {
    server_.stop();
    thread_.join();
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/rpc"; }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

HttpSettings quick_settings() {
  HttpSettings settings;
  settings.connect_timeout = std::chrono::milliseconds(500);
  settings.total_timeout = std::chrono::milliseconds(500);
  settings.most_reply_bytes = 1000;
  return settings;
}

TEST(HttpEndpoint, PostsAndReads) {
  const HttpServer server([](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.get_header_value("Content-Type") + request.body, "application/json");
  });
  const auto endpoint = good(open_http(server.url(), quick_settings()));
  for (int i = 0; i < 3; ++i) {
    const auto reply = good(endpoint->post("hello"));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "application/jsonhello");
  }
  EXPECT_EQ(endpoint->name(), server.url().substr(0, server.url().size() - 4));
}

TEST(HttpEndpoint, BoundsReplies) {
  std::atomic<std::size_t> size{1000};
  const HttpServer server([&](const httplib::Request& /*request*/, httplib::Response& response) {
    response.set_content(std::string(size, 'a'), "text/plain");
  });
  const auto endpoint = good(open_http(server.url(), quick_settings()));
  EXPECT_EQ(good(endpoint->post("")).body.size(), 1000U);
  for (const std::size_t larger : {std::size_t{1001}, std::size_t{10'000'000}}) {
    size = larger;
    EXPECT_EQ(verdict(endpoint->post("")), "rpc.reply_size") << larger;
  }
}

TEST(HttpEndpoint, DoesNotWaitForEver) {
  const HttpServer server([](const httplib::Request& /*request*/, httplib::Response& response) {
    // A byte now and then, each in time, for ten seconds.
    response.set_content_provider("text/plain", [](std::size_t offset, httplib::DataSink& sink) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      if (offset < 100) return sink.write("a", 1);
      sink.done();
      return true;
    });
  });
  const auto endpoint = good(open_http(server.url(), quick_settings()));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(verdict(endpoint->post("")), "rpc.transport");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(HttpEndpoint, HandsOtherStatusesOnAndFollowsNoRedirections) {
  const HttpServer server([](const httplib::Request& /*request*/, httplib::Response& response) {
    response.set_redirect("http://127.0.0.1:1/elsewhere");
  });
  EXPECT_EQ(good(good(open_http(server.url(), quick_settings()))->post("")).status, 302);
}

TEST(HttpEndpoint, SaysThatNobodyAnswers) {
  const auto endpoint = good(open_http("http://127.0.0.1:1", quick_settings()));
  const auto reply = endpoint->post("");
  ASSERT_FALSE(reply);
  EXPECT_EQ(to_string(reply.error()), "rpc.transport: http://127.0.0.1:1: it cannot be reached; is the node running?");
}

TEST(HttpEndpoint, DoesNotTrustACertificateThatNobodyVouchesFor) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  ASSERT_NE(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  httplib::SSLServer server(certificate.get(), key.get());
  std::atomic<bool> was_asked{false};
  server.Post("/", [&](const httplib::Request& /*request*/, httplib::Response& /*response*/) { was_asked = true; });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();
  const auto reply = good(open_http("https://127.0.0.1:" + std::to_string(port), quick_settings()))->post("");
  server.stop();
  thread.join();
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().text.find("certificate is not trusted"), std::string::npos) << reply.error().text;
  EXPECT_FALSE(was_asked);
}

TEST(HttpEndpoint, RefusesAddressesThatAreNone) {
  EXPECT_EQ(verdict(open_http("ws://host")), "rpc.url");
  EXPECT_EQ(good(open_http("https://node.example/v2/secret"))->name(), "https://node.example");
}

}  // namespace
}  // namespace avow::chain
