// SPDX-License-Identifier: Apache-2.0
#include "chain/keystore.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <optional>

#include "base/hex.hpp"
#include "chain/json.hpp"
#include "hash/keccak.hpp"

namespace avow::chain {
namespace {

constexpr std::size_t kDerivedBytes = 32;  // 16 of the cipher's key, 16 of the checksum's
constexpr std::size_t kIvBytes = 16;
constexpr std::size_t kMostSaltBytes = 1024;
constexpr std::size_t kMostKeystoreDepth = 8;

base::Err<Error> no_keystore(std::string_view what) {
  return fail(Cause::kKeystore, fmt::format("no key file of Web3 Secret Storage, version 3: {}", what));
}

base::Err<Error> too_costly(std::string_view what) {
  return fail(Cause::kKeystoreCost, fmt::format("the key derivation is refused: {}", what));
}

Result<base::Bytes> hex_member(const Json& json, const char* key, std::size_t least, std::size_t most) {
  const std::string* text = string_member(json, key);
  auto bytes = text == nullptr ? std::nullopt : base::from_hex(*text);
  if (!bytes || bytes->size() < least || bytes->size() > most) {
    return no_keystore(fmt::format("'{}' is not {} to {} bytes of hexadecimal", key, least, most));
  }
  return std::move(*bytes);
}

Result<std::uint64_t> number_member(const Json& json, const char* key) {
  const Json* found = member(json, key);
  if (found == nullptr || !found->is_number_unsigned()) return no_keystore(fmt::format("'{}' is no number", key));
  return found->get<std::uint64_t>();
}

Result<Secret> scrypt(const Secret& passphrase, base::ByteView salt, const ScryptCost& cost) {
  const auto [n, r, p] = cost;
  constexpr std::uint64_t kUnit = 128;
  if (n < 2 || !std::has_single_bit(n) || r == 0 || p == 0) return no_keystore("n is no power of two, or r or p is 0");
  // Each number is bounded before it is a factor or a term.
  if (n > kMostScryptBytes / kUnit || r > kMostScryptBlocks || p > kMostScryptBlocks / r ||
      kUnit * r * (n + p + 2) > kMostScryptBytes || kUnit * n * r * p > kMostScryptWork) {
    return too_costly(fmt::format("scrypt with n = {}, r = {}, p = {}", n, r, p));
  }
  // RFC 7914, section 2, which OpenSSL keeps to.
  if (r < 4 && n >= std::uint64_t{1} << (16 * r)) return no_keystore("n is not below 2^(16 r)");
  Secret derived(kDerivedBytes);
  const std::uint64_t memory = kUnit * r * (n + p + 2) + 4096;
  if (EVP_PBE_scrypt(passphrase.text().data(), passphrase.size(), salt.data(), salt.size(), n, r, p, memory,
                     derived.data(), derived.size()) != 1) {
    return too_costly("scrypt has not enough memory, or takes no such parameters");
  }
  return derived;
}

Result<Secret> pbkdf2(const Secret& passphrase, base::ByteView salt, std::uint64_t rounds) {
  if (rounds == 0) return no_keystore("'c' is 0");
  if (rounds > kMostPbkdf2Rounds) return too_costly(fmt::format("{} rounds of PBKDF2", rounds));
  Secret derived(kDerivedBytes);
  if (PKCS5_PBKDF2_HMAC(passphrase.text().data(), static_cast<int>(passphrase.size()), salt.data(),
                        static_cast<int>(salt.size()), static_cast<int>(rounds), EVP_sha256(),
                        static_cast<int>(derived.size()), derived.data()) != 1) {
    return too_costly("PBKDF2 takes no such parameters");
  }
  return derived;
}

Result<Secret> derive(const Json& crypto, const Secret& passphrase) {
  const std::string* kdf = string_member(crypto, "kdf");
  const Json* params = member(crypto, "kdfparams");
  if (kdf == nullptr || params == nullptr) return no_keystore("'kdf' or 'kdfparams' is missing");
  const auto salt = hex_member(*params, "salt", 1, kMostSaltBytes);
  if (!salt) return base::Err{salt.error()};
  const auto size = number_member(*params, "dklen");
  if (!size) return base::Err{size.error()};
  if (size.value() != kDerivedBytes) return no_keystore("'dklen' is not 32");
  if (*kdf == "scrypt") {
    const auto n = number_member(*params, "n");
    const auto r = number_member(*params, "r");
    const auto p = number_member(*params, "p");
    for (const auto* number : {&n, &r, &p}) {
      if (!*number) return base::Err{number->error()};
    }
    return scrypt(passphrase, salt.value(), {n.value(), r.value(), p.value()});
  }
  const std::string* prf = string_member(*params, "prf");
  if (*kdf != "pbkdf2" || prf == nullptr || *prf != "hmac-sha256") {
    return no_keystore("the derivation is neither scrypt nor pbkdf2 with hmac-sha256");
  }
  const auto rounds = number_member(*params, "c");
  if (!rounds) return base::Err{rounds.error()};
  return pbkdf2(passphrase, salt.value(), rounds.value());
}

// AES-128-CTR: the same both ways.
Result<Secret> apply_cipher(base::ByteView key, base::ByteView iv, base::ByteView text) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
  Secret result(text.size());
  int written = 0;
  if (context == nullptr || EVP_EncryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, key.data(), iv.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), result.data(), &written, text.data(), static_cast<int>(text.size())) != 1 ||
      static_cast<std::size_t>(written) != text.size()) {
    return fail(Cause::kKeystore, "OpenSSL does not offer AES-128-CTR");
  }
  return result;
}

