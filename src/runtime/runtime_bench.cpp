// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "runtime/generate.hpp"
#include "runtime/model_testing.hpp"
#include "runtime/witness.hpp"

namespace avow::runtime {
namespace {

using compile::Plan;

// LLaMA's shape with 124 million parameters.
Plan plan_124m() {
  Plan plan;
  plan.tied = true;
  plan.layers = 12;
  plan.width = 768;
  plan.kv_heads = 12;
  plan.group = 1;
  plan.head_size = 64;
  plan.hidden = 2048;
  plan.vocabulary = 50257;
  plan.context = 1024;
  testing::scale(plan, 1);
  return plan;
}
const compile::IntegerModel& model_124m() {
  static const compile::IntegerModel kModel = testing::random_model(plan_124m(), 1);
  return kModel;
}

std::vector<std::uint32_t> ids(std::size_t count) {
  std::vector<std::uint32_t> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint32_t>(i * 7919 % 50257);
  return out;
}

void tokens(benchmark::State& state, std::size_t count) {
  state.counters["tokens"] =
      benchmark::Counter(static_cast<double>(count), benchmark::Counter::kIsIterationInvariantRate);
}

// Tokens chosen one by one after so many.
void BM_Decode(benchmark::State& state) {
  constexpr std::size_t kTokens = 32;
  auto runtime = Runtime::create(model_124m());
  const auto first = static_cast<std::size_t>(state.range(0));
  if (!runtime.value().process(ids(first), {}).ok()) state.SkipWithError("out of range");
  GenerateOptions options;
  options.most_tokens = kTokens;
  for (auto _ : state) {
    runtime.value().rewind(first);
    if (!generate(runtime.value(), ids(1), options, [](std::uint32_t) {}).ok()) state.SkipWithError("out of range");
  }
  tokens(state, kTokens);
}
BENCHMARK(BM_Decode)->Arg(1)->Arg(512)->Arg(960)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_Prompt(benchmark::State& state) {
  auto runtime = Runtime::create(model_124m());
  const auto prompt = ids(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    runtime.value().reset();
    if (!runtime.value().prompt(prompt).ok()) state.SkipWithError("out of range");
  }
  tokens(state, prompt.size());
}
BENCHMARK(BM_Prompt)->Arg(32)->Arg(256)->Arg(1024)->MeasureProcessCPUTime()->UseRealTime()->Unit(
    benchmark::kMillisecond);

// Everything that a proof of so many tokens, half of them chosen, commits to.
void BM_Witness(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  WitnessRequest request{ids(count), {}, {}};
  for (std::uint32_t s = count / 2; s < count; ++s) request.positions.push_back(s);
  std::size_t cells = 0;
  for (auto _ : state) {
    const auto witness = make_witness(model_124m(), request);
    if (!witness.ok()) {
      state.SkipWithError(witness.error().text.c_str());
      break;
    }
    cells = 0;
    for (const auto& [name, tensor] : witness.value().tensors) cells += tensor.size();
  }
  tokens(state, count);
  state.counters["cells"] = static_cast<double>(cells);
}
BENCHMARK(BM_Witness)->Arg(64)->Arg(256)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

// A matrix with one row of 768 cells, and with a block of them.
template <auto kDots>
void BM_Dots(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const std::vector<std::int16_t> a(768 * 768, 123), b(rows * 768, -45);
  std::vector<std::int64_t> out(rows * 768);
  for (auto _ : state) {
    kDots({a.data(), 768, 768}, {b.data(), 768, rows}, 768, out.data(), 768);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["products"] =
      benchmark::Counter(static_cast<double>(rows * a.size()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(BM_Dots<dots>)->Arg(1)->Arg(32);
BENCHMARK(BM_Dots<dots_ref>)->Arg(1);

}  // namespace
}  // namespace avow::runtime
