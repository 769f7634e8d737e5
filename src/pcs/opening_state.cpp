// SPDX-License-Identifier: Apache-2.0
#include "pcs/opening_state.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>

#include "base/check.hpp"
#include "merkle/tree.hpp"
#include "pcs/reader.hpp"

namespace avow::pcs {
namespace {

using base::Bytes;
using base::ByteView;
using base::Digest;
using base::Err;
using field::Fp3;

// Of the layout of a state, not of the protocol.
constexpr std::uint32_t kStateVersion = 2;
constexpr std::size_t kHeaderBytes = 4 * 4 + 2 * field::kFp3Bytes;

bool is_final(Phase phase) noexcept { return phase >= Phase::kFinal; }
bool reads_rows(Phase phase) noexcept { return phase == Phase::kRows || phase == Phase::kFinalRows; }

/// Entries that the lists of a state have, those of positions excepted.
struct Counts {
  std::size_t point = 0;
  std::size_t roots = 0;
  std::size_t added = 0;
  std::size_t final_coefficients = 0;
};

// Phase and oracle must be valid.
Counts counts_of(const Config& config, std::uint32_t log_columns, Phase phase, std::uint32_t oracle) {
  const std::uint32_t unbound = is_final(phase) ? config.final_log_len() : config.log_len(oracle);
  Counts counts;
  counts.point = log_columns + config.log_rows - unbound;
  const std::size_t before = oracle > 1 ? 1 : 0;  // oracle 0 has its roots in the keys
  switch (phase) {
    case Phase::kOracle:
      return {counts.point, before, oracle - 1, 0};
    case Phase::kRows:
      return {counts.point, before + 1, oracle, 0};
    case Phase::kSumcheck:
    case Phase::kFinal:
      return {counts.point, 1, oracle, 0};
    case Phase::kFinalRows:
      return {counts.point, 1, oracle, std::size_t{1} << config.final_log_len()};
    case Phase::kFinish:
      return {counts.point, 0, oracle, std::size_t{1} << config.final_log_len()};
  }
  AVOW_CHECK(false);
  return counts;
}

std::optional<StateError> wrong_head(const Config& config, std::span<const CommitmentKey> keys,
                                     const OpeningState& state) {
  if (state.phase < Phase::kOracle || state.phase > Phase::kFinish) return StateError::kPhase;
  const std::size_t last = config.oracles.size() - 1;
  if (state.oracle < 1 || state.oracle > last || (is_final(state.phase) && state.oracle != last)) {
    return StateError::kOracle;
  }
  const std::size_t trees = state.phase == Phase::kRows && state.oracle == 1 ? keys.size() : 1;
  if (state.tree >= trees) return StateError::kTree;
  return std::nullopt;
}

std::size_t max_positions(const Config& config, std::size_t oracle) {
  return std::min(std::size_t{config.oracles[oracle].queries}, std::size_t{1} << config.log_domain(oracle));
}

bool positions_are_valid(const Config& config, std::size_t oracle, std::span<const std::uint32_t> positions) {
  const auto not_increasing = [](std::uint32_t a, std::uint32_t b) { return a >= b; };
  return !positions.empty() && positions.size() <= max_positions(config, oracle) &&
         std::adjacent_find(positions.begin(), positions.end(), not_increasing) == positions.end() &&
         positions.back() < std::uint64_t{1} << config.log_domain(oracle);
}

std::size_t later_leaf_bytes(const Config& config, std::size_t oracle) {
  return field::kFp3Bytes << config.oracles[oracle].log_fold;
}

std::size_t rows_in_part(std::size_t leaf_bytes) { return std::max<std::size_t>(kPartBytes / leaf_bytes, 1); }

// Whether `count` rows of the tree that the state reads, which is valid but for them, are whole parts and not all.
bool rows_are_valid(const Config& config, std::span<const CommitmentKey> keys, const OpeningState& state,
                    std::size_t count) {
  const RowsPart part = rows_part(config, keys, state);
  return count < part.positions.size() && count % rows_in_part(part.leaf_bytes) == 0;
}

void put(Bytes& out, const Fp3& x) {
  std::uint8_t encoded[field::kFp3Bytes];
  field::encode(x, encoded);
  base::append(out, encoded);
}

void put(Bytes& out, std::span<const std::uint32_t> positions) {
  base::append_be32(out, static_cast<std::uint32_t>(positions.size()));
  for (const std::uint32_t position : positions) base::append_be32(out, position);
}

std::size_t encoded_bytes(const OpeningState& state) {
  std::size_t bytes = kHeaderBytes + field::kFp3Bytes * (state.point.size() + state.final_coefficients.size());
  bytes += sizeof(Digest) * state.roots.size();
  for (const AddedWeight& added : state.added) bytes += 2 * field::kFp3Bytes + 4 + 4 * added.positions.size();
  if (state.phase == Phase::kFinalRows) bytes += 4 + 4 * state.final_positions.size();
  return bytes + (reads_rows(state.phase) ? 4 + sizeof(Digest) * state.rows.size() : 0);
}

/// Reads the parts of a state; the first error sticks.
class Decoder {
 public:
  Decoder(const Config& config, ByteView bytes) : config_(config), reader_(bytes) {}

