// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <random>

#include "lookup_prover/bench.hpp"
#include "lookup_prover/kernels.hpp"

namespace avow::lookup {
namespace {

using field::Fp;

std::vector<Fp3> random3(std::size_t count) {
  std::mt19937_64 rng(1);
  std::vector<Fp3> out(count);
  for (auto& v : out) v = {Fp(rng()), Fp(rng()), Fp(rng())};
  return out;
}

// Pairs of a block as in a proof: all in the cache, one thread.
constexpr std::size_t kPairs = kBlock;

struct Block {
  std::vector<Fp3> data = random3(8 * kPairs);
  Fractions f{&data[0], &data[2 * kPairs], &data[4 * kPairs], &data[6 * kPairs]};
  std::vector<Fp3> weights = random3(kPairs);
  std::vector<Fp3> out = std::vector<Fp3>(4 * kPairs);
};

void items(benchmark::State& state, std::size_t count) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

void BM_SumRound(benchmark::State& state) {
  const Block b;
  for (auto _ : state) benchmark::DoNotOptimize(sum_round(b.f, b.weights));
  items(state, kPairs);
}
BENCHMARK(BM_SumRound);

void BM_SumRoundRef(benchmark::State& state) {
  const Block b;
  for (auto _ : state) benchmark::DoNotOptimize(sum_round_ref(b.f, b.weights));
  items(state, kPairs);
}
BENCHMARK(BM_SumRoundRef);

void BM_SumRoundOfInverses(benchmark::State& state) {
  const Block b;
  for (auto _ : state) benchmark::DoNotOptimize(sum_round_of_inverses(b.f, b.weights[0], b.weights));
  items(state, kPairs);
}
BENCHMARK(BM_SumRoundOfInverses);

void BM_SumRoundOfInversesRef(benchmark::State& state) {
  const Block b;
  for (auto _ : state) benchmark::DoNotOptimize(sum_round_of_inverses_ref(b.f, b.weights[0], b.weights));
  items(state, kPairs);
}
BENCHMARK(BM_SumRoundOfInversesRef);

void BM_Fold(benchmark::State& state) {
  Block b;
  for (auto _ : state) {
    fold(b.data, b.weights[0], b.out);
    benchmark::ClobberMemory();
  }
  items(state, b.out.size());
}
BENCHMARK(BM_Fold);

void BM_FoldRef(benchmark::State& state) {
  Block b;
  for (auto _ : state) {
    fold_ref(b.data, b.weights[0], b.out);
    benchmark::ClobberMemory();
  }
  items(state, b.out.size());
}
BENCHMARK(BM_FoldRef);

void BM_AddFractions(benchmark::State& state) {
  Block b;
  const std::span<Fp3> out(b.out);
  for (auto _ : state) {
    add_fractions(b.f, out.first(2 * kPairs), out.subspan(2 * kPairs));
    benchmark::ClobberMemory();
  }
  items(state, 2 * kPairs);
}
BENCHMARK(BM_AddFractions);

void BM_AddFractionsRef(benchmark::State& state) {
  Block b;
  const std::span<Fp3> out(b.out);
  for (auto _ : state) {
    add_fractions_ref(b.f, out.first(2 * kPairs), out.subspan(2 * kPairs));
    benchmark::ClobberMemory();
  }
  items(state, 2 * kPairs);
}
BENCHMARK(BM_AddFractionsRef);

void BM_AddInverses(benchmark::State& state) {
  Block b;
  const std::span<Fp3> out(b.out);
  for (auto _ : state) {
    add_inverses(b.f, out.first(2 * kPairs), out.subspan(2 * kPairs));
    benchmark::ClobberMemory();
  }
  items(state, 2 * kPairs);
}
BENCHMARK(BM_AddInverses);

void BM_Split(benchmark::State& state) {
  Block b;
  const std::span<Fp3> out(b.out);
  for (auto _ : state) {
    split(std::span(b.data).first(4 * kPairs), out.first(2 * kPairs), out.subspan(2 * kPairs));
    benchmark::ClobberMemory();
  }
  items(state, 2 * kPairs);
}
BENCHMARK(BM_Split);

// Whole proofs of 2^range(0) cells; range(1): numerators.
void BM_Prove(benchmark::State& state) {
  for (auto _ : state) {
    const BenchResult r = bench(static_cast<unsigned>(state.range(0)), static_cast<BenchNumerators>(state.range(1)));
    if (!r.accepted) state.SkipWithError("rejected");
    const auto seconds = [](std::chrono::nanoseconds t) { return std::chrono::duration<double>(t).count(); };
    state.SetIterationTime(seconds(r.prove));
    state.counters["tree_ms"] = 1e3 * seconds(r.parts.tree);
    state.counters["bottom_ms"] = 1e3 * seconds(r.parts.bottom);
    state.counters["upper_ms"] = 1e3 * seconds(r.parts.upper);
    state.counters["verify_ms"] = 1e3 * seconds(r.verify);
    state.counters["proof_bytes"] = static_cast<double>(r.proof_bytes);
  }
}
BENCHMARK(BM_Prove)->Args({20, 0})->Args({20, 1})->Args({24, 0})->Args({24, 1})->UseManualTime()->Unit(
    benchmark::kMillisecond);

}  // namespace
}  // namespace avow::lookup
