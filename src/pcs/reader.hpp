// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "field/extension.hpp"

namespace avow::pcs {

/// Why a Reader could not go on.
enum class ReadError : std::uint8_t {
  kTruncated,     ///< fewer bytes are left than were asked for
  kNonCanonical,  ///< a field element of p or more
};

/// Forward reader of untrusted bytes: the first failure sticks, later reads give zeros.
class Reader {
 public:
  explicit Reader(base::ByteView bytes) : rest_(bytes) {}

  [[nodiscard]] std::optional<ReadError> failure() const noexcept { return failure_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return rest_.size(); }
  /// Whether `count` bytes are left; a failure otherwise. Asked before anything is allocated for them.
  bool has(std::size_t count) {
    if (rest_.size() < count) fail(ReadError::kTruncated);
    return !failure_;
  }

  base::ByteView bytes(std::size_t count) {
    if (!has(count)) return {};
    const base::ByteView result = rest_.first(count);
    rest_ = rest_.subspan(count);
    return result;
  }
  base::Digest digest() {
    base::Digest d{};
    const base::ByteView b = bytes(d.size());
    if (!b.empty()) std::copy(b.begin(), b.end(), d.begin());
    return d;
  }
  std::uint32_t be32() {
    const base::ByteView b = bytes(4);
    return b.empty() ? 0 : base::load_be32(b.data());
  }
  std::uint64_t be64() {
    const base::ByteView b = bytes(8);
    return b.empty() ? 0 : base::load_be64(b.data());
  }
  field::Fp3 element() {
    const base::ByteView b = bytes(field::kFp3Bytes);
    return b.empty() ? field::Fp3() : element_at(b.data());
  }
  /// The element at the start of bytes that were read already.
  field::Fp3 element_at(const std::uint8_t* bytes) { return canonical(field::decode_fp3(bytes)); }
  field::Fp base_at(const std::uint8_t* bytes) { return canonical(field::decode_fp(bytes)); }

 private:
  template <typename F>
  F canonical(const std::optional<F>& x) {
    if (!x) fail(ReadError::kNonCanonical);
    return x.value_or(F());
  }
  void fail(ReadError error) {
    if (!failure_) failure_ = error;
  }

  base::ByteView rest_;
  std::optional<ReadError> failure_;
};

}  // namespace avow::pcs
