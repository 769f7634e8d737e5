// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "pcs/config.hpp"
#include "statement/statement.hpp"
#include "verifier/error.hpp"

namespace avow::verifier {

inline constexpr std::uint32_t kKeyVersion = 4;
/// Of a serialised key: a chain stores it as code.
inline constexpr std::size_t kMaxKeyBytes = 8192;
inline constexpr std::size_t kMaxApplicationBytes = 1024;
/// Of a state between two phases of verification.
inline constexpr std::size_t kMaxStateBytes = 16384;
/// Bits of security that a key's configuration may name. A key is anybody's: below the least, who made it could forge.
inline constexpr std::uint32_t kMinLevel = 100;
inline constexpr std::uint32_t kMaxLevel = 192;

/// The commitment to the model tensors: its shape follows from statement and configuration, its out-of-domain point
/// from the root.
struct ModelCommitment {
  base::Digest root{};
  field::Fp3 ood_value;
  friend bool operator==(const ModelCommitment&, const ModelCommitment&) = default;
};

/// Everything that a verifier knows of a model. Made by anybody: untrusted until parse_key has accepted it, and then
/// still only as good as its statement reads and its root is known.
struct VerifyingKey {
  pcs::Config config;
  std::optional<ModelCommitment> model;  ///< just if the statement has model tensors
  base::Bytes application;               ///< what clients keep beside it (tokenizer, limits); nothing is proven of it
  statement::Statement statement;
  friend bool operator==(const VerifyingKey&, const VerifyingKey&) = default;
};

/// keccak256 of the statement's program (reduction::make_program), which a contract carries out in the statement's
/// place; zeroes if it has none.
[[nodiscard]] base::Digest program_digest(const statement::Statement& statement);
/// Canonical bytes: spec/proof.md, section 2. Requires a valid statement.
[[nodiscard]] base::Bytes serialize(const VerifyingKey& key);
/// keccak256 of serialize(): the model's id.
[[nodiscard]] base::Digest model_id(const VerifyingKey& key);

/// What a key must be for proofs to be made and checked: a valid statement and configuration, model tensors of fixed
/// sizes, a witness. Nothing if it is. It does not ask for a level of security.
[[nodiscard]] std::optional<Rejection> check_key(const VerifyingKey& key);

/// The key that has exactly these bytes; untrusted bytes. Besides check_key, the configuration must name a level from
/// kMinLevel to kMaxLevel and reach it (pcs::reaches_level), states between phases must stay within kMaxStateBytes, and
/// the statement must determine its witness (check_uniqueness).
[[nodiscard]] base::Result<VerifyingKey, Rejection> parse_key(base::ByteView bytes);

/// parse_key in two: all but the analysis of the statement, and that alone. For who knows what the statement has to be,
/// and does not analyse another.
[[nodiscard]] base::Result<VerifyingKey, Rejection> read_key(base::ByteView bytes);
/// Whether the statement determines its witness (statement::check_uniqueness).
[[nodiscard]] std::optional<Rejection> check_uniqueness(const VerifyingKey& key);

}  // namespace avow::verifier
