// SPDX-License-Identifier: Apache-2.0
#include "chain/key.hpp"

#include <openssl/rand.h>
#include <secp256k1_recovery.h>

#include <algorithm>
#include <memory>

#include "base/check.hpp"
#include "hash/keccak.hpp"

namespace avow::chain {
namespace {

struct ContextDeleter {
  void operator()(secp256k1_context* context) const { secp256k1_context_destroy(context); }
};

// Made once; signing with it changes nothing, so that threads may share it.
const secp256k1_context* curve() {
  static const auto kContext = [] {
    std::unique_ptr<secp256k1_context, ContextDeleter> context(secp256k1_context_create(SECP256K1_CONTEXT_NONE));
    // Blinds the arithmetic against side channels; without it signatures are as good.
    const auto seed = random_bytes(32);
    AVOW_CHECK(!seed || secp256k1_context_randomize(context.get(), seed.value().view().data()) == 1);
    return context;
  }();
  return kContext.get();
}

Address address_of(const secp256k1_pubkey& key) {
  std::array<std::uint8_t, 65> point{};
  std::size_t size = point.size();
  secp256k1_ec_pubkey_serialize(curve(), point.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
  const base::Digest digest = hash::keccak256(base::ByteView(point).subspan(1));
  Address address;
  std::copy(digest.begin() + 12, digest.end(), address.bytes.begin());
  return address;
}

// Whether s is above half of the order, in which case its negative would do as well.
bool is_high(const secp256k1_ecdsa_recoverable_signature& signature) {
  secp256k1_ecdsa_signature plain;
  secp256k1_ecdsa_recoverable_signature_convert(curve(), &plain, &signature);
  return secp256k1_ecdsa_signature_normalize(curve(), nullptr, &plain) == 1;
}

}  // namespace

Result<Secret> random_bytes(std::size_t size) {
  Secret bytes(size);
  if (RAND_bytes(bytes.data(), static_cast<int>(size)) != 1) {
    return fail(Cause::kKey, "the system gives no random bytes");
  }
  return bytes;
}

Result<PrivateKey> PrivateKey::from_bytes(base::ByteView bytes) {
  secp256k1_pubkey point;
  if (bytes.size() != 32 || secp256k1_ec_pubkey_create(curve(), &point, bytes.data()) != 1) {
    return fail(Cause::kKey, "a private key has 32 bytes, and is neither 0 nor the order of the curve or above");
  }
  return PrivateKey(Secret(bytes), address_of(point));
}

Result<PrivateKey> PrivateKey::generate() {
  // All but 2^-127 of the random bytes are keys.
  const auto bytes = random_bytes(32);
  if (!bytes) return base::Err{bytes.error()};
  return from_bytes(bytes.value().view());
}

Signature PrivateKey::sign(const base::Digest& digest) const {
  secp256k1_ecdsa_recoverable_signature made;
  AVOW_CHECK(secp256k1_ecdsa_sign_recoverable(curve(), &made, digest.data(), secret_.view().data(), nullptr, nullptr) ==
             1);
  std::array<std::uint8_t, 64> compact{};
  int recovery_id = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(curve(), compact.data(), &recovery_id, &made);
  Signature signature;
  std::copy_n(compact.begin(), 32, signature.r.begin());
  std::copy_n(compact.begin() + 32, 32, signature.s.begin());
  signature.y_parity = static_cast<std::uint8_t>(recovery_id & 1);
  return signature;
}

Result<Address> recover(const base::Digest& digest, const Signature& signature) {
  std::array<std::uint8_t, 64> compact{};
  std::copy(signature.r.begin(), signature.r.end(), compact.begin());
  std::copy(signature.s.begin(), signature.s.end(), compact.begin() + 32);
  secp256k1_ecdsa_recoverable_signature parsed;
  secp256k1_pubkey point;
  if (signature.y_parity > 1 ||
      secp256k1_ecdsa_recoverable_signature_parse_compact(curve(), &parsed, compact.data(), signature.y_parity) != 1 ||
      is_high(parsed) || secp256k1_ecdsa_recover(curve(), &point, &parsed, digest.data()) != 1) {
    return fail(Cause::kSignature, "nobody's signature, or one with a high s");
  }
  return address_of(point);
}

base::Bytes to_bytes(const Signature& signature) {
  base::Bytes bytes(signature.r.begin(), signature.r.end());
  base::append(bytes, signature.s);
  bytes.push_back(static_cast<std::uint8_t>(27 + signature.y_parity));
  return bytes;
}

Result<Signature> parse_signature(base::ByteView bytes) {
  if (bytes.size() != 65 || (bytes[64] != 27 && bytes[64] != 28)) {
    return fail(Cause::kSignature, "a signature has 65 bytes, the last of which is 27 or 28");
  }
  Signature signature;
  std::copy_n(bytes.begin(), 32, signature.r.begin());
  std::copy_n(bytes.begin() + 32, 32, signature.s.begin());
  signature.y_parity = static_cast<std::uint8_t>(bytes[64] - 27);
  return signature;
}

}  // namespace avow::chain
