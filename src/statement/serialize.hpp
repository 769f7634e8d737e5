// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "statement/error.hpp"
#include "statement/statement.hpp"

/// Canonical bytes of a statement: spec/statement.md, section 6.
namespace avow::statement {

inline constexpr std::uint8_t kVersion = 3;
/// Without names: half of the bytes of a large statement.
inline constexpr std::uint8_t kUnnamedVersion = 4;

/// Requires a valid statement.
[[nodiscard]] base::Bytes serialize(const Statement& statement);

/// The statement that has exactly these bytes, valid (validate.hpp); untrusted bytes. One pass forward; memory is a
/// small multiple of the bytes.
[[nodiscard]] base::Result<Statement, Error> parse(base::ByteView bytes);

/// The same with numbers for names: axes a0, a1, .., public values v0, tensors t0, tables T0, lookups l0. Its bytes
/// have none, and it is another statement, of another id.
[[nodiscard]] Statement unnamed(Statement statement);

/// keccak256 of serialize().
[[nodiscard]] base::Digest statement_id(const Statement& statement);

}  // namespace avow::statement
