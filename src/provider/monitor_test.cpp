// SPDX-License-Identifier: Apache-2.0
#include "provider/monitor.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "provider/log.hpp"
#include "provider/metrics.hpp"
#include "provider/worker.hpp"

namespace avow::provider {
namespace {

constexpr std::uint32_t kOtherLoopback = INADDR_LOOPBACK + 1;

// A connection from an address of this machine.
std::unique_ptr<base::Descriptor> connect_to(std::uint16_t port, std::uint32_t from = INADDR_LOOPBACK) {
  auto connection = std::make_unique<base::Descriptor>(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(from);
  EXPECT_EQ(::bind(connection->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(connection->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return connection;
}

// What a server says to these bytes.
std::string say_to(std::uint16_t port, const std::string& request, std::uint32_t from = INADDR_LOOPBACK) {
  const auto connection = connect_to(port, from);
  EXPECT_EQ(::send(connection->get(), request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string reply;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t n = ::recv(connection->get(), buffer.data(), buffer.size(), 0);
    if (n <= 0) return reply;
    reply.append(buffer.data(), static_cast<std::size_t>(n));
  }
}
std::string get(std::uint16_t port, const std::string& path, std::uint32_t from = INADDR_LOOPBACK) {
  return say_to(port, "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", from);
}

TEST(Monitor, SaysHowItIs) {
  auto made = Monitor::listen("127.0.0.1:0");
  ASSERT_TRUE(made) << made.error();
  Monitor& monitor = *made.value();
  const std::uint16_t port = monitor.port();
  EXPECT_TRUE(get(port, "/healthz").starts_with("HTTP/1.1 503")) << "nothing was said yet";
  monitor.tell("avow_provider_proofs_total 3\n", "", 60'000);
  EXPECT_TRUE(get(port, "/healthz").starts_with("HTTP/1.1 200"));
  const std::string metrics = get(port, "/metrics?format=x");
  EXPECT_TRUE(metrics.starts_with("HTTP/1.1 200")) << metrics;
  EXPECT_NE(metrics.find("avow_provider_proofs_total 3\n"), std::string::npos);
  EXPECT_NE(metrics.find("version=0.0.4"), std::string::npos);
  monitor.tell("", "the chain was not read", 60'000);
  const std::string ill = get(port, "/healthz");
  EXPECT_TRUE(ill.starts_with("HTTP/1.1 503")) << ill;
  EXPECT_NE(ill.find("the chain was not read"), std::string::npos);
  monitor.tell("", "", 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(monitor.answer("GET", "/healthz").status, 503U) << "who says nothing any more is not well";
  EXPECT_EQ(monitor.answer("GET", "/").status, 404U);
  EXPECT_EQ(monitor.answer("POST", "/metrics").status, 405U);
}

TEST(Monitor, TakesNothingFromAnybody) {
  auto made = Monitor::listen("127.0.0.1:0");
  ASSERT_TRUE(made) << made.error();
  const std::uint16_t port = made.value()->port();
  made.value()->tell("", "", 60'000);
  const std::string body(100'000, 'x');
  (void)say_to(port, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n" + body);
  (void)say_to(port, "GET /" + std::string(60'000, 'a') + " HTTP/1.1\r\nConnection: close\r\n\r\n");
  (void)say_to(port, "\r\n\r\nnonsense\r\n\r\n");
  EXPECT_TRUE(get(port, "/healthz").starts_with("HTTP/1.1 200"));
}

TEST(Monitor, IsNotKeptBusyByOneWhoSaysNothing) {
  auto made = Monitor::listen("127.0.0.1:0");
  ASSERT_TRUE(made) << made.error();
  const std::uint16_t port = made.value()->port();
  made.value()->tell("", "", 60'000);
  std::vector<std::unique_ptr<base::Descriptor>> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(connect_to(port));
  EXPECT_TRUE(get(port, "/healthz", kOtherLoopback).starts_with("HTTP/1.1 200"));
}

TEST(Monitor, RefusesAddressesThatAreNone) {
  for (const char* text : {"", "9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:1x", "localhost:1",
                           "[::1:80", ":80", "256.0.0.1:80"}) {
    EXPECT_FALSE(Monitor::listen(text)) << text;
  }
  auto first = Monitor::listen("127.0.0.1:0");
  ASSERT_TRUE(first);
  EXPECT_FALSE(Monitor::listen("127.0.0.1:" + std::to_string(first.value()->port()))) << "somebody is there";
}

TEST(Metrics, AreWhatPrometheusReads) {
  Metrics metrics;
  metrics.locks_won = 2;
  metrics.prove_millis = 1'250;
  metrics.earnings = *multiply(chain::U256(1'500'000'000'000'000'000), 1);
  metrics.last_margin_secs = -3;
  metrics.least_margin_secs = -3;
  metrics.jobs_by_stage[0] = 4;
  const std::string text = to_text(metrics);
  for (const char* line : {"avow_provider_locks_total{result=\"won\"} 2\n", "avow_provider_prove_seconds_total 1.25\n",
                           "avow_provider_earnings_tokens_total 1.5\n", "avow_provider_deadline_margin_seconds -3\n",
                           "avow_provider_jobs{stage=\"seen\"} 4\n", "# TYPE avow_provider_head_block gauge\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  EXPECT_EQ(to_text(Metrics()).find("margin"), std::string::npos) << "of nothing there is none";
  // Every line is a comment or a name, labels and a number; each name has its type once.
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = text.find('\n', start);
    ASSERT_NE(end, std::string::npos);
    const std::string line = text.substr(start, end - start);
    EXPECT_TRUE(line.starts_with("# ") || line.starts_with("avow_provider_")) << line;
    start = end + 1;
  }
}

TEST(Log, WritesLinesThatMachinesRead) {
  std::vector<std::string> lines;
  const auto keep = [&](const std::string& line) { lines.push_back(line); };
  const Log text(LogFormat::kLogfmt, keep);
  text.info("job.seen", {{"block", std::uint64_t{7}}, {"why", "a \"b\""}, {"price", chain::U256(5)}}, "two words");
  EXPECT_EQ(lines.at(0), R"(code=job.seen block=7 why="a \"b\"" price=0.000000000000000005 msg="two words")");
  const Log json(LogFormat::kJson, keep);
  json.warning("job.lost", {{"block", ~std::uint64_t{0}}, {"why", "x\n\x1b[31m"}});
  EXPECT_EQ(lines.at(1), R"("code":"job.lost","block":18446744073709551615,"why":"x??[31m")");
}

TEST(Worker, DoesOneThingAtATime) {
  Worker worker;
  EXPECT_TRUE(worker.is_idle());
  std::atomic<int> done = 0;
  worker.start([&](const std::atomic<bool>&) { ++done; });
  while (!worker.is_idle()) worker.wait(std::chrono::milliseconds(100));
  EXPECT_EQ(done, 1);
  worker.start([&](const std::atomic<bool>& cancelled) {
    while (!cancelled) std::this_thread::yield();
    ++done;
  });
  EXPECT_FALSE(worker.is_idle());
  worker.cancel();
  while (!worker.is_idle()) worker.wait(std::chrono::milliseconds(100));
  EXPECT_EQ(done, 2);
  worker.start([](const std::atomic<bool>& cancelled) {
    while (!cancelled) std::this_thread::yield();
  });
}

}  // namespace
}  // namespace avow::provider
