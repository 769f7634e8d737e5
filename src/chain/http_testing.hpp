// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace avow::chain::testing {

/// A connection as a server has it. Nothing waits longer than five seconds.
class Connection {
 public:
  explicit Connection(int socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// From now on by TLS.
  bool start_tls(SSL_CTX* context);
  /// A request with its headers and body; empty when the client has closed.
  std::string request();
  /// False when the client takes no more.
  bool send(std::string_view text);
  /// Ends the connection so that the client's writing fails.
  void reset();

 private:
  long read(char* to, std::size_t size);

  int socket_;
  SSL* tls_ = nullptr;
};

/// A server on a free port of this machine that does to each connection, one after the other, what a test says.
class LoopbackServer {
 public:
  using Serve = std::function<void(Connection&)>;
  explicit LoopbackServer(Serve serve);
  /// Ends it; clients that still have a connection are waited for.
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  [[nodiscard]] std::string url(const char* scheme = "http") const;
  [[nodiscard]] int connections() const { return connections_; }

 private:
  int listener_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

/// A certificate of 127.0.0.1 that nobody vouches for, and a file that does.
class OwnCertificate {
 public:
  OwnCertificate();
  ~OwnCertificate();
  OwnCertificate(const OwnCertificate&) = delete;
  OwnCertificate& operator=(const OwnCertificate&) = delete;

  [[nodiscard]] SSL_CTX* context() const { return context_; }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  SSL_CTX* context_;
  std::string file_;
};

/// A whole reply with this body.
std::string reply_of(std::string_view body, std::string_view status = "200 OK");

}  // namespace avow::chain::testing
