// SPDX-License-Identifier: Apache-2.0
#include "chain/url.hpp"

#include <gtest/gtest.h>

#include "chain/chain_testing.hpp"

namespace avow::chain {
namespace {

using testing::good;
using testing::verdict;

TEST(NodeUrl, KeepsWhatMessagesMayShowApart) {
  EXPECT_EQ(good(parse_url("https://node.example/v2/secret")).origin, "https://node.example");
  EXPECT_EQ(good(parse_url("https://node.example/v2/secret")).whole, "https://node.example/v2/secret");
  EXPECT_EQ(good(parse_url("http://127.0.0.1:8545?key=secret")).origin, "http://127.0.0.1:8545");
  EXPECT_EQ(good(parse_url("http://127.0.0.1:8545?key=secret")).whole, "http://127.0.0.1:8545/?key=secret");
  EXPECT_EQ(good(parse_url("http://[::1]:1/a")).origin, "http://[::1]:1");
  EXPECT_EQ(good(parse_url("http://eth_node-1")).whole, "http://eth_node-1/");
}

TEST(NodeUrl, RefusesWhatIsNone) {
  for (const char* url :
       {"", "127.0.0.1:8545", "ftp://a", "ws://host", "http://", "http://:1", "http:///path", "http://user@host",
        "http://user:secret@host", "http://host/a b", "http://host/#a", "http://host\\@other", "http://h%6fst",
        "http://[]", "http://[::1", "http://[::1]x", "http://[secret]", "http://[::1%25eth0]", "http://::1"}) {
    EXPECT_EQ(verdict(parse_url(url)), "rpc.url") << url;
  }
  const auto refused = parse_url("https://host:port/v2/secret");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text.find("secret"), std::string::npos) << refused.error().text;
}

TEST(NodeUrl, BoundsHostAndPort) {
  EXPECT_EQ(verdict(parse_url("http://" + std::string(253, 'a'))), "ok");
  EXPECT_EQ(verdict(parse_url("http://" + std::string(254, 'a'))), "rpc.url");
  EXPECT_EQ(verdict(parse_url("http://" + std::string(1'000'000, 'a') + ":1/")), "rpc.url");
  for (const char* port : {"1", "80", "65535", "00080"}) {
    EXPECT_EQ(verdict(parse_url(std::string("http://h:") + port)), "ok") << port;
  }
  for (const char* port : {"", "0", "65536", "000080", "99999999999999999999999", "-1", "+1", "8a", "1:1", "0x50"}) {
    EXPECT_EQ(verdict(parse_url(std::string("http://h:") + port)), "rpc.url") << port;
    EXPECT_EQ(verdict(parse_url(std::string("http://[::1]:") + port)), "rpc.url") << port;
  }
}

}  // namespace
}  // namespace avow::chain
