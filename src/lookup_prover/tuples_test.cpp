// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "field/random_testing.hpp"
#include "lookup_prover/halving.hpp"
#include "lookup_prover/instance_testing.hpp"

// Columns of tuples, in runs with gaps and under masks, against the same cells written out: these are one run, and
// every numerator is stored.
namespace avow::lookup {
namespace {

using field::Fp;
using field::kOne3;
using field::random_element;

// What a column of tuples refers to, and its cells.
struct TupleColumn {
  TupleCells tuples;
  std::vector<std::int8_t> bytes, mask;
  std::vector<std::int32_t> ints;
  std::vector<Fp> elements;
  std::vector<Fp3> denominators, numerators;

  TupleColumn(const Runs& runs, std::size_t entries, bool masked, std::mt19937_64& rng) {
    tuples.runs = runs;
    tuples.constant = random_element(rng);
    for (std::size_t i = 0; i < runs.stored(); ++i) {
      bytes.push_back(static_cast<std::int8_t>(rng()));
      ints.push_back(static_cast<std::int32_t>(rng()));
      elements.push_back(Fp(rng()));
      mask.push_back(static_cast<std::int8_t>(rng() % 2));
    }
    tuples.entries = {{field::CellType::kInt32, ints.data(), kOne3},
                      {field::CellType::kInt8, bytes.data(), random_element(rng)},
                      {field::CellType::kFp, elements.data(), random_element(rng)}};
    tuples.entries.resize(entries);
    if (masked) tuples.mask = mask;
    write_out(masked);
  }
  TupleColumn(const TupleColumn&) = delete;
  TupleColumn& operator=(const TupleColumn&) = delete;

  [[nodiscard]] ColumnData in_runs() const { return {{}, Ones{}, &tuples}; }
  [[nodiscard]] ColumnData cells() const { return {denominators, std::span<const Fp3>(numerators)}; }

