// SPDX-License-Identifier: Apache-2.0
#include "pcs/opening_state.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>

#include "pcs/parameters.hpp"

namespace avow::pcs {
namespace {

using field::Fp;
using field::Fp3;

constexpr Phase kPhases[] = {Phase::kOracle, Phase::kRows,      Phase::kSumcheck,
                             Phase::kFinal,  Phase::kFinalRows, Phase::kFinish};

bool is_final(Phase phase) { return phase >= Phase::kFinal; }

std::vector<CommitmentKey> keys_of(std::initializer_list<std::size_t> columns) {
  std::vector<CommitmentKey> keys;
  for (const std::size_t c : columns) keys.emplace_back().log_groups = groups_of(c);
  return keys;
}

Config three_oracles() {
  Config config;
  config.log_rows = 7;
  config.oracles = {{.log_inv_rate = 2, .log_fold = 0, .queries = 9},
                    {.log_inv_rate = 1, .log_fold = 2, .queries = 5},
                    {.log_inv_rate = 3, .log_fold = 1, .queries = 4}};
  return config;
}

// A tree of a thousand columns, whose parts have four rows, and one whose rows fit one; a later one with five in a
// part.
Config cut_oracles() {
  Config config;
  config.log_rows = 10;
  config.oracles = {{.log_inv_rate = 2, .log_fold = 0, .queries = 9},
                    {.log_inv_rate = 4, .log_fold = 8, .queries = 11},
                    {.log_inv_rate = 3, .log_fold = 1, .queries = 4}};
  return config;
}

/// States with the sizes of section 12 of spec/pcs.md, as many positions as are ever drawn, random contents, and no
/// rows.
class Maker {
 public:
  Maker(Config config, std::size_t log_columns) : config_(std::move(config)), log_columns_(log_columns) {}

  OpeningState make(Phase phase, std::uint32_t oracle) {
    OpeningState state;
    state.phase = phase;
    state.oracle = oracle;
    state.join = element();
    state.claim = element();
    std::size_t bound = log_columns_;
    const std::size_t last = is_final(phase) ? config_.oracles.size() - 1 : oracle - 1;
    for (std::size_t i = 1; i <= last; ++i) bound += config_.oracles[i].log_fold;
    for (std::size_t i = 0; i < bound; ++i) state.point.push_back(element());
    const bool with_root = phase != Phase::kOracle;  // the round's own
    if (!is_final(phase) && phase != Phase::kSumcheck && oracle > 1) state.roots.push_back(digest());
    if (with_root && phase != Phase::kFinish) state.roots.push_back(digest());
    for (std::size_t i = 0; i < oracle - (with_root ? 0 : 1); ++i) {
      state.added.push_back({element(), element(), positions(i)});
    }
    if (phase >= Phase::kFinalRows) {
      for (std::size_t i = 0; i < std::size_t{1} << config_.final_log_len(); ++i) {
        state.final_coefficients.push_back(element());
      }
    }
    if (phase == Phase::kFinalRows) state.final_positions = positions(config_.oracles.size() - 1);
    return state;
  }
  OpeningState with_rows(OpeningState state, std::size_t count) {
    while (state.rows.size() < count) state.rows.push_back(digest());
    return state;
  }

  /// One of each phase and round.
  std::vector<OpeningState> all() {
    std::vector<OpeningState> states;
    const auto last = static_cast<std::uint32_t>(config_.oracles.size()) - 1;
    for (const Phase phase : kPhases) {
      for (std::uint32_t i = is_final(phase) ? last : 1; i <= last; ++i) states.push_back(make(phase, i));
    }
    return states;
  }