  [[nodiscard]] std::optional<StateError> error() const {
    if (error_) return error_;
    if (!reader_.failure()) return std::nullopt;
    return *reader_.failure() == ReadError::kTruncated ? StateError::kTruncated : StateError::kNonCanonical;
  }
  [[nodiscard]] std::size_t remaining() const { return reader_.remaining(); }
  Reader& reader() { return reader_; }

  void elements(std::size_t count, std::vector<Fp3>& out) {
    if (error() || !reader_.has(count * field::kFp3Bytes)) return;
    out.resize(count);
    for (Fp3& x : out) x = reader_.element();
  }
  void positions(std::size_t oracle, std::vector<std::uint32_t>& out) {
    const std::uint32_t count = reader_.be32();
    if (error()) return;
    if (count > max_positions(config_, oracle)) {
      error_ = StateError::kPositions;
      return;
    }
    if (!reader_.has(std::size_t{4} * count)) return;
    out.resize(count);
    for (std::uint32_t& position : out) position = reader_.be32();
    if (!positions_are_valid(config_, oracle, out)) error_ = StateError::kPositions;
  }
  // Last, when everything else of the state is there.
  void rows(std::span<const CommitmentKey> keys, OpeningState& state) {
    const std::uint32_t count = reader_.be32();
    if (error()) return;
    if (!rows_are_valid(config_, keys, state, count)) {
      error_ = StateError::kRows;
      return;
    }
    if (!reader_.has(sizeof(Digest) * count)) return;
    state.rows.resize(count);
    for (Digest& digest : state.rows) digest = reader_.digest();
  }