 private:
  void write_out(bool masked) {
    denominators.assign(tuples.size(), kOne3);
    numerators.resize(tuples.size());
    for (std::size_t run = 0, i = 0; run < tuples.runs.count(); ++run) {
      const std::uint64_t begin = tuples.runs.place(run);
      for (std::uint64_t x = begin; x < begin + tuples.runs.length; ++x, ++i) {
        const Fp3 values[] = {Fp3(Fp::from_int(ints[i])), Fp3(Fp::from_int(bytes[i])), Fp3(elements[i])};
        denominators[x] = tuples.constant;
        for (std::size_t k = 0; k < tuples.entries.size(); ++k) {
          denominators[x] -= tuples.entries[k].factor * values[k];
        }
        if (!masked || mask[i] != 0) numerators[x] = kOne3;
      }
    }
  }
};

// Two columns of 2^log_size cells.
base::Bytes proof_of(unsigned log_size, const ColumnData& first, const ColumnData& second) {
  const auto log = static_cast<std::uint8_t>(log_size);
  auto transcript = testing::Instance::start();
  return prove(transcript, {{{log, Numerators::kSent}, {log, Numerators::kPublic}}}, std::vector{first, second}).proof;
}

unsigned log_of(std::uint64_t size) {
  unsigned log = 0;
  while (std::uint64_t{1} << log < size) ++log;
  return log;
}

void expect_same_proof(const Runs& runs, bool masked, std::mt19937_64& rng) {
  const TupleColumn column(runs, 1, masked, rng);
  const TupleColumn other(runs, 1, false, rng);
  const unsigned log_size = log_of(runs.size());
  EXPECT_EQ(proof_of(log_size, column.in_runs(), other.in_runs()), proof_of(log_size, column.cells(), other.cells()));
}

// Runs in a column of 2^log_size cells, on up to three levels.
Runs random_runs(unsigned log_size, std::mt19937_64& rng) {
  const auto up_to = [&](unsigned log) {
    const std::uint64_t most = std::uint64_t{1} << log;
    const std::uint64_t counts[] = {most, most - most / 4, most - rng() % 2 * (most / 2), 1 + rng() % most};
    return counts[rng() % 4];
  };
  unsigned log = static_cast<unsigned>(rng() % (log_size + 1));
  Runs runs{up_to(log), {}};
  while (log < log_size && runs.levels.size() < 3) {
    const unsigned next = log + 1 + static_cast<unsigned>(rng() % (log_size - log));
    runs.levels.push_back({log, up_to(next - log)});
    log = next;
  }
  return runs;
}

TEST(Tuples, GiveTheSameProofAsTheirCells) {
  std::mt19937_64 rng(17);
  for (std::size_t round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    const auto log_size = static_cast<unsigned>(rng() % 14);
    const TupleColumn column(random_runs(log_size, rng), 1 + round % 3, round % 2 == 1, rng);
    std::vector<std::int32_t> given(column.tuples.size());
    for (auto& x : given) x = static_cast<std::int32_t>(rng() % 100);
    const std::span<const std::int32_t> numerators = given;
    EXPECT_EQ(proof_of(log_size, {{}, numerators, &column.tuples}, column.in_runs()),
              proof_of(log_size, {column.denominators, numerators}, column.cells()));
  }
}

// Every length of a run, odd ones and whole periods included, with gaps that are joined sooner or later.
TEST(Tuples, RunsOfEveryLength) {
  std::mt19937_64 rng(18);
  for (unsigned log_period = 1; log_period <= 7; ++log_period) {
    for (std::uint64_t length = 1; length <= std::uint64_t{1} << log_period; ++length) {
      SCOPED_TRACE(length);
      expect_same_proof({length, {{log_period, 5 + length % 8}}}, length % 5 == 0, rng);
    }
  }
}

// Long periods: runs of several blocks of work, and of one cell; ends before and behind a power of two.
TEST(Tuples, RunsOfLongPeriods) {
  std::mt19937_64 rng(19);
  for (const std::uint64_t length : {1u, 2u, 7u, 255u, 513u, 767u, 768u, 769u, 1000u, 1018u, 1023u, 1024u}) {
    for (const std::uint64_t count : {1u, 3u, 8u, 13u}) {
      SCOPED_TRACE(length);
      expect_same_proof({length, {{10, count}}}, false, rng);
    }
  }
}

// Gaps of two and of three levels, as of features in tokens in layers in requests.
TEST(Tuples, RunsOnSeveralLevels) {
  std::mt19937_64 rng(20);
  const Runs shapes[] = {
      {768, {{10, 8}, {13, 12}}},      {768, {{10, 8}, {13, 3}, {15, 2}}}, {12, {{4, 12}, {8, 12}}},
      {48, {{6, 5}, {9, 3}, {11, 5}}}, {33, {{6, 3}, {8, 3}, {10, 3}}},    {64, {{7, 1}, {9, 3}}},
      {1, {{5, 3}, {9, 3}, {12, 2}}},  {1, {{0, 1}, {3, 1}, {8, 7}}},      {3, {{2, 3}, {4, 3}, {6, 9}}},
      {1536, {{12, 3}, {14, 3}}},      {201, {{8, 3}, {10, 5}}},           {5, {{3, 3}, {11, 3}}}};
  for (const Runs& runs : shapes) {
    SCOPED_TRACE(runs.length);
    for (const bool masked : {false, true}) expect_same_proof(runs, masked, rng);
  }
}

// The layers hold the runs alone: their numerators too only where they are not one.
TEST(Tuples, GapsAreNotStored) {
  std::mt19937_64 rng(21);
  const TupleColumn column({768, {{10, 8}, {14, 3}}}, 1, false, rng);
  const std::vector<ColumnData> data{column.in_runs()};
  const Config config{{{16, Numerators::kSent}}};
  Layer layer = make_leaves(config, make_layout(config), data);
  const auto stored = [&](const Halving& plan) { return plan.next.tables.q0.size() - plan.next.tail.runs.length; };
  const std::size_t cells = column.tuples.runs.stored();
  Spare none;
  const Halving fold = plan_halving(layer, Halving::Kind::kFold, none);
  EXPECT_EQ(stored(fold), cells / 4);
  EXPECT_EQ(fold.next.tables.p0.size(), fold.next.tail.runs.length);
  layer = add_pairs(layer);
  EXPECT_EQ(layer.tables.q0.size(), layer.tail.runs.length);
  for (std::size_t divisor = 8; divisor <= 32; divisor *= 2) {
    layer = add_pairs(layer);
    EXPECT_EQ(layer.tables.q0.size() - layer.tail.runs.length, cells / divisor);
    EXPECT_EQ(layer.tables.p0.size(), layer.tables.q0.size());
  }
}

}  // namespace
}  // namespace avow::lookup