 private:
  Fp3 element() { return {Fp(rng_()), Fp(rng_()), Fp(rng_())}; }
  base::Digest digest() {
    base::Digest d;
    for (auto& byte : d) byte = static_cast<std::uint8_t>(rng_());
    return d;
  }
  // The last ones of the domain.
  std::vector<std::uint32_t> positions(std::size_t oracle) const {
    const std::size_t domain = std::size_t{1} << config_.log_domain(oracle);
    std::vector<std::uint32_t> result(std::min<std::size_t>(config_.oracles[oracle].queries, domain));
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<std::uint32_t>(domain - result.size() + i);
    return result;
  }

  Config config_;
  std::size_t log_columns_;
  std::mt19937_64 rng_{1};
};

TEST(OpeningState, IsReadAsItWasWritten) {
  const Config config = three_oracles();
  const auto keys = keys_of({11, 4});
  for (OpeningState& state : Maker(config, 4).all()) {
    if (state.phase == Phase::kRows && state.oracle == 1) state.tree = 1;
    ASSERT_TRUE(is_valid(config, keys, state));
    const auto bytes = encode_state(state);
    ASSERT_LE(bytes.size(), max_state_bytes(config));
    const auto decoded = decode_state(config, keys, bytes);
    ASSERT_TRUE(decoded.ok()) << static_cast<int>(decoded.error());
    ASSERT_EQ(decoded.value(), state);
    ASSERT_EQ(encode_state(decoded.value()), bytes);
  }
}

// The layout of the specification, byte for byte.
TEST(OpeningState, HasTheWrittenLayout) {
  Config config;
  config.log_rows = 1;
  config.oracles = {{.log_inv_rate = 1, .log_fold = 0, .queries = 2}, {.log_inv_rate = 1, .log_fold = 1, .queries = 2}};
  OpeningState state = Maker(config, 0).make(Phase::kFinalRows, 1);
  state.join = {Fp(1), Fp(2), Fp(3)};
  state.claim = {Fp(4), Fp(5), Fp(6)};
  state.point = {{Fp(7), Fp(8), Fp(9)}};
  state.roots = {base::Digest{0xaa}};
  state.added = {{{Fp(10), Fp(11), Fp(12)}, {Fp(13), Fp(14), Fp(15)}, {0, 3}}};
  state.final_coefficients = {{Fp(16), Fp(17), Fp(18)}};
  state.final_positions = {0, 1};
  ASSERT_TRUE(is_valid(config, keys_of({1}), state));
  base::Bytes expected;
  for (const std::uint32_t word : {2u, 5u, 1u, 0u}) base::append_be32(expected, word);
  for (std::uint64_t word = 1; word <= 9; ++word) base::append_be64(expected, word);
  base::append(expected, base::Digest{0xaa});
  for (std::uint64_t word = 10; word <= 15; ++word) base::append_be64(expected, word);
  for (const std::uint32_t word : {2u, 0u, 3u}) base::append_be32(expected, word);
  for (std::uint64_t word = 16; word <= 18; ++word) base::append_be64(expected, word);
  for (const std::uint32_t word : {2u, 0u, 1u, 0u}) base::append_be32(expected, word);
  EXPECT_EQ(encode_state(state), expected);
  // Rows that were read are the last thing; that this row is no whole part does not matter here.
  state.rows = {base::Digest{0xbb}};
  base::store_be32(&expected[expected.size() - 4], 1);
  base::append(expected, base::Digest{0xbb});
  EXPECT_EQ(encode_state(state), expected);
}

TEST(OpeningState, HasTheDigestsOfWholeParts) {
  const Config config = cut_oracles();
  const auto keys = keys_of({1000, 4});
  Maker maker(config, 10);
  const auto expect_read = [&](OpeningState state, std::initializer_list<std::size_t> counts) {
    const std::size_t empty = encode_state(state).size();
    for (std::size_t count = 0; count <= 12; ++count) {
      const bool good = std::find(counts.begin(), counts.end(), count) != counts.end();
      state.rows.clear();
      state = maker.with_rows(std::move(state), count);
      EXPECT_EQ(is_valid(config, keys, state), good) << count;
      const auto bytes = encode_state(state);
      EXPECT_EQ(bytes.size(), empty + 32 * count);
      const auto decoded = decode_state(config, keys, bytes);
      ASSERT_EQ(decoded.ok(), good) << count;
      if (good) {
        EXPECT_EQ(decoded.value(), state);
        EXPECT_LE(bytes.size(), max_state_bytes(config));
      } else {
        EXPECT_EQ(decoded.error(), StateError::kRows);
      }
    }
  };
  OpeningState state = maker.make(Phase::kRows, 1);  // nine positions
  expect_read(state, {0, 2, 4, 6, 8});
  state.tree = 1;
  expect_read(state, {0});
  state = maker.make(Phase::kRows, 2);  // eleven
  expect_read(state, {0, 2, 4, 6, 8, 10});
  state.added.back().positions.pop_back();
  expect_read(state, {0, 2, 4, 6, 8});
  expect_read(maker.make(Phase::kFinalRows, 2), {0});
}

TEST(OpeningState, HasTheRowsOfTheLastOracleAsWell) {
  Config config = cut_oracles();
  config.oracles.pop_back();
  const auto keys = keys_of({1});
  Maker maker(config, 0);
  for (const std::size_t count : {0U, 2U, 10U}) {
    const OpeningState state = maker.with_rows(maker.make(Phase::kFinalRows, 1), count);
    ASSERT_TRUE(is_valid(config, keys, state));
    EXPECT_EQ(decode_state(config, keys, encode_state(state)).value(), state);
  }
  EXPECT_FALSE(is_valid(config, keys, maker.with_rows(maker.make(Phase::kFinalRows, 1), 11)));
}

// In each phase with as many rows as can have been read, of commitments with any number of columns.
TEST(OpeningState, IsBoundedWhateverTheKeys) {
  for (const bool three : {true, false}) {
    Config config = cut_oracles();
    config.max_log_columns = 12;
    if (!three) config.oracles.pop_back();
    std::size_t longest = 0;
    for (const std::size_t columns : {1500U, 2049U, 4096U}) {
      const auto keys = keys_of({columns});
      Maker maker(config, 12 - (columns == 1500 ? 1 : 0));
      for (const OpeningState& empty : maker.all()) {
        for (std::size_t count = 0; count <= 11; ++count) {
          const OpeningState state = maker.with_rows(empty, count);
          if (is_valid(config, keys, state)) longest = std::max(longest, encode_state(state).size());
        }
      }
    }
    EXPECT_EQ(longest, max_state_bytes(config));
  }
}

TEST(OpeningState, StaysBelowSixKibibytesForAllParameters) {
  std::size_t largest = 0;
  const auto check = [&](const ParameterSet& set) {
    const Config config = set.config();
    const std::size_t bound = max_state_bytes(config);
    std::size_t longest = 0;
    constexpr std::size_t kRows = 2;  // of 2^10 columns, in a part
    Maker maker(config, config.max_log_columns);
    for (OpeningState& state : maker.all()) {
      const auto keys = keys_of({std::size_t{1} << config.max_log_columns});
      ASSERT_TRUE(is_valid(config, keys, state));
      if (state.phase == Phase::kRows && state.oracle == 1) {
        const std::size_t rows = state.added[0].positions.size();
        state = maker.with_rows(std::move(state), (rows - 1) / kRows * kRows);
        ASSERT_TRUE(is_valid(config, keys, state));
      }
      longest = std::max(longest, encode_state(state).size());
    }
    EXPECT_LE(longest, bound);
    EXPECT_LT(bound - longest, 32 * kRows);
    largest = std::max(largest, bound);
  };
  for (const ParameterSet& set : parameter_tables().witness) check(set);
  for (const ParameterSet& set : parameter_tables().model) check(set);
  EXPECT_LT(largest, 6u * 1024);
  EXPECT_EQ(largest, 4740u);  // as spec/pcs.md says
}

// --- bytes that are no state -----------------------------------------------------------------------------------------

class MalformedState : public ::testing::Test {
 protected:
  Config config = three_oracles();
  std::vector<CommitmentKey> keys = keys_of({11, 4});
  Maker maker{config, 4};