 private:
  const Config& config_;
  Reader reader_;
  std::optional<StateError> error_;
};

std::size_t sumcheck_bytes(std::size_t rounds, std::uint32_t grinding_bits) {
  return rounds * (2 * field::kFp3Bytes + (grinding_bits > 0 ? 8 : 0));
}

std::size_t siblings_bytes(const Config& config, const RowsPart& part) {
  return merkle::proof_length(config.log_domain(part.oracle), part.positions) * sizeof(Digest);
}

std::size_t nonce_bytes(std::uint32_t grinding_bits) { return grinding_bits > 0 ? 8 : 0; }

}  // namespace

std::uint32_t log_columns(std::span<const CommitmentKey> keys) noexcept {
  std::size_t sum = 0;
  for (const CommitmentKey& key : keys) sum += columns(key.log_groups);
  return static_cast<std::uint32_t>(std::bit_width(sum - 1));
}

RowsPart rows_part(const Config& config, std::span<const CommitmentKey> keys, const OpeningState& state) {
  AVOW_CHECK(reads_rows(state.phase));
  RowsPart part{};
  if (state.phase == Phase::kFinalRows) {
    part.oracle = state.oracle;
    part.positions = state.final_positions;
  } else {
    part.oracle = state.oracle - 1;
    part.positions = state.added.back().positions;
  }
  part.leaf_bytes = part.oracle == 0 ? 8 * columns(keys[state.tree].log_groups) : later_leaf_bytes(config, part.oracle);
  part.first = state.rows.size();
  part.end = std::min(part.first + rows_in_part(part.leaf_bytes), part.positions.size());
  return part;
}

bool is_valid(const Config& config, std::span<const CommitmentKey> keys, const OpeningState& state) {
  if (validate(config) != ConfigError::kNone || !keys_are_valid(keys, config.max_log_columns)) return false;
  if (wrong_head(config, keys, state)) return false;
  const Counts counts = counts_of(config, log_columns(keys), state.phase, state.oracle);
  if (state.point.size() != counts.point || state.roots.size() != counts.roots || state.added.size() != counts.added ||
      state.final_coefficients.size() != counts.final_coefficients) {
    return false;
  }
  for (std::size_t i = 0; i < state.added.size(); ++i) {
    if (!positions_are_valid(config, i, state.added[i].positions)) return false;
  }
  const bool final_rows = state.phase == Phase::kFinalRows;
  if (final_rows ? !positions_are_valid(config, state.oracle, state.final_positions) : !state.final_positions.empty()) {
    return false;
  }
  return reads_rows(state.phase) ? rows_are_valid(config, keys, state, state.rows.size()) : state.rows.empty();
}

Bytes encode_state(const OpeningState& state) {
  Bytes out;
  out.reserve(encoded_bytes(state));
  base::append_be32(out, kStateVersion);
  base::append_be32(out, static_cast<std::uint32_t>(state.phase));
  base::append_be32(out, state.oracle);
  base::append_be32(out, state.tree);
  put(out, state.join);
  put(out, state.claim);
  for (const Fp3& challenge : state.point) put(out, challenge);
  for (const Digest& root : state.roots) base::append(out, root);
  for (const AddedWeight& added : state.added) {
    put(out, added.gamma);
    put(out, added.ood_point);
    put(out, added.positions);
  }
  for (const Fp3& coefficient : state.final_coefficients) put(out, coefficient);
  if (state.phase == Phase::kFinalRows) put(out, state.final_positions);
  if (!reads_rows(state.phase)) return out;
  base::append_be32(out, static_cast<std::uint32_t>(state.rows.size()));
  for (const Digest& digest : state.rows) base::append(out, digest);
  return out;
}

base::Result<OpeningState, StateError> decode_state(const Config& config, std::span<const CommitmentKey> keys,
                                                    ByteView bytes) {
  if (validate(config) != ConfigError::kNone) return Err{StateError::kConfig};
  if (!keys_are_valid(keys, config.max_log_columns)) return Err{StateError::kKeys};
  Decoder decoder(config, bytes);
  Reader& reader = decoder.reader();
  const std::uint32_t version = reader.be32();
  const std::uint32_t phase = reader.be32();
  OpeningState state;
  state.oracle = reader.be32();
  state.tree = reader.be32();
  if (decoder.error()) return Err{*decoder.error()};
  if (version != kStateVersion) return Err{StateError::kVersion};
  if (phase > static_cast<std::uint32_t>(Phase::kFinish)) return Err{StateError::kPhase};
  state.phase = static_cast<Phase>(phase);
  if (const auto error = wrong_head(config, keys, state)) return Err{*error};

  const Counts counts = counts_of(config, log_columns(keys), state.phase, state.oracle);
  state.join = reader.element();
  state.claim = reader.element();
  decoder.elements(counts.point, state.point);
  for (std::size_t i = 0; i < counts.roots; ++i) state.roots.push_back(reader.digest());
  for (std::size_t i = 0; i < counts.added && !decoder.error(); ++i) {
    AddedWeight& added = state.added.emplace_back();
    added.gamma = reader.element();
    added.ood_point = reader.element();
    decoder.positions(i, added.positions);
  }
  decoder.elements(counts.final_coefficients, state.final_coefficients);
  if (state.phase == Phase::kFinalRows) decoder.positions(state.oracle, state.final_positions);
  if (reads_rows(state.phase) && !decoder.error()) decoder.rows(keys, state);
  if (decoder.error()) return Err{*decoder.error()};
  if (decoder.remaining() != 0) return Err{StateError::kTrailingBytes};
  return state;
}

// The lists of a state before a phase that reads rows only grow, but for the rows; a state before another phase has the
// lists of one of them, or fewer.
std::size_t max_state_bytes(const Config& config) {
  const auto last = static_cast<std::uint32_t>(config.oracles.size()) - 1;
  // Of an oracle that is opened in this phase.
  const auto bytes_at = [&](Phase phase, std::uint32_t round, std::size_t oracle) {
    const Counts counts = counts_of(config, config.max_log_columns, phase, round);
    std::size_t bytes = kHeaderBytes + field::kFp3Bytes * (counts.point + counts.final_coefficients) + 4;
    bytes += sizeof(Digest) * counts.roots + 2 * field::kFp3Bytes * counts.added;
    for (std::size_t i = 0; i <= oracle; ++i) bytes += 4 + 4 * max_positions(config, i);
    // With fewer columns a part has more rows, and one before the last may end at any.
    const std::size_t leaf_bytes =
        oracle == 0 ? std::size_t{8} << config.max_log_columns : later_leaf_bytes(config, oracle);
    const std::size_t rows = max_positions(config, oracle);
    return bytes + (rows > rows_in_part(leaf_bytes) ? sizeof(Digest) * (rows - 1) : 0);
  };
  std::size_t most = bytes_at(Phase::kFinalRows, last, last);
  for (std::uint32_t i = 1; i <= last; ++i) most = std::max(most, bytes_at(Phase::kRows, i, i - 1));
  return most;
}

std::size_t start_bytes(const Config& config, std::span<const CommitmentKey> keys) {
  return sumcheck_bytes(log_columns(keys), config.oracles[0].fold_grinding_bits);
}

std::size_t section_bytes(const Config& config, std::span<const CommitmentKey> keys, const OpeningState& state) {
  const std::size_t i = state.oracle;
  switch (state.phase) {
    case Phase::kOracle:
      return sizeof(Digest) + field::kFp3Bytes + nonce_bytes(config.oracles[i - 1].query_grinding_bits);
    case Phase::kRows:
    case Phase::kFinalRows: {
      const RowsPart part = rows_part(config, keys, state);
      const std::size_t leaves = (part.end - part.first) * part.leaf_bytes;
      return leaves + (part.is_last() ? siblings_bytes(config, part) : 0);
    }
    case Phase::kSumcheck:
      return sumcheck_bytes(config.oracles[i].log_fold, config.oracles[i].fold_grinding_bits);
    case Phase::kFinal:
      return (field::kFp3Bytes << config.final_log_len()) + nonce_bytes(config.oracles[i].query_grinding_bits);
    case Phase::kFinish:
      return sumcheck_bytes(config.final_log_len(), 0);
  }
  AVOW_CHECK(false);
  return 0;
}

std::size_t rows_bytes(const Config& config, std::span<const CommitmentKey> keys, const OpeningState& state) {
  const RowsPart part = rows_part(config, keys, state);
  const std::size_t siblings = siblings_bytes(config, part);
  const std::size_t bytes = (part.positions.size() - part.first) * part.leaf_bytes + siblings;
  if (part.oracle > 0) return bytes;
  // The trees differ in their leaves only.
  return std::accumulate(keys.begin() + state.tree + 1, keys.end(), bytes,
                         [&](std::size_t sum, const CommitmentKey& key) {
                           return sum + part.positions.size() * 8 * columns(key.log_groups) + siblings;
                         });
}

}  // namespace avow::pcs
