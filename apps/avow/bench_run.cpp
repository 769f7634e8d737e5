// SPDX-License-Identifier: Apache-2.0
#include "bench_run.hpp"

#include <fmt/format.h>

#include "base/random.hpp"
#include "commands.hpp"
#include "measure.hpp"
#include "quantise/quantise.hpp"
#include "quantise/synthetic.hpp"
#include "run.hpp"
#include "runtime/generate.hpp"

namespace avow::app {

base::Result<compile::IntegerModel, std::string> bench_model(const RunBenchOptions& options) {
  if (!options.model.empty()) {
    auto opened = model_file::open(options.model);
    if (!opened) return base::Err{to_text(opened.error())};
    return std::move(opened.value().contents.model);
  }
  const auto shape = quantise::synthetic_shape(options.shape);
  if (!shape) return base::Err{fmt::format("no shape '{}'", options.shape)};
  const quantise::SyntheticModel synthetic(*shape, 1);
  const auto weights = synthetic.weights();
  if (!weights) return base::Err{to_text(weights.error())};
  auto model = quantise::quantise(weights.value(), {});
  if (!model) return base::Err{model.error().text};
  return std::move(model).value();
}

RunBenchResult bench_run(const RunBenchOptions& options) {
  const auto model = bench_model(options);
  if (!model) return {{}, model.error(), kEnvironment};
  const compile::Plan& plan = model.value().plan;
  if (std::uint64_t{options.prompt_tokens} + options.tokens > plan.context) {
    return {{}, fmt::format("prompt and tokens are more than the model's {}", plan.context), kWrongUse};
  }
  auto runtime = runtime::Runtime::create(model.value());
  if (!runtime) return {{}, runtime.error().text, kNo};
  base::SplitMix64 random(1);
  std::vector<std::uint32_t> prompt(options.prompt_tokens);
  for (auto& id : prompt) id = static_cast<std::uint32_t>(random() % plan.vocabulary);
  std::vector<double> prompts, decodes;
  for (std::uint32_t i = 0; i < options.repeat; ++i) {
    std::string problem;
    runtime.value().reset();
    prompts.push_back(options.prompt_tokens / seconds_of([&] {
                        const auto logits = runtime.value().prompt(prompt);
                        if (!logits) problem = logits.error().text;
                      }));
    if (!problem.empty()) return {{}, problem, kNo};
    runtime::GenerateOptions generation;
    generation.most_tokens = options.tokens;
    decodes.push_back(
        options.tokens / seconds_of([&] {
          const auto made = runtime::generate(runtime.value(), {prompt.data(), 1}, generation, [](auto) {});
          if (!made) problem = made.error().text;
        }));
    if (!problem.empty()) return {{}, problem, kNo};
  }
  nlohmann::ordered_json figures;
  std::uint64_t cells = 0;
  for (const auto& tensor : model.value().cells) cells += tensor.size();
  figures["model_cells"] = cells;
  figures["prompt_tokens"] = options.prompt_tokens;
  figures["tokens"] = options.tokens;
  figures["prompt_tokens_per_second"] = median(prompts);
  figures["decode_tokens_per_second"] = median(decodes);
  figures["peak_rss_mib"] = peak_rss_mib();
  return {figures, "", kGood};
}

}  // namespace avow::app
