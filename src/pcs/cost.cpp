// SPDX-License-Identifier: Apache-2.0
#include "pcs/cost.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace avow::pcs {
namespace {

// Layout of spec/pcs.md.
constexpr double kRoundBytes = 48;  // two extension elements
constexpr double kRootBytes = 32;
constexpr double kAnswerBytes = 24;
constexpr double kNonceBytes = 8;
constexpr double kDigestBytes = 32;
constexpr double kBaseBytes = 8;
constexpr double kExtensionBytes = 24;

// Gas of execution, from the measured operations (forge/anvil 1.7.1, solc 0.8.37, via-ir, osaka): base product 14,
// packed cubic-extension product 255, product-and-add 310, degree-3 sumcheck round 1,661, Merkle path of depth 20
// 3,485, leaf of 16 base elements, hash and combination, 2,311.
constexpr double kGasBaseElement = 2311.0 / 16;
constexpr double kGasNode = 3485.0 / 20;
// Product-and-add with the fold weight, three words to load and to compare with p.
constexpr double kGasExtensionElement = 310 + 3 * 20;
constexpr double kGasRound = 1661;  // ours are of degree 2: an upper bound
// A query's weight at the final point is a product over the variables of 1 + r_j (x^(2^j) - 1): one base squaring, one
// extension element times a base element (three base products and packing), one extension product.
constexpr double kGasWeightVariable = 14 + 100 + 255;
// The same at an out-of-domain point, all in the extension.
constexpr double kGasAnswerVariable = 3 * 255;
// One Horner step at a base point: three base products, three additions, packing.
constexpr double kGasHornerStep = 90;
constexpr double kGasFoldCoefficient = 310;  // evaluation of the final polynomial at the last challenges
constexpr double kGasClaim = 1.6e6 / 390;    // a piece's weight with shared prefixes: 390 pieces were 1.6M
constexpr double kGasSqueeze = 300;          // a challenge or a nonce: one keccak256 and its frame

// Limits of market.md: what nodes relay, and the gas cap of EIP-7825.
constexpr double kTransactionBytes = 131072;
constexpr double kTransactionGas = 16777216;

// Extension products for each value of a sumcheck of degree 2 over 2^n values, all rounds together: two sums and two
// folds for each pair, and the sizes halve, so 2 (n/2) * 2 * (1 + 1/2 + ..) = 4 n.
constexpr double kProductsPerValue = 4;
// The first pass over committed values: building the weight is one more product; the first round's products are with
// base elements and cost a third.
constexpr double kProductsPerCommittedValue = 4;

constexpr double kKeccakRate = 136;

double pow2(std::uint32_t e) { return std::ldexp(1.0, static_cast<int>(e)); }

/// Keccak permutations to absorb this many bytes; the padding takes at least one byte.
double permutations(double bytes) { return std::floor(bytes / kKeccakRate) + 1; }

/// Hashing 2^log_domain leaves of leaf_bytes and the tree over them.
double tree_ns(std::uint32_t log_domain, double leaf_bytes, const ProverSpeed& speed) {
  return pow2(log_domain) * (permutations(leaf_bytes) + 1) * speed.keccak_ns;
}

/// Columns of 2^log_len base elements to 2^(log_len + log_inv_rate) points: the first log_inv_rate layers only copy.
double encode_ns(double columns, std::uint32_t log_len, std::uint32_t log_inv_rate, const ProverSpeed& speed) {
  return columns * log_len * pow2(log_len + log_inv_rate) / 2 * speed.butterfly_ns;
}

CostPart sumcheck_part(std::uint32_t rounds, std::uint32_t grinding_bits, const ProverSpeed& speed) {
  CostPart part;
  part.bytes = rounds * kRoundBytes;
  part.execution_gas = rounds * (kGasRound + kGasSqueeze);
  if (grinding_bits > 0) {
    part.bytes += rounds * kNonceBytes;
    part.execution_gas += rounds * kGasSqueeze;
    part.core_ns = rounds * pow2(grinding_bits) * speed.grinding_ns;
  }
  return part;
}

/// The nonce and one tree's leaves and siblings.
CostPart nonce_part(std::uint32_t grinding_bits, const ProverSpeed& speed) {
  if (grinding_bits == 0) return {};  // no nonce is sent
  return {kNonceBytes, kGasSqueeze, pow2(grinding_bits) * speed.grinding_ns};
}
CostPart tree_part(std::uint32_t log_domain, std::uint32_t queries, double leaf_bytes, double leaf_gas) {
  const double leaves = expected_leaves(log_domain, queries);
  const double siblings = expected_siblings(log_domain, queries);
  // Every inner node on a path is hashed once; leaves and siblings are the outer nodes of a binary tree.
  return {leaves * leaf_bytes + siblings * kDigestBytes, leaves * leaf_gas + (leaves + siblings - 1) * kGasNode, 0};
}

/// A tree and what is encoded at a time: one coset, or cosets that fill a buffer of 32 MiB.
std::uint64_t oracle_bytes(std::uint32_t log_domain, std::uint64_t coset_bytes) {
  return (std::uint64_t{2 * 32} << log_domain) + std::max<std::uint64_t>(coset_bytes, std::uint64_t{1} << 25);
}

}  // namespace

