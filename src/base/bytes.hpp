// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace avow::base {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
/// 32 bytes: Keccak-256 digests, Merkle nodes, ids.
using Digest = std::array<std::uint8_t, 32>;

inline std::uint64_t byteswap64(std::uint64_t v) noexcept { return __builtin_bswap64(v); }

/// Unsigned big-endian load of 8 bytes (the encoding of field elements and of all integers in our formats).
inline std::uint64_t load_be64(const std::uint8_t* bytes) noexcept {
  std::uint64_t v;
  std::memcpy(&v, bytes, sizeof v);
  return byteswap64(v);
}
inline void store_be64(std::uint8_t* bytes, std::uint64_t v) noexcept {
  v = byteswap64(v);
  std::memcpy(bytes, &v, sizeof v);
}
inline std::uint32_t load_be32(const std::uint8_t* bytes) noexcept {
  std::uint32_t v;
  std::memcpy(&v, bytes, sizeof v);
  return __builtin_bswap32(v);
}
inline void store_be32(std::uint8_t* bytes, std::uint32_t v) noexcept {
  v = __builtin_bswap32(v);
  std::memcpy(bytes, &v, sizeof v);
}

inline void append(Bytes& out, ByteView bytes) {
  const std::size_t old = out.size();
  out.resize(old + bytes.size());
  if (!bytes.empty()) std::memcpy(out.data() + old, bytes.data(), bytes.size());
}
inline void append_be64(Bytes& out, std::uint64_t v) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(v >> shift));
}
inline void append_be32(Bytes& out, std::uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(v >> shift));
}

}  // namespace avow::base