  [[nodiscard]] int error(base::ByteView bytes) const {
    const auto decoded = decode_state(config, keys, bytes);
    return decoded.ok() ? 0 : static_cast<int>(decoded.error());
  }
  // A changed state: what its bytes are refused for, after is_valid said no.
  [[nodiscard]] int error(const OpeningState& state) const {
    EXPECT_FALSE(is_valid(config, keys, state));
    return error(encode_state(state));
  }
  static int code(StateError error) { return static_cast<int>(error); }
};

TEST_F(MalformedState, TruncatedAtEveryLengthOrExtended) {
  for (const OpeningState& state : maker.all()) {
    auto bytes = encode_state(state);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_EQ(error(base::ByteView(bytes).first(size)), code(StateError::kTruncated)) << size;
    }
    bytes.push_back(0);
    ASSERT_EQ(error(bytes), code(StateError::kTrailingBytes));
  }
}

TEST_F(MalformedState, NonCanonicalElements) {
  for (const OpeningState& original : maker.all()) {
    OpeningState state = original;
    std::vector<Fp3*> elements = {&state.join, &state.claim};
    for (Fp3& x : state.point) elements.push_back(&x);
    for (AddedWeight& added : state.added) elements.insert(elements.end(), {&added.gamma, &added.ood_point});
    for (Fp3& x : state.final_coefficients) elements.push_back(&x);
    for (Fp3* element : elements) {
      for (Fp& coefficient : element->c) {
        // The word is found by a mark that occurs once.
        constexpr std::uint64_t kMark = 0x1234567890abcdef;
        const Fp before = coefficient;
        coefficient = Fp(kMark);
        auto bytes = encode_state(state);
        coefficient = before;
        std::uint8_t mark[8];
        base::store_be64(mark, kMark);
        const auto at = std::search(bytes.begin(), bytes.end(), std::begin(mark), std::end(mark));
        ASSERT_NE(at, bytes.end());
        for (const std::uint64_t word : {field::kP, field::kP + 1, ~std::uint64_t{0}}) {
          base::store_be64(&*at, word);
          ASSERT_EQ(error(bytes), code(StateError::kNonCanonical));
        }
      }
    }
  }
}

TEST_F(MalformedState, WrongHead) {
  const auto with = [&](Phase phase, std::uint32_t oracle, std::size_t offset, std::uint32_t word) {
    auto bytes = encode_state(maker.make(phase, oracle));
    base::store_be32(&bytes[offset], word);
    return error(bytes);
  };
  for (const std::uint32_t version : {0u, 1u, 3u, 0x02000000u}) {
    EXPECT_EQ(with(Phase::kOracle, 1, 0, version), code(StateError::kVersion));
  }
  for (const std::uint32_t phase : {0u, 7u, 257u, ~0u}) {
    EXPECT_EQ(with(Phase::kOracle, 1, 4, phase), code(StateError::kPhase));
  }
  for (const std::uint32_t oracle : {0u, 3u, 16u, ~0u}) {
    EXPECT_EQ(with(Phase::kRows, 1, 8, oracle), code(StateError::kOracle));
    EXPECT_EQ(with(Phase::kFinish, 2, 8, oracle), code(StateError::kOracle));
  }
  EXPECT_EQ(with(Phase::kFinalRows, 2, 8, 1), code(StateError::kOracle));
  EXPECT_EQ(with(Phase::kRows, 1, 12, 1), 0);
  EXPECT_EQ(with(Phase::kRows, 1, 12, 2), code(StateError::kTree));
  EXPECT_EQ(with(Phase::kRows, 1, 12, ~0u), code(StateError::kTree));
  for (const Phase phase : kPhases) EXPECT_EQ(with(phase, 2, 12, 1), code(StateError::kTree));
}

TEST_F(MalformedState, WrongPositions) {
  using Positions = std::vector<std::uint32_t>;
  const std::function<void(Positions&)> changes[] = {
      [](Positions& p) { p.clear(); },
      [](Positions& p) { p[1] = p[0]; },
      [](Positions& p) { std::swap(p[0], p[1]); },
      [](Positions& p) { ++p.back(); },  // the first outside the domain
      [](Positions& p) { p.back() = ~0u; },
      [](Positions& p) { p.insert(p.begin(), 0); },  // more than there are queries
  };
  for (const OpeningState& original : maker.all()) {
    for (const auto& change : changes) {
      for (std::size_t i = 0; i < original.added.size(); ++i) {
        OpeningState state = original;
        change(state.added[i].positions);
        ASSERT_EQ(error(state), code(StateError::kPositions));
      }
      if (original.phase != Phase::kFinalRows) continue;
      OpeningState state = original;
      change(state.final_positions);
      ASSERT_EQ(error(state), code(StateError::kPositions));
    }
  }
}

// A count that asks for more than the bytes hold is refused before anything is allocated for it.
TEST_F(MalformedState, CountOfPositionsBeyondTheBytes) {
  config.oracles[0].queries = 1024;
  config.oracles[0].log_inv_rate = 10;
  auto bytes = encode_state(maker.make(Phase::kRows, 1));
  const std::size_t count = bytes.size() - 4 * 9 - 4 - 4;
  base::store_be32(&bytes[count], 1024);
  EXPECT_EQ(error(bytes), code(StateError::kTruncated));
  base::store_be32(&bytes[count], 1025);
  EXPECT_EQ(error(bytes), code(StateError::kPositions));
}

TEST_F(MalformedState, CountOfRowsBeyondTheBytesOrThePositions) {
  config = cut_oracles();
  keys = keys_of({1000, 4});
  auto bytes = encode_state(Maker(config, 10).make(Phase::kRows, 1));
  const std::size_t count = bytes.size() - 4;
  for (const std::uint32_t rows : {4u, 8u}) {
    base::store_be32(&bytes[count], rows);
    EXPECT_EQ(error(bytes), code(StateError::kTruncated));
  }
  for (const std::uint32_t rows : {1u, 3u, 5u, 9u, 12u, 0xfffffffcu}) {
    base::store_be32(&bytes[count], rows);
    EXPECT_EQ(error(bytes), code(StateError::kRows));
  }
}

TEST_F(MalformedState, ListsOfAnotherLength) {
  const std::function<void(OpeningState&)> changes[] = {
      [](OpeningState& s) { s.point.pop_back(); },
      [](OpeningState& s) { s.point.emplace_back(); },
      [](OpeningState& s) { s.roots.emplace_back(); },
      [](OpeningState& s) {
        s.added.push_back({{}, {}, {0}});
      },
      [](OpeningState& s) { s.final_coefficients.emplace_back(); },
      [](OpeningState& s) { s.final_positions.push_back(~0u); },
      [](OpeningState& s) { s.rows.emplace_back(); },
  };
  for (const OpeningState& original : maker.all()) {
    for (const auto& change : changes) {
      OpeningState state = original;
      change(state);
      ASSERT_FALSE(is_valid(config, keys, state));
    }
  }
}

TEST_F(MalformedState, WrongConfigurationOrKeys) {
  const OpeningState state = maker.make(Phase::kRows, 2);
  keys[0].log_groups = {61};
  EXPECT_EQ(error(state), code(StateError::kKeys));
  keys.clear();
  EXPECT_EQ(error(state), code(StateError::kKeys));
  keys = keys_of({32});  // another number of column variables
  EXPECT_NE(error(state), 0);
  keys = keys_of({11, 4});
  EXPECT_EQ(error(encode_state(state)), 0);
  config.oracles[1].queries = 0;
  EXPECT_EQ(error(state), code(StateError::kConfig));
}

}  // namespace
}  // namespace avow::pcs
