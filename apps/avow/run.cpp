// SPDX-License-Identifier: Apache-2.0
#include "run.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/hex.hpp"
#include "commands.hpp"
#include "interrupt.hpp"
#include "measure.hpp"
#include "model.hpp"
#include "request_options.hpp"
#include "runtime/generate.hpp"

namespace avow::app {
namespace {

using base::Err;
using Ids = std::vector<std::uint32_t>;

int refuse_run(int code, const std::string& text) {
  fmt::print(stderr, "avow run: {}\n", text);
  return code;
}

const char* name_of(runtime::End end) {
  switch (end) {
    case runtime::End::kStop:
      return "stop";
    case runtime::End::kMaximum:
      return "length";
    case runtime::End::kContext:
      return "context";
    case runtime::End::kCancelled:
      return "cancelled";
  }
  return "";
}

struct Outcome {
  runtime::Generated generated;
  std::string text;
  double seconds = 0;
};

base::Result<Outcome, std::string> generate(const LoadedModel& loaded, const RunOptions& options, const Ids& prompt,
                                            const compile::Sampling& sampling) {
  auto runtime = runtime::Runtime::create(loaded.file.contents.model);
  if (!runtime) return Err{runtime.error().text};
  runtime::GenerateOptions generation;
  generation.sampling = sampling;
  if (options.most_tokens != 0) generation.most_tokens = options.most_tokens;
  generation.stop_ids = stop_ids_of(loaded.tokenizer);
  generation.cancelled = &cancelled_flag();
  catch_interrupts();
  model::StreamDecoder decoder(loaded.tokenizer, model::DecodeFrom::kMiddle);
  Outcome outcome;
  std::string problem;
  const auto print = [&](const std::string& text) {
    outcome.text += text;
    if (options.json) return;
    fmt::print("{}", streamed(text));
    std::fflush(stdout);
  };
  outcome.seconds = seconds_of([&] {
    auto generated = runtime::generate(runtime.value(), prompt, generation, [&](std::uint32_t token) {
      if (token >= loaded.tokenizer.token_count()) return;  // a word of the model without a name
      const auto text = decoder.feed(token);
      if (text) print(text.value());
    });
    if (generated) {
      outcome.generated = std::move(generated).value();
    } else {
      problem = generated.error().text;
    }
  });
  print(decoder.finish());
  if (!problem.empty()) return Err{problem};
  return outcome;
}

}  // namespace

base::Result<LoadedModel, int> load_model(const char* command, const std::string& path) {
  auto opened = model_file::open(path);
  if (!opened) {
    fmt::print(stderr, "{}: {}\n", command, to_text(opened.error()));
    return Err{exit_code_of(opened.error().cause)};
  }
  auto tokenizer = model::Tokenizer::create(opened.value().contents.tokenizer);
  if (!tokenizer) {
    fmt::print(stderr, "{}: {}: {}\n", command, path, tokenizer.error().text);
    return Err{static_cast<int>(kNo)};
  }
  return LoadedModel{std::move(opened).value(), std::move(tokenizer).value()};
}

int run_model(const RunOptions& options) {
  const auto loaded = load_model("avow run", options.path);
  if (!loaded) return loaded.error();
  const compile::Plan& plan = loaded.value().file.contents.model.plan;
  const auto given = sampling_of(options.sampling, plan.vocabulary);
  if (!given) return refuse_run(kWrongUse, given.error());
  const auto sampling = answer::sampling_of(given.value(), plan.vocabulary);
  const auto text_of =
      options.file.empty() ? base::Result<std::string, std::string>(options.prompt) : read_text(options.file);
  if (!text_of) return refuse_run(kEnvironment, text_of.error());
  const auto prompt = encode_prompt(options.chat, text_of.value(), loaded.value().tokenizer);
  if (!prompt) return refuse_run(kWrongUse, prompt.error());
  if (prompt.value().size() > plan.context) {
    return refuse_run(kWrongUse,
                      fmt::format("the prompt has {} tokens, the model takes {}: shorten it, or import the model "
                                  "with a larger --context",
                                  prompt.value().size(), plan.context));
  }
  const auto outcome = generate(loaded.value(), options, prompt.value(), sampling);
  if (!outcome) return refuse_run(kNo, outcome.error());
  const auto& [generated, text, seconds] = outcome.value();
  if (!options.json) {
    fmt::print("\n");
    fmt::print(stderr, "[{} prompt tokens, {} generated in {:.1f} s, end: {}]\n", prompt.value().size(),
               generated.tokens.size(), seconds, name_of(generated.end));
    return kGood;
  }
  nlohmann::ordered_json out{{"model", base::to_hex(loaded.value().file.id)}, {"prompt_ids", prompt.value()}};
  out["ids"] = generated.tokens;
  out["text"] = text;
  out["end"] = name_of(generated.end);
  out["seconds"] = seconds;
  if (sampling.seed) out["seed"] = base::to_hex(*sampling.seed);
  fmt::print("{}\n", out.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace));
  return kGood;
}

}  // namespace avow::app