std::uint64_t columns_of(std::uint64_t values, std::uint32_t log_rows) {
  return (values + (std::uint64_t{1} << log_rows) - 1) >> log_rows;
}

Shape shape_of(const OpeningSizes& sizes, std::uint32_t log_rows) {
  const std::uint64_t columns = columns_of(sizes.witness_values, log_rows) + columns_of(sizes.model_values, log_rows);
  Shape shape;
  while ((std::uint64_t{1} << shape.log_columns) < columns) ++shape.log_columns;
  shape.claims = sizes.claims + (sizes.model_values == 0 ? 1 : 2);
  return shape;
}

CostPart& CostPart::operator+=(const CostPart& other) noexcept {
  bytes += other.bytes;
  execution_gas += other.execution_gas;
  core_ns += other.core_ns;
  return *this;
}

double ProofBytes::total() const noexcept {
  return sumchecks + roots_and_answers + nonces + leaves + paths + final_coefficients;
}

double transaction_gas(double bytes, double execution_gas) {
  const double shared = std::max(40 * bytes, 16 * bytes + execution_gas);
  const double by_bytes = std::ceil(bytes / kTransactionBytes);
  const double by_gas = std::ceil(shared / (kTransactionGas - 21000));
  return 21000 * std::max({by_bytes, by_gas, 1.0}) + shared;
}

double expected_leaves(std::uint32_t log_domain, std::uint32_t queries) {
  const double n = pow2(log_domain);
  return n * (1 - std::pow(1 - 1 / n, queries));
}

double expected_siblings(std::uint32_t log_domain, std::uint32_t queries) {
  // A node of a layer of n is sent if no position is below it and one is below its sibling.
  double siblings = 0;
  for (std::uint32_t layer = 1; layer <= log_domain; ++layer) {
    const double n = pow2(layer);
    siblings += n * (std::pow(1 - 1 / n, queries) - std::pow(1 - 2 / n, queries));
  }
  return siblings;
}

CostPart opening_part(std::uint32_t log_rows, const OpeningSizes& sizes, const ProverSpeed& speed) {
  const Shape shape = shape_of(sizes, log_rows);
  const double values = static_cast<double>(sizes.witness_values + sizes.model_values);
  return {0, shape.claims * kGasClaim, values * kProductsPerCommittedValue * speed.product_ns};
}

CostPart commit_part(std::uint32_t log_rows, std::uint32_t log_inv_rate, std::uint64_t columns,
                     const ProverSpeed& speed) {
  const double count = static_cast<double>(columns);
  return {
      0, 0,
      encode_ns(count, log_rows, log_inv_rate, speed) + tree_ns(log_rows + log_inv_rate, count * kBaseBytes, speed)};
}

CostPart columns_part(std::uint32_t log_rows, const OracleConfig& oracle, const OpeningSizes& sizes,
                      const ProverSpeed& speed) {
  CostPart part = sumcheck_part(shape_of(sizes, log_rows).log_columns, oracle.fold_grinding_bits, speed) +
                  nonce_part(oracle.query_grinding_bits, speed);
  for (const std::uint64_t values : {sizes.witness_values, sizes.model_values}) {
    if (values == 0) continue;
    const double columns = static_cast<double>(columns_of(values, log_rows));
    part += tree_part(log_rows + oracle.log_inv_rate, oracle.queries, columns * kBaseBytes, columns * kGasBaseElement);
  }
  return part;
}

CostPart tail_part(std::uint32_t log_len, const OracleConfig& oracle, const ProverSpeed& speed) {
  AVOW_CHECK(oracle.log_fold <= log_len);
  const std::uint32_t log_column = log_len - oracle.log_fold;
  const std::uint32_t log_domain = log_column + oracle.log_inv_rate;
  const double width = pow2(oracle.log_fold);
  CostPart part = sumcheck_part(oracle.log_fold, oracle.fold_grinding_bits, speed) +
                  nonce_part(oracle.query_grinding_bits, speed) +
                  tree_part(log_domain, oracle.queries, width * kExtensionBytes, width * kGasExtensionElement);
  part.bytes += kRootBytes + kAnswerBytes;
  part.execution_gas += 2 * kGasSqueeze + log_len * kGasAnswerVariable;
  part.core_ns += encode_ns(3 * width, log_column, oracle.log_inv_rate, speed) +
                  tree_ns(log_domain, width * kExtensionBytes, speed) +
                  pow2(log_len) * kProductsPerValue * speed.product_ns;
  return part;
}

