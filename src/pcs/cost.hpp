// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "pcs/config.hpp"

namespace avow::pcs {

/// What is opened together: one witness and, where model_values is not 0, one model.
struct OpeningSizes {
  std::uint64_t witness_values = 0;
  std::uint64_t model_values = 0;
  std::uint32_t claims = 400;  ///< sub-cube claims (pieces) of both, each with a weight the verifier evaluates
};

/// Columns of 2^log_rows that hold this many values.
[[nodiscard]] std::uint64_t columns_of(std::uint64_t values, std::uint32_t log_rows);
/// The shape of an opening: kappa covers all columns; an out-of-domain claim of each commitment joins the claims.
[[nodiscard]] Shape shape_of(const OpeningSizes& sizes, std::uint32_t log_rows);

/// What one operation of the prover costs on one core, in nanoseconds, and how many cores there are.
struct ProverSpeed {
  double butterfly_ns = 1.0;  ///< one radix-2 butterfly over the base field
  double keccak_ns = 70;      ///< one Keccak-f permutation, batched
  double grinding_ns = 70;    ///< one nonce tried
  double product_ns = 8;      ///< one product-and-add of extension elements
  double cores = 2;
};

/// Sums of anything that a part of an opening costs; expected values, because equal positions share leaves and nodes.
struct CostPart {
  double bytes = 0;
  double execution_gas = 0;
  double core_ns = 0;

  CostPart& operator+=(const CostPart& other) noexcept;
  friend CostPart operator+(CostPart a, const CostPart& b) noexcept { return a += b; }
};

/// Bytes of an opening by kind, in the layout of spec/pcs.md.
struct ProofBytes {
  double sumchecks = 0;
  double roots_and_answers = 0;
  double nonces = 0;
  double leaves = 0;
  double paths = 0;
  double final_coefficients = 0;
  [[nodiscard]] double total() const noexcept;
};

struct OpeningCost {
  ProofBytes bytes;
  double execution_gas = 0;
  double gas = 0;             ///< of all transactions, see transaction_gas
  double commit_seconds = 0;  ///< witness: encode and hash
  double open_seconds = 0;
  std::uint64_t witness_oracle_bytes = 0;  ///< in memory while committing: tree and one coset
  std::uint64_t tail_oracle_bytes = 0;     ///< the same for the largest tail oracle
  std::uint64_t model_codeword_bytes = 0;  ///< with its tree; the cache on disk
  std::uint64_t model_tree_bytes = 0;      ///< the cache if codewords are recomputed instead
};

/// Everything about one configuration. The configuration must be valid.
[[nodiscard]] OpeningCost estimate_cost(const Config& config, const OpeningSizes& sizes, const ProverSpeed& speed = {});

/// Gas of a proof of this many bytes, all taken as non-zero: transactions of at most 131,072 bytes, each
/// 21000 + max(40 B, 16 B + execution) (EIP-7623), the execution shared among them in proportion to the bytes.
[[nodiscard]] double transaction_gas(double bytes, double execution_gas);

/// Expected number of distinct leaves, and of sibling digests in a pruned multi-proof, for `queries` uniform positions
/// with repetition among 2^log_domain leaves.
[[nodiscard]] double expected_leaves(std::uint32_t log_domain, std::uint32_t queries);
[[nodiscard]] double expected_siblings(std::uint32_t log_domain, std::uint32_t queries);

// The summands of estimate_cost, for the search, which builds configurations from their end.

/// Header, claims and the pass over all values that folds the columns.
[[nodiscard]] CostPart opening_part(std::uint32_t log_rows, const OpeningSizes& sizes, const ProverSpeed& speed);
/// Encoding and hashing the witness. No proof bytes.
[[nodiscard]] CostPart commit_part(std::uint32_t log_rows, std::uint32_t log_inv_rate, std::uint64_t columns,
                                   const ProverSpeed& speed);
/// Column sumcheck and queries of oracle 0.
[[nodiscard]] CostPart columns_part(std::uint32_t log_rows, const OracleConfig& oracle, const OpeningSizes& sizes,
                                    const ProverSpeed& speed);
/// Commitment, out-of-domain answer, sumcheck and queries of a tail oracle on a polynomial of 2^log_len coefficients.
[[nodiscard]] CostPart tail_part(std::uint32_t log_len, const OracleConfig& oracle, const ProverSpeed& speed);
/// Memory for such an oracle's codewords and tree.
[[nodiscard]] std::uint64_t tail_oracle_bytes(std::uint32_t log_len, const OracleConfig& oracle);
/// What `queries` positions of an oracle cost on the next one, of 2^log_len coefficients: their weights.
[[nodiscard]] CostPart weights_part(std::uint32_t log_len, std::uint32_t queries, const ProverSpeed& speed);
/// The final 2^log_len coefficients, evaluated at the last oracle's `queries` positions, and the last sumcheck.
[[nodiscard]] CostPart final_part(std::uint32_t log_len, std::uint32_t queries, const ProverSpeed& speed);

}  // namespace avow::pcs
