// SPDX-License-Identifier: Apache-2.0
#include "lookup_prover/bench.hpp"

#include <algorithm>

#include "base/buffer.hpp"
#include "base/check.hpp"
#include "base/random.hpp"
#include "hash/keccak.hpp"
#include "lookup/verify.hpp"

namespace avow::lookup {
namespace {

using field::Fp;

struct BenchColumn {
  base::Buffer<Fp3> denominators;
  std::vector<std::int32_t> numerators;
};

}  // namespace

BenchResult bench(unsigned log_cells, BenchNumerators numerators) {
  AVOW_CHECK(log_cells >= 2 && log_cells <= kMaxLogSize);
  const unsigned log_table = std::min(16u, log_cells - 1);
  base::SplitMix64 random(1);
  const Fp3 alpha{Fp(random()), Fp(random()), Fp(random())};
  const auto key = [&](std::uint64_t value) { return alpha - Fp3(Fp(value), Fp(value * value), Fp()); };
  Config config;
  std::vector<BenchColumn> columns;
  std::vector<std::int32_t> counts(std::size_t{1} << log_table);
  const bool mask = numerators == BenchNumerators::kMask;
  for (unsigned log_size = log_cells - 1; log_size >= log_table; --log_size) {
    config.columns.push_back({static_cast<std::uint8_t>(log_size), Numerators::kSent});
    const std::size_t size = std::size_t{1} << log_size;
    BenchColumn& column = columns.emplace_back(BenchColumn{base::Buffer<Fp3>(size), {}});
    if (mask) column.numerators.resize(size);
    for (std::size_t x = 0; x < size; ++x) {
      const std::uint64_t value = random() % counts.size();
      column.denominators[x] = key(value);
      const bool counted = !mask || x % 8 != 0;
      if (mask) column.numerators[x] = counted ? 1 : 0;
      if (counted) ++counts[value];
    }
  }
  config.columns.push_back({static_cast<std::uint8_t>(log_table), Numerators::kSent});
  BenchColumn& table = columns.emplace_back(BenchColumn{base::Buffer<Fp3>(counts.size()), {}});
  for (std::size_t value = 0; value < counts.size(); ++value) {
    table.denominators[value] = key(value);
    table.numerators.push_back(-counts[value]);
  }

  std::vector<ColumnData> data;
  for (const BenchColumn& column : columns) {
    data.push_back({column.denominators, Ones{}});
    if (!column.numerators.empty()) data.back().numerators = std::span<const std::int32_t>(column.numerators);
  }

  BenchResult result;
  result.cells = std::size_t{1} << log_cells;
  const base::Digest protocol = hash::keccak256(encode(config));
  transcript::Transcript prover(protocol, {}, {});
  const auto start = std::chrono::steady_clock::now();
  const Proved proved = prove(prover, config, data, &result.parts);
  const auto proven = std::chrono::steady_clock::now();
  transcript::Transcript verifier(protocol, {}, {});
  const auto claims = verify(verifier, config, proved.proof);
  result.verify = std::chrono::steady_clock::now() - proven;
  result.prove = proven - start;
  result.proof_bytes = proved.proof.size();
  result.accepted = claims.ok() && claims.value() == proved.claims;
  return result;
}

}  // namespace avow::lookup