std::uint64_t tail_oracle_bytes(std::uint32_t log_len, const OracleConfig& oracle) {
  return oracle_bytes(log_len - oracle.log_fold + oracle.log_inv_rate, std::uint64_t{24} << log_len);
}

CostPart weights_part(std::uint32_t log_len, std::uint32_t queries, const ProverSpeed& speed) {
  return {0, queries * log_len * kGasWeightVariable, queries * pow2(log_len) * speed.product_ns};
}

CostPart final_part(std::uint32_t log_len, std::uint32_t queries, const ProverSpeed& speed) {
  CostPart part = sumcheck_part(log_len, 0, speed);
  part.bytes += pow2(log_len) * kExtensionBytes;
  part.execution_gas += pow2(log_len) * (queries * kGasHornerStep + kGasFoldCoefficient);
  return part;
}

OpeningCost estimate_cost(const Config& config, const OpeningSizes& sizes, const ProverSpeed& speed) {
  AVOW_CHECK(validate(config) == ConfigError::kNone);
  const auto& oracles = config.oracles;
  const Shape shape = shape_of(sizes, config.log_rows);
  const std::uint32_t log_domain = config.log_domain(0);

  OpeningCost cost;
  CostPart open = opening_part(config.log_rows, sizes, speed) + columns_part(config.log_rows, oracles[0], sizes, speed);
  for (std::size_t i = 1; i < oracles.size(); ++i) {
    open += weights_part(config.log_len(i), oracles[i - 1].queries, speed) +
            tail_part(config.log_len(i), oracles[i], speed);
    cost.tail_oracle_bytes = std::max(cost.tail_oracle_bytes, tail_oracle_bytes(config.log_len(i), oracles[i]));
  }
  open += final_part(config.final_log_len(), oracles.back().queries, speed);

  ProofBytes& bytes = cost.bytes;
  bytes.final_coefficients = pow2(config.final_log_len()) * kExtensionBytes;
  bytes.sumchecks = (shape.log_columns + config.log_rows) * kRoundBytes;
  bytes.roots_and_answers = static_cast<double>(oracles.size() - 1) * (kRootBytes + kAnswerBytes);
  for (std::size_t i = 0; i < oracles.size(); ++i) {
    const std::uint32_t fold = i == 0 ? shape.log_columns : oracles[i].log_fold;
    bytes.nonces +=
        kNonceBytes * ((oracles[i].query_grinding_bits > 0 ? 1 : 0) + (oracles[i].fold_grinding_bits > 0 ? fold : 0));
    const double siblings = expected_siblings(config.log_domain(i), oracles[i].queries) * kDigestBytes;
    bytes.paths += i == 0 && sizes.model_values != 0 && sizes.witness_values != 0 ? 2 * siblings : siblings;
    const std::uint64_t columns =
        columns_of(sizes.witness_values, config.log_rows) + columns_of(sizes.model_values, config.log_rows);
    const double leaf = i == 0 ? static_cast<double>(columns) * kBaseBytes : pow2(fold) * kExtensionBytes;
    bytes.leaves += expected_leaves(config.log_domain(i), oracles[i].queries) * leaf;
  }
  AVOW_CHECK(std::abs(bytes.total() - open.bytes) < 1e-3);  // two sums over the same layout

  const double core_ns_per_second = 1e9 * speed.cores;
  const auto codeword = [&](std::uint64_t values) { return (columns_of(values, config.log_rows) * 8) << log_domain; };
  const std::uint64_t tree = std::uint64_t{2 * 32} << log_domain;
  cost.execution_gas = open.execution_gas;
  cost.gas = transaction_gas(open.bytes, open.execution_gas);
  cost.open_seconds = open.core_ns / core_ns_per_second;
  cost.commit_seconds =
      commit_part(config.log_rows, oracles[0].log_inv_rate, columns_of(sizes.witness_values, config.log_rows), speed)
          .core_ns /
      core_ns_per_second;
  cost.witness_oracle_bytes = oracle_bytes(log_domain, codeword(sizes.witness_values) >> oracles[0].log_inv_rate);
  if (sizes.model_values != 0) {
    cost.model_codeword_bytes = codeword(sizes.model_values) + tree;
    cost.model_tree_bytes = tree;
  }
  return cost;
}

}  // namespace avow::pcs
