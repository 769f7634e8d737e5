// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/hex.hpp"
#include "chain/error.hpp"

namespace avow::chain::testing {

/// The error's name, or "ok".
template <typename T>
std::string verdict(const Result<T>& result) {
  return result ? "ok" : name(result.error().cause);
}

/// The bytes of hexadecimal digits, between which there may be blanks.
inline base::Bytes hex(std::string text) {
  std::erase(text, ' ');
  const auto bytes = base::from_hex(text);
  EXPECT_TRUE(bytes.has_value()) << text;
  return bytes.value_or(base::Bytes{});
}

inline base::Digest digest(const std::string& text) {
  const base::Bytes bytes = hex(text);
  base::Digest result{};
  EXPECT_EQ(bytes.size(), result.size());
  std::copy_n(bytes.begin(), std::min(bytes.size(), result.size()), result.begin());
  return result;
}

/// The value of a result that is good.
template <typename T>
T good(Result<T> result) {
  EXPECT_TRUE(result.ok()) << (result ? "" : to_string(result.error()));
  return std::move(result).value();
}

/// A committed artifact's text: "AvowToken".
inline std::string artifact(const std::string& contract) {
  std::ifstream file(std::string(AVOW_SOURCE_DIR) + "/contracts/artifacts/" + contract + ".json");
  EXPECT_TRUE(file.is_open()) << contract;
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace avow::chain::testing
