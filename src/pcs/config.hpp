// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"

namespace avow::pcs {

/// One oracle: an interleaved Reed-Solomon codeword of 2^log_fold columns (oracle 0: any number of columns, over the
/// base field; later oracles: over the extension). All grinding is proof of work in bits, counted in the security
/// table.
struct OracleConfig {
  std::uint32_t log_inv_rate = 0;  ///< mu: domain size = 2^mu times the column length
  std::uint32_t log_fold = 0;      ///< k: variables that this oracle's sumcheck rounds bind (oracle 0: 0, see Shape)
  std::uint32_t queries = 0;       ///< t: positions drawn, with repetitions
  std::uint32_t query_grinding_bits = 0;  ///< before the positions are drawn
  std::uint32_t fold_grinding_bits = 0;   ///< before each sumcheck challenge of this oracle
  friend bool operator==(const OracleConfig&, const OracleConfig&) = default;
};

/// Everything about an opening that does not depend on what is committed; its hash is the protocol id. WHIR (eprint
/// 2024/1586, construction 5.1) with interleaved Reed-Solomon columns as the first fold and a free rate for each
/// oracle.
///
///   oracle 0:   C columns of 2^log_rows base elements (of every commitment opened together)
///   oracle i:   the polynomial in m_i variables left after folding oracle i-1 (m_1 = log_rows), as 2^k_i columns of
///               2^(m_i - k_i) extension elements
///   final:      the 2^(final_log_len) coefficients left after the last oracle, in the clear
struct Config {
  std::uint32_t level = 128;           ///< bits of security that the security table must reach
  std::uint32_t log_rows = 0;          ///< m: log2 of the column length
  std::uint32_t max_log_columns = 10;  ///< kappa at most: the level holds up to 2^this columns in all; more is refused
  std::vector<OracleConfig> oracles;
  std::uint32_t salt_bytes = 0;      ///< of a leaf; reserved for hiding: must be 0
  std::uint32_t random_columns = 0;  ///< of a commitment; reserved for hiding: must be 0

  /// log_rows minus the folds of oracles 1 and later.
  [[nodiscard]] std::uint32_t final_log_len() const noexcept;
  /// Variables of the polynomial that oracle i commits to, i >= 1.
  [[nodiscard]] std::uint32_t log_len(std::size_t oracle) const noexcept;
  /// log2 of the number of leaves of oracle i.
  [[nodiscard]] std::uint32_t log_domain(std::size_t oracle) const noexcept;

  friend bool operator==(const Config&, const Config&) = default;
};

/// The part of an opening that the committed objects bring along.
struct Shape {
  std::uint32_t log_columns = 0;  ///< kappa: variables of the joint column index of all commitments opened together
  std::uint32_t claims = 1;       ///< claims joined by random coefficients, out-of-domain claims included
};

/// Why a configuration cannot be used.
enum class ConfigError : std::uint8_t {
  kNone = 0,
  kColumns,         ///< max_log_columns above 16
  kNoOracles,       ///< fewer than two oracles, or more than 16
  kFoldTooLarge,    ///< folds add up to more than log_rows, or one is 0 or above 8
  kDomainTooLarge,  ///< an evaluation domain above 2^30 points
  kQueries,         ///< no queries, or more than 1024
  kGrinding,        ///< a grinding amount above 24 bits
  kFinalTooLong,    ///< final polynomial above 2^10 coefficients
  kReserved,        ///< salt_bytes, random_columns or oracle 0's log_fold is not 0
  kRate,            ///< a rate of 1 or below 2^-20
};
[[nodiscard]] ConfigError validate(const Config& config) noexcept;

/// Canonical bytes, version first, all integers 4 bytes big-endian (spec/pcs.md).
[[nodiscard]] base::Bytes serialize(const Config& config);
/// The valid configuration that has exactly these bytes, or nothing; untrusted bytes.
[[nodiscard]] std::optional<Config> parse_config(base::ByteView bytes);
/// keccak256 of serialize(): names field, hash, version and every parameter.
[[nodiscard]] base::Digest protocol_id(const Config& config);

}  // namespace avow::pcs
