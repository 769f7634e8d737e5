// SPDX-License-Identifier: Apache-2.0
#include "chain/url.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace avow::chain {
namespace {

constexpr std::size_t kMostHostBytes = 253;  // of a name in the DNS
constexpr std::size_t kMostPortDigits = 5;

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= kMostHostBytes && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  });
}

bool is_bracketed_address(std::string_view host) {
  in6_addr address{};
  return host.size() > 2 && host.back() == ']' &&
         ::inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &address) == 1;
}

bool is_port(std::string_view digits) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return digits.size() <= kMostPortDigits && error == std::errc() && end == digits.data() + digits.size() &&
         port >= 1 && port <= 65535;
}

const char* why_no_authority(std::string_view authority) {
  if (authority.empty() || authority[0] == ':') return "has no host";
  if (authority.find('@') != std::string_view::npos) return "has a user name, which is not taken";
  const bool is_bracketed = authority[0] == '[';
  const std::size_t end_of_host =
      std::min(authority.find(':', is_bracketed ? authority.find(']') : 0), authority.size());
  const std::string_view host = authority.substr(0, end_of_host);
  if (is_bracketed ? !is_bracketed_address(host) : !is_host_name(host)) return "has a host that is none";
  if (end_of_host < authority.size() && !is_port(authority.substr(end_of_host + 1))) {
    return "has a port that is no number from 1 to 65535";
  }
  return nullptr;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto refuse = [](const char* why) {
    return fail(Cause::kUrl, fmt::format("the node's address {}; it looks like http://127.0.0.1:8545", why));
  };
  if (!text.starts_with("http://") && !text.starts_with("https://"))
    return refuse("starts neither with http:// nor https://");
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c >= 0x7f; })) {
    return refuse("has blanks or characters that are no ASCII");
  }
  if (text.find('#') != std::string_view::npos) return refuse("has a fragment (#)");
  const std::size_t host = text.find("//") + 2;
  const std::size_t end = std::min(text.find_first_of("/?", host), text.size());
  if (const char* why = why_no_authority(text.substr(host, end - host))) return refuse(why);
  std::string origin(text.substr(0, end));
  const std::string_view path = text.substr(end);
  std::string whole = origin + (path.starts_with('/') ? "" : "/") + std::string(path);
  return Url{std::move(origin), std::move(whole)};
}

}  // namespace avow::chain
