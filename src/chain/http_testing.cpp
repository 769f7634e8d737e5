// SPDX-License-Identifier: Apache-2.0
#include "chain/http_testing.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "chain/sigpipe.hpp"

namespace avow::chain::testing {
namespace {

constexpr timeval kPatience{5, 0};

// Of a message's headers, as clients of these tests write them.
std::size_t content_length(const std::string& message) {
  std::string lower = message;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::size_t at = lower.find("content-length: ");
  return at == std::string::npos ? 0 : std::strtoul(lower.c_str() + at + 16, nullptr, 10);
}

}  // namespace

Connection::Connection(int socket) : socket_(socket) {
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  const int at_once = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
}

Connection::~Connection() {
  if (tls_ != nullptr) SSL_free(tls_);
  if (socket_ >= 0) ::close(socket_);
}

bool Connection::start_tls(SSL_CTX* context) {
  tls_ = SSL_new(context);
  SSL_set_fd(tls_, socket_);
  return SSL_accept(tls_) == 1;
}

long Connection::read(char* to, std::size_t size) {
  return tls_ == nullptr ? ::recv(socket_, to, size, 0) : SSL_read(tls_, to, static_cast<int>(size));
}

std::string Connection::request() {
  std::string message;
  std::string part(1 << 16, '\0');
  std::size_t end = std::string::npos;
  while (end == std::string::npos || message.size() < end + 4 + content_length(message.substr(0, end))) {
    const long size = read(part.data(), part.size());
    if (size <= 0) return {};
    message.append(part, 0, static_cast<std::size_t>(size));
    end = message.find("\r\n\r\n");
  }
  return message;
}

bool Connection::send(std::string_view text) {
  while (!text.empty()) {
    const long sent = tls_ == nullptr ? ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL)
                                      : SSL_write(tls_, text.data(), static_cast<int>(text.size()));
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Connection::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket_);
  socket_ = -1;
}

LoopbackServer::LoopbackServer(Serve serve) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_EQ(::listen(listener_, 8), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this, serve = std::move(serve)] {
    const SigpipeGuard guard;  // TLS writes to clients that have gone
    for (int socket; (socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      ++connections_;
      Connection connection(socket);
      serve(connection);
    }
  });
}

LoopbackServer::~LoopbackServer() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

std::string LoopbackServer::url(const char* scheme) const {
  return std::string(scheme) + "://127.0.0.1:" + std::to_string(port_) + "/secret";
}

OwnCertificate::OwnCertificate() : context_(SSL_CTX_new(TLS_server_method())) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);  // the third: such numbers start at 0
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("node"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> name(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1"), &X509_EXTENSION_free);
  X509_add_ext(certificate.get(), name.get(), -1);
  EXPECT_NE(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  EXPECT_EQ(SSL_CTX_use_certificate(context_, certificate.get()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context_, key.get()), 1);
  file_ = (std::filesystem::temp_directory_path() / "avow-ca.XXXXXX").string();
  FILE* file = ::fdopen(::mkstemp(file_.data()), "w");
  EXPECT_EQ(PEM_write_X509(file, certificate.get()), 1);
  EXPECT_EQ(std::fclose(file), 0);
}

OwnCertificate::~OwnCertificate() {
  SSL_CTX_free(context_);
  std::filesystem::remove(file_);
}

std::string reply_of(std::string_view body, std::string_view status) {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

}  // namespace avow::chain::testing
