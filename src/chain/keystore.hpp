// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "chain/key.hpp"

namespace avow::chain {

/// Key derivations of Web3 Secret Storage (version 3).
struct ScryptCost {
  std::uint64_t n = std::uint64_t{1} << 17;  ///< a power of two; memory in use is 128 r (n + p + 2) bytes
  std::uint64_t r = 8;
  std::uint64_t p = 1;
};
/// A derivation that needs more is refused: files are input.
inline constexpr std::uint64_t kMostScryptBytes = std::uint64_t{1} << 29;
inline constexpr std::uint64_t kMostScryptWork = std::uint64_t{1} << 30;    ///< 128 n r p
inline constexpr std::uint64_t kMostScryptBlocks = std::uint64_t{1} << 10;  ///< r p: work that n has no part in
inline constexpr std::uint64_t kMostPbkdf2Rounds = 10'000'000;

/// The key encrypted, as JSON text of Web3 Secret Storage version 3 (scrypt, AES-128-CTR), which geth and foundry read.
[[nodiscard]] Result<std::string> encrypt_key(const PrivateKey& key, const Secret& passphrase,
                                              const ScryptCost& cost = {});

/// The key in such a text, of scrypt or PBKDF2. A wrong passphrase is kPassphrase.
[[nodiscard]] Result<PrivateKey> decrypt_key(std::string_view json, const Secret& passphrase);

/// A file only its owner may read, whole from the moment it has its name; a file that is there is never replaced.
[[nodiscard]] Result<std::filesystem::path> write_key_file(const std::filesystem::path& path, const PrivateKey& key,
                                                           const Secret& passphrase, const ScryptCost& cost = {});
[[nodiscard]] Result<PrivateKey> read_key_file(const std::filesystem::path& path, const Secret& passphrase);

/// Where passphrases come from: never from a command line, which other users see.
[[nodiscard]] Result<Secret> passphrase_from_file(const std::filesystem::path& path);  ///< its first line
[[nodiscard]] Result<Secret> passphrase_from_environment(const char* variable);
/// Typed at the terminal without being shown; `prompt` is written there.
[[nodiscard]] Result<Secret> passphrase_from_terminal(std::string_view prompt);

}  // namespace avow::chain
