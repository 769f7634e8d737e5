// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "chain/address.hpp"
#include "chain/secret.hpp"

namespace avow::chain {

/// An ECDSA signature over secp256k1 of which the signer follows.
struct Signature {
  base::Digest r{};
  base::Digest s{};
  std::uint8_t y_parity = 0;  ///< 0 or 1; 27 less than the v that contracts take

  friend bool operator==(const Signature&, const Signature&) = default;
};

/// An account's private key. Wiped at the end, never copied.
class PrivateKey {
 public:
  /// Of 32 bytes, big-endian: from 1 to the order of the curve less 1.
  [[nodiscard]] static Result<PrivateKey> from_bytes(base::ByteView bytes);
  /// A new one from the system's randomness.
  [[nodiscard]] static Result<PrivateKey> generate();

  [[nodiscard]] const Address& address() const noexcept { return address_; }
  /// Deterministic (RFC 6979), with a low s.
  [[nodiscard]] Signature sign(const base::Digest& digest) const;
  /// For whoever encrypts it; not to be copied.
  [[nodiscard]] base::ByteView bytes() const noexcept { return secret_.view(); }

 private:
  PrivateKey(Secret secret, const Address& address) : secret_(std::move(secret)), address_(address) {}

  Secret secret_;
  Address address_;
};

/// Who signed: as EIP-2 wants it, signatures with a high s are refused.
[[nodiscard]] Result<Address> recover(const base::Digest& digest, const Signature& signature);

/// r, s, v: as contracts take signatures.
[[nodiscard]] base::Bytes to_bytes(const Signature& signature);
[[nodiscard]] Result<Signature> parse_signature(base::ByteView bytes);

/// Bytes from the system's generator.
[[nodiscard]] Result<Secret> random_bytes(std::size_t size);

}  // namespace avow::chain
