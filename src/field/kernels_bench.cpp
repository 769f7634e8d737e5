// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <random>

#include "field/kernels.hpp"

namespace avow::field {
namespace {

std::vector<Fp3> random3(std::size_t count) {
  std::mt19937_64 rng(1);
  std::vector<Fp3> out(count);
  for (auto& v : out) v = {Fp(rng()), Fp(rng()), Fp(rng())};
  return out;
}

constexpr std::size_t kRows = std::size_t{1} << 17;

std::vector<std::int16_t> random_cells(std::size_t count) {
  std::mt19937_64 rng(2);
  std::vector<std::int16_t> out(count);
  for (auto& v : out) v = static_cast<std::int16_t>(rng());
  return out;
}

void items(benchmark::State& state, std::size_t count) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

void BM_ScalarProduct3(benchmark::State& state) {
  auto v = random3(1024);
  for (auto _ : state) {
    Fp3 p = kOne3;
    for (const Fp3& x : v) p *= x;
    benchmark::DoNotOptimize(p);
  }
  items(state, v.size());
}
BENCHMARK(BM_ScalarProduct3);

void BM_ColumnDots(benchmark::State& state) {
  const auto cols = static_cast<std::size_t>(state.range(0));
  const auto cells = random_cells(kRows * cols);
  const auto weights = random3(kRows);
  for (auto _ : state) benchmark::DoNotOptimize(column_dots(MatrixView::of(std::span(cells), cols), 0, weights));
  items(state, cells.size());
}
BENCHMARK(BM_ColumnDots)->Arg(16)->Arg(32)->Arg(128)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_RowDots(benchmark::State& state) {
  const auto cols = static_cast<std::size_t>(state.range(0));
  const auto cells = random_cells(kRows * cols);
  const auto weights = random3(cols);
  std::vector<Fp3> out(kRows);
  for (auto _ : state) add_row_dots(MatrixView::of(std::span(cells), cols), weights, out);
  items(state, cells.size());
}
BENCHMARK(BM_RowDots)->Arg(16)->Arg(32)->Arg(128)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_Tensor(benchmark::State& state) {
  std::vector<Factor> factors(20);
  const auto values = random3(40);
  for (std::size_t i = 0; i < 20; ++i) factors[i] = {values[2 * i], values[2 * i + 1]};
  std::vector<Fp3> out(std::size_t{1} << 20);
  for (auto _ : state) add_tensor(out, factors, values[0]);
  items(state, out.size());
}
BENCHMARK(BM_Tensor)->UseRealTime()->Unit(benchmark::kMillisecond);

// 72 points: the queries of a rate-1/8 oracle.
void BM_Powers(benchmark::State& state) {
  std::vector<Fp> points(72);
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = Fp(i * 123456789 + 5);
  const auto coefficients = random3(points.size());
  std::vector<Fp3> out(std::size_t{1} << 20);
  for (auto _ : state) add_powers(out, points, coefficients);
  items(state, out.size());
}
BENCHMARK(BM_Powers)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_FoldPairs(benchmark::State& state) {
  const auto f = random3(std::size_t{1} << 20);
  for (auto _ : state) benchmark::DoNotOptimize(fold_pairs(f, f[1]));
  items(state, f.size());
}
BENCHMARK(BM_FoldPairs)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_SumProducts(benchmark::State& state) {
  const auto f = random3(std::size_t{1} << 20);
  for (auto _ : state) benchmark::DoNotOptimize(sum_products(f, f));
  items(state, f.size());
}
BENCHMARK(BM_SumProducts)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace avow::field
