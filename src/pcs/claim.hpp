// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "field/factor.hpp"

namespace avow::pcs {

/// What a verifier knows of a commitment: 2^log_rows rows of C = sum of 2^log_groups[g] columns. A column group g is
/// one dense vector: its cell (row x, column c) has index x * 2^log_groups[g] + c. A Merkle leaf is one row of all
/// codewords, group after group.
struct CommitmentKey {
  base::Digest root{};
  std::vector<std::uint8_t> log_groups;  ///< strictly decreasing: the binary digits of C
  field::Fp3 ood_point;    ///< z; of a commitment made once a hash, of one made within a proof a challenge
  field::Fp3 ood_value;    ///< sum over cells of cell * z^(c + 2^kappa x), c counted over all groups,
                           ///< kappa = ceil(log2 C)
  bool made_once = false;  ///< z is fixed_ood_point of this key, which the verifier computes again
};

/// Number of columns.
[[nodiscard]] std::size_t columns(std::span<const std::uint8_t> log_groups) noexcept;
/// The groups of C columns: the positions of C's binary digits, highest first.
[[nodiscard]] std::vector<std::uint8_t> groups_of(std::size_t columns);

/// coefficient * product-form weight on one column group: sum over the group's cells i of
/// cell[i] * product over bits b of i of factors[b]. factors.size() = log_groups[group] + log_rows, lowest bit first.
struct Term {
  std::uint32_t commitment = 0;
  std::uint32_t group = 0;
  field::Fp3 coefficient;
  std::vector<field::Factor> factors;
};

/// The claim that the sum of its terms has this value. Unauthenticated until an opening is verified.
struct Claim {
  std::vector<Term> terms;
  field::Fp3 value;
};

/// The out-of-domain claim of a commitment (number `index` in the opening's list).
[[nodiscard]] Claim ood_claim(const CommitmentKey& key, std::uint32_t index, std::uint32_t log_rows);

/// The point of a commitment that is made once and kept in a key: the challenge of a transcript that holds protocol,
/// shape and root only, so that whoever registers it cannot choose it, nor a shape to go with it.
[[nodiscard]] field::Fp3 fixed_ood_point(const base::Digest& protocol, std::span<const std::uint8_t> log_groups,
                                         const base::Digest& root);

/// The key of a commitment that is made once, with its point.
[[nodiscard]] CommitmentKey fixed_key(const base::Digest& protocol, const base::Digest& root,
                                      std::span<const std::uint8_t> log_groups, const field::Fp3& ood_value);

/// Where a column group lies in the joint column index of all commitments opened together: columns
/// [offset, offset + 2^log_cols), offset a multiple of 2^log_cols.
struct Slot {
  std::uint32_t commitment = 0;
  std::uint32_t group = 0;
  std::uint32_t log_cols = 0;
  std::uint32_t offset = 0;
};

/// Whether the keys have a shape that can be opened together: none without columns, groups strictly decreasing, at most
/// 2^max_log_columns columns in all. Keys come from registrars: ask before anything else is done with them.
[[nodiscard]] bool keys_are_valid(std::span<const CommitmentKey> keys, std::uint32_t max_log_columns) noexcept;
/// Whether every term names a column group of these (valid) keys and has a factor for each of its variables.
[[nodiscard]] bool claims_are_valid(std::span<const CommitmentKey> keys, std::span<const Claim> claims,
                                    std::uint32_t log_rows) noexcept;

/// All groups, larger ones first (ties: in order of commitment), packed without gaps, and kappa, the number of
/// variables of the joint column index. Columns beyond the last group do not exist: their value is zero.
struct JointLayout {
  std::vector<Slot> slots;
  std::uint32_t log_columns = 0;

  [[nodiscard]] const Slot& slot(std::uint32_t commitment, std::uint32_t group) const;
};
/// Requires valid keys.
[[nodiscard]] JointLayout joint_layout(std::span<const CommitmentKey> keys);

/// The multilinear extension of a term's weight at a point of the joint index (kappa column variables, then the row
/// variables, lowest first).
[[nodiscard]] field::Fp3 evaluate_weight(const JointLayout& layout, const Term& term,
                                         std::span<const field::Fp3> point);

}  // namespace avow::pcs
