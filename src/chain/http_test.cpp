// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>

#include "chain/chain_testing.hpp"
#include "chain/endpoint.hpp"
#include "chain/http_testing.hpp"

namespace avow::chain {
namespace {

using std::chrono::milliseconds;
using testing::Connection;
using testing::good;
using testing::LoopbackServer;
using testing::OwnCertificate;
using testing::reply_of;
using testing::verdict;

constexpr std::size_t kMostBytes = 1'000'000;

HttpSettings quick_settings() {
  HttpSettings settings;
  settings.connect_timeout = milliseconds(500);
  settings.total_timeout = milliseconds(500);
  return settings;
}

// Answers every request of a connection alike.
LoopbackServer::Serve always(const std::string& reply) {
  return [reply](Connection& connection) {
    while (!connection.request().empty() && connection.send(reply)) {
    }
  };
}

Result<HttpReply> post_to(const LoopbackServer& server, const std::string& body = "{}") {
  return good(open_http(server.url(), quick_settings()))->post(body, kMostBytes);
}

TEST(HttpEndpoint, PostsAndReadsOverOneConnection) {
  const LoopbackServer server([](Connection& connection) {
    for (std::string request; !(request = connection.request()).empty();) connection.send(reply_of(request));
  });
  const auto endpoint = good(open_http(server.url(), quick_settings()));
  for (int i = 0; i < 3; ++i) {
    const auto reply = good(endpoint->post("hello", kMostBytes));
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(reply.body.starts_with("POST /secret HTTP/1.1\r\n")) << reply.body;
    EXPECT_TRUE(reply.body.ends_with("\r\n\r\nhello")) << reply.body;
    EXPECT_NE(reply.body.find("\r\nContent-Type: application/json\r\n"), std::string::npos) << reply.body;
    EXPECT_NE(reply.body.find("\r\nAccept-Encoding: identity\r\n"), std::string::npos) << reply.body;
    EXPECT_EQ(reply.body.find("Expect"), std::string::npos) << reply.body;
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(endpoint->name() + "/secret", server.url());
}

TEST(HttpEndpoint, SendsLargeRequestsAtOnce) {
  const LoopbackServer server(always(reply_of("ok")));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(good(post_to(server, std::string(3'000'000, 'a'))).body, "ok");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(900)) << "no wait for '100 Continue'";
}

TEST(HttpEndpoint, BoundsReplies) {
  for (const bool is_announced : {true, false}) {
    std::atomic<std::size_t> size{990'000};
    const LoopbackServer server([&](Connection& connection) {
      while (!connection.request().empty()) {
        const std::string body(size, 'a');
        connection.send(is_announced ? reply_of(body) : "HTTP/1.1 200 OK\r\n\r\n" + body);
        if (!is_announced) return;
      }
    });
    const auto endpoint = good(open_http(server.url(), quick_settings()));
    EXPECT_EQ(good(endpoint->post("", kMostBytes)).body.size(), 990'000U);
    for (const std::size_t larger : {std::size_t{1'000'001}, std::size_t{10'000'000}}) {
      size = larger;
      EXPECT_EQ(verdict(endpoint->post("", kMostBytes)), "rpc.reply_size") << larger;
    }
    size = 7;
    EXPECT_EQ(good(endpoint->post("", kMostBytes)).body.size(), 7U) << "after a refusal";
  }
}

TEST(HttpEndpoint, ReadsChunks) {
  const LoopbackServer server(
      always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n"));
  EXPECT_EQ(good(post_to(server)).body, "abcde");
}

TEST(HttpEndpoint, DoesNotUnpackWhatItDidNotAskFor) {
  const LoopbackServer server(always("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"));
  EXPECT_EQ(good(post_to(server)).body, "abc");
}

TEST(HttpEndpoint, HandsOtherStatusesOnAndFollowsNoRedirections) {
  for (const char* status : {"200 OK", "400 Bad Request", "404 Not Found", "429 Too Many Requests", "503 Busy"}) {
    const LoopbackServer server(always(reply_of("why", status)));
    const HttpReply reply = good(post_to(server));
    EXPECT_EQ(reply.status, std::stoi(status));
    EXPECT_EQ(reply.body, "why");
  }
  const LoopbackServer server(
      always("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(good(post_to(server)).status, 302);
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpEndpoint, SaysThatNobodyAnswers) {
  const auto endpoint = good(open_http("http://127.0.0.1:1/secret", quick_settings()));
  const auto reply = endpoint->post("", kMostBytes);
  ASSERT_FALSE(reply);
  EXPECT_EQ(to_string(reply.error()), "rpc.transport: http://127.0.0.1:1: it cannot be reached; is the node running?");
}

// What a server may do for ever, before its reply's body or in it.
struct Flood {
  const char* name;
  std::string first;
  std::string then;  // again and again
  milliseconds pause{0};
  std::string verdict = "rpc.reply_size";
};

std::vector<Flood> floods() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string large(100'000, 'a');
  return {{"status line", "HTTP/1.1 200 ", large},
          {"status line that ends", "HTTP/1.1 200 " + std::string(70'000, 'a') + "\r\n\r\n", "a"},
          {"header line", ok + "X: ", large},
          {"headers", ok, "X: " + std::string(4000, 'a') + "\r\n"},
          {"short headers", ok, "a:b\r\n"},
          {"dripping header", ok + "X: ", "a", milliseconds(50), "rpc.transport"},
          {"dripping headers", ok, "a: b\r\n", milliseconds(50), "rpc.transport"},
          {"continue", "", "HTTP/1.1 100 Continue\r\n\r\n"},
          {"dripping continue", "", "HTTP/1.1 100 Continue\r\n\r\n", milliseconds(50), "rpc.transport"},
          {"chunk size", chunked + "1", std::string(100'000, '0'), milliseconds(0), "rpc.transport"},
          {"chunk extension", chunked + "1;", large, milliseconds(0), "rpc.transport"},
          {"trailers", chunked + "0\r\n", "X: " + std::string(4000, 'a') + "\r\n"},
          {"body", ok + "\r\n", large},
          {"dripping body", ok + "\r\n", "a", milliseconds(50), "rpc.transport"},
          {"silence", "", "", milliseconds(0), "rpc.transport"},
          {"no HTTP", "SSH-2.0-OpenSSH\r\n", large, milliseconds(0), "rpc.transport"}};
}

long most_memory_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(HttpEndpoint, OutlastsNoTimeNorMemoryWhateverAServerSends) {
  for (const Flood& flood : floods()) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    const LoopbackServer server([&](Connection& connection) {
      connection.request();
      bool is_open = connection.send(flood.first);
      while (is_open && std::chrono::steady_clock::now() < end) {
        is_open = flood.then.empty() ? !connection.request().empty() : connection.send(flood.then);
        std::this_thread::sleep_for(flood.pause);
      }
    });
    const long before = most_memory_kib();
    const auto begin = std::chrono::steady_clock::now();
    const auto reply = good(open_http(server.url(), quick_settings()))->post("{}", kMostBytes);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(1500)) << flood.name;
    ASSERT_EQ(verdict(reply), flood.verdict) << flood.name << (reply ? "" : reply.error().text);
    EXPECT_EQ(reply.error().text.find("secret"), std::string::npos) << reply.error().text;
    EXPECT_LT(most_memory_kib() - before, 32 << 10) << flood.name;
  }
}

TEST(HttpEndpoint, ComesBackToAServerThatClosedBetweenRequests) {
  const LoopbackServer server([](Connection& connection) {
    if (!connection.request().empty()) connection.send(reply_of("once"));
  });
  const auto endpoint = good(open_http(server.url(), quick_settings()));
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(good(endpoint->post("", kMostBytes)).body, "once");
    EXPECT_EQ(server.connections(), i);
  }
}

TEST(HttpEndpoint, SaysThatAReplyWasCut) {
  for (const std::string reply : {"", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"}) {
    const LoopbackServer server([&](Connection& connection) {
      if (!connection.request().empty()) connection.send(reply);
    });
    EXPECT_EQ(verdict(post_to(server)), "rpc.transport") << reply;
  }
}

TEST(HttpEndpoint, TrustsACertificateThatSomebodyVouchesForAndNoOther) {
  const OwnCertificate certificate;
  std::atomic<bool> was_asked{false};
  const LoopbackServer server([&](Connection& connection) {
    if (!connection.start_tls(certificate.context()) || connection.request().empty()) return;
    was_asked = true;
    connection.send(reply_of("hello"));
  });
  HttpSettings settings = quick_settings();
  const auto refused = good(open_http(server.url("https"), settings))->post("", kMostBytes);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("certificate is not trusted"), std::string::npos) << refused.error().text;
  EXPECT_FALSE(was_asked);
  settings.ca_file = certificate.file();
  EXPECT_EQ(good(good(open_http(server.url("https"), settings))->post("", kMostBytes)).body, "hello");
  settings.ca_file += ".none";
  EXPECT_EQ(verdict(good(open_http(server.url("https"), settings))->post("", kMostBytes)), "rpc.transport");
  const LoopbackServer plain(always(reply_of("hello")));
  EXPECT_EQ(verdict(good(open_http(plain.url("https"), settings))->post("", kMostBytes)), "rpc.transport");
}

// Where the process ends by SIGPIPE, so does the test.
TEST(HttpEndpoint, OutlivesServersThatResetConnections) {
  const OwnCertificate certificate;
  HttpSettings settings = quick_settings();
  settings.ca_file = certificate.file();
  for (const char* scheme : {"http", "https"}) {
    const LoopbackServer server([&](Connection& connection) {
      if (scheme == std::string("https") && !connection.start_tls(certificate.context())) return;
      if (connection.request().empty()) return;
      connection.send(reply_of("first"));
      std::this_thread::sleep_for(milliseconds(10));
      connection.reset();
    });
    const auto endpoint = good(open_http(server.url(scheme), settings));
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(good(endpoint->post("", kMostBytes)).body, "first");
      std::this_thread::sleep_for(milliseconds(30));
    }
    const LoopbackServer rude([&](Connection& connection) {
      if (scheme == std::string("https") && !connection.start_tls(certificate.context())) return;
      connection.reset();
    });
    EXPECT_EQ(verdict(good(open_http(rude.url(scheme), settings))->post(std::string(5'000'000, 'a'), kMostBytes)),
              "rpc.transport");
  }
}

TEST(HttpEndpoint, RefusesAddressesThatAreNone) {
  EXPECT_EQ(verdict(open_http("ws://host")), "rpc.url");
  EXPECT_EQ(good(open_http("https://node.example/v2/secret"))->name(), "https://node.example");
}

}  // namespace
}  // namespace avow::chain
