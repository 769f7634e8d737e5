// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/bytes.hpp"

namespace avow::base::testing {

/// Bytes of a proof with one change, as files of vectors name it.
struct Change {
  int kind = 0;  ///< 0: a bit of the byte at `offset` is flipped; 1: 8 bytes are ones, more than any element; 2: cut
  std::size_t offset = 0;
  Bytes bytes;
};

/// Changes of each kind at places all over a proof, which consists of words of 8 bytes.
inline std::vector<Change> changes_of(const Bytes& proof) {
  constexpr std::size_t kPlaces = 24;
  std::vector<Change> changes;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    const std::size_t offset = proof.size() / 8 * i / kPlaces * 8;
    Bytes bytes = proof;
    bytes[offset + 7] ^= 1;
    changes.push_back({0, offset + 7, bytes});
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), 8, 0xff);
    changes.push_back({1, offset, bytes});
    bytes.resize(offset);
    changes.push_back({2, offset, bytes});
  }
  return changes;
}

}  // namespace avow::base::testing
