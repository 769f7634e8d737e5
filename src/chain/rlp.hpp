// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "chain/uint256.hpp"

namespace avow::chain {

/// An item of RLP (Yellow Paper, appendix B): bytes, or a list of items.
struct Rlp {
  bool is_list = false;
  base::Bytes bytes;       ///< empty for lists
  std::vector<Rlp> items;  ///< empty for bytes

  [[nodiscard]] static Rlp string(base::ByteView bytes);
  /// Big-endian without leading zeros.
  [[nodiscard]] static Rlp number(const U256& value);
  [[nodiscard]] static Rlp list(std::vector<Rlp> items);

  friend bool operator==(const Rlp&, const Rlp&) = default;
};

[[nodiscard]] base::Bytes encode(const Rlp& item);

inline constexpr std::size_t kMostRlpDepth = 16;
inline constexpr std::size_t kMostRlpItems = 1 << 16;

/// Exactly one item, in the one form that it has: what is read encodes to the bytes again.
[[nodiscard]] Result<Rlp> decode_rlp(base::ByteView bytes);

/// The number that bytes are: not more than 32, and no leading zeros.
[[nodiscard]] Result<U256> number_of(const Rlp& item);

}  // namespace avow::chain
