// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.hpp"

namespace avow::hash {

/// Keccak-256 with the original padding byte 0x01 (FIPS 202's SHA3-256 uses 0x06): Ethereum's hash, EVM opcode 0x20.
[[nodiscard]] base::Digest keccak256(base::ByteView message) noexcept;

/// Hashes `count` rows of `row_len` field elements: digests[i] = keccak256 of the 8-byte big-endian encodings of
/// rows[i * stride .. i * stride + row_len). Merkle leaves. Batched over rows with SIMD, one thread.
void keccak256_rows(const std::uint64_t* rows, std::size_t row_len, std::size_t stride, std::size_t count,
                    base::Digest* digests) noexcept;

/// digests[i] = keccak256(children[2i] || children[2i+1]) for i < pairs. Inner Merkle nodes. SIMD, one thread.
void keccak256_pairs(const base::Digest* children, std::size_t pairs, base::Digest* digests) noexcept;

/// Proof-of-work search: the smallest nonce in [begin, begin + count) such that keccak256(prefix || nonce as 8 bytes
/// big-endian) starts with `bits` zero bits, or nothing. prefix.size() <= 120, so that the message is one block. SIMD,
/// one thread.
[[nodiscard]] std::optional<std::uint64_t> find_nonce(base::ByteView prefix, unsigned bits, std::uint64_t begin,
                                                      std::uint64_t count) noexcept;

/// Whether the digest, read as a big-endian number, starts with `bits` zero bits (bits <= 64).
[[nodiscard]] bool has_leading_zeros(const base::Digest& digest, unsigned bits) noexcept;

}  // namespace avow::hash
