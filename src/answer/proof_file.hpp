// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "answer/error.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace avow::answer {

inline constexpr std::array<std::uint8_t, 8> kProofFileMagic = {'A', 'V', 'O', 'W', '\r', '\n', 0x1a, 'P'};
inline constexpr std::uint32_t kProofFileVersion = 1;
inline constexpr std::size_t kMaxDeliveryBytes = std::size_t{1} << 24;
inline constexpr std::size_t kMaxProofBytes = std::size_t{1} << 24;

/// What `avow prove` writes and `avow verify` reads: all that a check of answers takes. The key is whoever's wrote the
/// file: a reader who means a certain model compares its id.
struct ProofFile {
  base::Bytes key, delivery, proof;
  friend bool operator==(const ProofFile&, const ProofFile&) = default;
};

/// The bytes of spec/answer.md section 6. Requires parts within their caps.
[[nodiscard]] base::Bytes encode(const ProofFile& file);
/// The file that has exactly these bytes; untrusted bytes, and so are its parts.
[[nodiscard]] base::Result<ProofFile, Rejection> parse_proof_file(base::ByteView bytes);

}  // namespace avow::answer
