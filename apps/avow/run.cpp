// SPDX-License-Identifier: Apache-2.0
#include "run.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>

#include "base/hex.hpp"
#include "commands.hpp"
#include "measure.hpp"
#include "model.hpp"
#include "model/chat.hpp"
#include "model/chat_template.hpp"
#include "runtime/generate.hpp"

namespace avow::app {
namespace {

using base::Err;
using Ids = std::vector<std::uint32_t>;

std::atomic<bool> cancelled = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

int refuse_run(int code, const std::string& text) {
  fmt::print(stderr, "avow run: {}\n", text);
  return code;
}

// temperature 2^12 / tau; the seed says which of many answers.
base::Result<runtime::Sampling, std::string> sampling_of(const RunOptions& options, std::uint64_t vocabulary) {
  runtime::Sampling sampling;
  if (options.temperature == 0) return sampling;
  const double tau = std::round(4096 / options.temperature);
  if (!(tau >= 1 && tau <= compile::kLargestTau)) return Err{std::string("--temperature is from 0.25 to 4096, or 0")};
  sampling.tau = static_cast<std::uint32_t>(tau);
  sampling.top_k = options.top_k == 0 ? static_cast<std::uint32_t>(vocabulary) : options.top_k;
  const double portion = std::round(options.top_p * 65536);
  if (!(portion >= 1 && portion <= 65536)) return Err{std::string("--top-p is above 0 and at most 1")};
  sampling.portion = static_cast<std::uint32_t>(portion);
  base::Digest seed{};
  if (options.seed.empty()) {
    std::random_device device;
    for (auto& byte : seed) byte = static_cast<std::uint8_t>(device());
  } else {
    const auto bytes = base::from_hex(options.seed);
    if (!bytes || bytes->size() > seed.size()) return Err{std::string("--seed is at most 64 hexadecimal digits")};
    std::copy(bytes->begin(), bytes->end(), seed.end() - static_cast<std::ptrdiff_t>(bytes->size()));
  }
  sampling.seed = seed;
  if (const auto problem = runtime::check_sampling(sampling, vocabulary)) return Err{problem->text};
  return sampling;
}

base::Result<Ids, std::string> prompt_of(const RunOptions& options, const model::Tokenizer& tokenizer) {
  std::string text = options.prompt;
  if (!options.file.empty()) {
    std::ifstream file(options.file, std::ios::binary);
    if (!file) return Err{options.file + " cannot be read"};
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  if (!options.chat) {
    auto ids = tokenizer.encode(text);
    return ids ? base::Result<Ids, std::string>(std::move(ids).value()) : Err{ids.error().text};
  }
  const auto found = model::recognise_chat_template(tokenizer.data().chat_template);
  if (!found) return Err{found.error().text};
  std::vector<model::ChatMessage> messages;
  if (!options.system.empty()) messages.push_back({model::ChatRole::kSystem, options.system});
  messages.push_back({model::ChatRole::kUser, text});
  auto ids = encode_chat(tokenizer, found.value(), messages);
  return ids ? base::Result<Ids, std::string>(std::move(ids).value()) : Err{ids.error().text};
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
                                            const runtime::Sampling& sampling) {
  auto runtime = runtime::Runtime::create(loaded.file.contents.model);
  if (!runtime) return Err{runtime.error().text};
  runtime::GenerateOptions generation;
  generation.sampling = sampling;
  if (options.most_tokens != 0) generation.most_tokens = options.most_tokens;
  if (loaded.tokenizer.data().eos) generation.stop_ids.push_back(*loaded.tokenizer.data().eos);
  generation.cancelled = &cancelled;
  std::signal(SIGINT, [](int) { cancelled = true; });
  model::StreamDecoder decoder(loaded.tokenizer, model::DecodeFrom::kMiddle);
  Outcome outcome;
  std::string problem;
  const auto print = [&](const std::string& text) {
    outcome.text += text;
    if (options.json) return;
    fmt::print("{}", text);
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
  const auto sampling = sampling_of(options, plan.vocabulary);
  if (!sampling) return refuse_run(kWrongUse, sampling.error());
  const auto prompt = prompt_of(options, loaded.value().tokenizer);
  if (!prompt) return refuse_run(kWrongUse, prompt.error());
  if (prompt.value().empty()) return refuse_run(kWrongUse, "the prompt has no tokens: give it some text");
  if (prompt.value().size() > plan.context) {
    return refuse_run(kWrongUse,
                      fmt::format("the prompt has {} tokens, the model takes {}: shorten it, or import the model "
                                  "with a larger --context",
                                  prompt.value().size(), plan.context));
  }
  const auto outcome = generate(loaded.value(), options, prompt.value(), sampling.value());
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
  if (sampling.value().seed) out["seed"] = base::to_hex(*sampling.value().seed);
  fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  return kGood;
}

}  // namespace avow::app
