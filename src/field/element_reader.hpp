// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "field/extension.hpp"

namespace avow::field {

/// Reads untrusted bytes whose number was checked before: elements one after the other, and no more than there are.
/// That one of them was not canonical sticks; it reads as zero, and later reads go on.
class ElementReader {
 public:
  explicit ElementReader(base::ByteView bytes) : rest_(bytes) {}

  /// Whether every element so far was canonical. To be asked before any of them is used.
  [[nodiscard]] bool canonical() const noexcept { return canonical_; }
  Fp3 element() {
    AVOW_CHECK(rest_.size() >= kFp3Bytes);
    const auto x = decode_fp3(rest_.data());
    rest_ = rest_.subspan(kFp3Bytes);
    if (!x) canonical_ = false;
    return x.value_or(Fp3());
  }
  std::vector<Fp3> elements(std::size_t count) {
    std::vector<Fp3> list(count);
    for (Fp3& x : list) x = element();
    return list;
  }

 private:
  base::ByteView rest_;
  bool canonical_ = true;
};

}  // namespace avow::field
