// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "chain/error.hpp"

namespace avow::chain {

/// The address of a node.
struct Url {
  std::string origin;  ///< scheme, host and port: what messages may show
  std::string whole;   ///< with the path, which often holds a secret
};

/// http://host[:port][/path], or https://...; the host is a name or an address, IPv6 in brackets. Errors: kUrl, without
/// the text.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace avow::chain