// What a wrong passphrase is found out by.
base::Digest checksum(const Secret& derived, base::ByteView ciphertext) {
  const base::ByteView second_half = derived.view().subspan(16);
  Secret bytes(second_half.size() + ciphertext.size());
  std::copy(ciphertext.begin(), ciphertext.end(), std::copy(second_half.begin(), second_half.end(), bytes.data()));
  return hash::keccak256(bytes.view());
}

// A random UUID (version 4).
std::string uuid(base::ByteView random) {
  base::Bytes bytes(random.begin(), random.end());
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  const std::string digits = base::to_hex(bytes);
  const std::string_view text = digits;
  return fmt::format("{}-{}-{}-{}-{}", text.substr(0, 8), text.substr(8, 4), text.substr(12, 4), text.substr(16, 4),
                     text.substr(20));
}

struct Encrypted {
  base::Bytes iv;
  base::Bytes ciphertext;
  base::Bytes mac;
};

Result<Encrypted> read_encrypted(const Json& crypto) {
  const std::string* cipher = string_member(crypto, "cipher");
  const Json* params = member(crypto, "cipherparams");
  if (cipher == nullptr || *cipher != "aes-128-ctr" || params == nullptr) {
    return no_keystore("the cipher is not aes-128-ctr");
  }
  auto iv = hex_member(*params, "iv", kIvBytes, kIvBytes);
  auto ciphertext = hex_member(crypto, "ciphertext", 32, 32);
  auto mac = hex_member(crypto, "mac", 32, 32);
  for (const auto* part : {&iv, &ciphertext, &mac}) {
    if (!*part) return base::Err{part->error()};
  }
  return Encrypted{std::move(iv).value(), std::move(ciphertext).value(), std::move(mac).value()};
}

// The account that the file names, if it does.
Result<std::optional<base::Bytes>> read_named_address(const Json& json) {
  if (member(json, "address") == nullptr) return std::optional<base::Bytes>();
  auto address = hex_member(json, "address", 20, 20);
  if (!address) return base::Err{address.error()};
  return std::optional<base::Bytes>(std::move(address).value());
}

}  // namespace

Result<std::string> encrypt_key(const PrivateKey& key, const Secret& passphrase, const ScryptCost& cost) {
  const auto random = random_bytes(32 + kIvBytes + 16);
  if (!random) return base::Err{random.error()};
  const base::ByteView salt = random.value().view().first(32);
  const base::ByteView iv = random.value().view().subspan(32, kIvBytes);
  const auto derived = scrypt(passphrase, salt, cost);
  if (!derived) return base::Err{derived.error()};
  const auto ciphertext = apply_cipher(derived.value().view().first(16), iv, key.bytes());
  if (!ciphertext) return base::Err{ciphertext.error()};
  const base::ByteView cipher_bytes = ciphertext.value().view();
  const Json json = {
      {"version", 3},
      {"id", uuid(random.value().view().last(16))},
      {"address", base::to_hex(key.address().bytes)},
      {"crypto",
       {{"cipher", "aes-128-ctr"},
        {"cipherparams", {{"iv", base::to_hex(iv)}}},
        {"ciphertext", base::to_hex(cipher_bytes)},
        {"kdf", "scrypt"},
        {"kdfparams",
         {{"dklen", kDerivedBytes}, {"n", cost.n}, {"r", cost.r}, {"p", cost.p}, {"salt", base::to_hex(salt)}}},
        {"mac", base::to_hex(checksum(derived.value(), cipher_bytes))}}}};
  return to_text(json);
}

Result<PrivateKey> decrypt_key(std::string_view json, const Secret& passphrase) {
  const auto parsed = parse_json(json, kMostKeystoreDepth);
  if (!parsed) return base::Err{parsed.error()};
  const auto version = number_member(parsed.value(), "version");
  if (!version || version.value() != 3) return no_keystore("'version' is not 3");
  // geth once wrote it with a capital letter.
  const Json* crypto = member(parsed.value(), "crypto");
  if (crypto == nullptr) crypto = member(parsed.value(), "Crypto");
  if (crypto == nullptr) return no_keystore("'crypto' is missing");
  const auto encrypted = read_encrypted(*crypto);
  if (!encrypted) return base::Err{encrypted.error()};
  const auto named = read_named_address(parsed.value());
  if (!named) return base::Err{named.error()};
  const auto derived = derive(*crypto, passphrase);
  if (!derived) return base::Err{derived.error()};
  const auto& [iv, ciphertext, mac] = encrypted.value();
  if (CRYPTO_memcmp(checksum(derived.value(), ciphertext).data(), mac.data(), mac.size()) != 0) {
    return fail(Cause::kPassphrase, "the passphrase is wrong, or the file was changed");
  }
  const auto plain = apply_cipher(derived.value().view().first(16), iv, ciphertext);
  if (!plain) return base::Err{plain.error()};
  auto key = PrivateKey::from_bytes(plain.value().view());
  if (!key) return key;
  // The checksum leaves out the iv, whose change gives another key; where the file names its account, that is seen.
  const base::ByteView is = key.value().address().bytes;
  if (named.value() && !std::equal(is.begin(), is.end(), named.value()->begin())) {
    return no_keystore("the key is not that of its 'address'; the file was changed");
  }
  return key;
}

}  // namespace avow::chain
