// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <vector>

#include "ntt/encoder.hpp"

namespace avow::ntt {
namespace {

// Args: log2 rows, columns. One transform of full size on all threads: every column from int16 cells to 64-bit values.
void BM_Transform(benchmark::State& state) {
  const auto log_rows = static_cast<unsigned>(state.range(0));
  const auto cols = static_cast<std::size_t>(state.range(1));
  std::vector<std::int16_t> cells(cols << log_rows);
  for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = static_cast<std::int16_t>(i * 7919);
  std::vector<std::uint64_t> out(cells.size());
  const Encoder encoder(log_rows, 0, {field::MatrixView::of(std::span<const std::int16_t>(cells), cols)});
  for (auto _ : state) {
    encoder.encode(0, 1, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["butterflies/s"] = benchmark::Counter(static_cast<double>(cells.size() / 2 * log_rows),
                                                       benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(BM_Transform)
    ->Args({22, 16})
    ->Args({19, 32})
    ->Args({20, 128})
    ->Args({17, 48})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace avow::ntt
