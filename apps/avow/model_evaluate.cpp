// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "model.hpp"
#include "model/float_model.hpp"
#include "quantise/agreement.hpp"
#include "quantise/quantise.hpp"
#include "run.hpp"
#include "runtime/runtime.hpp"

namespace avow::app {
namespace {

int refuse_evaluation(int code, const std::string& text) {
  fmt::print(stderr, "avow model evaluate: {}\n", text);
  return code;
}

// A line that is written over on a terminal; elsewhere nothing.
void show_progress(std::size_t done, std::size_t total) {
  static const bool kIsTerminal = ::isatty(STDERR_FILENO) == 1;
  if (kIsTerminal) fmt::print(stderr, "\r{} of {} tokens{}", done, total, done == total ? "\n" : "");
}

// Both models on windows of the text, each from an empty sequence on.
base::Result<quantise::Agreement, std::string> compare(model::FloatModel& original, runtime::Runtime& integer,
                                                       const std::vector<std::uint32_t>& ids, std::size_t window) {
  quantise::Agreement agreement;
  std::vector<double> scaled;
  for (std::size_t begin = 0; begin + 1 < ids.size(); begin += window) {
    original.reset();
    integer.reset();
    const std::size_t end = std::min(ids.size() - 1, begin + window);
    for (std::size_t i = begin; i < end; ++i) {
      const auto real = original.step(ids[i]);
      const auto logits = integer.step(ids[i]);
      if (!logits) return base::Err{logits.error().text};
      scaled.assign(logits.value().begin(), logits.value().end());
      for (double& z : scaled) z /= 256;
      agreement.add(real, scaled, ids[i + 1]);
      show_progress(i + 1, ids.size() - 1);
    }
  }
  return agreement;
}

void print(const quantise::Agreement& a, bool json) {
  const nlohmann::ordered_json out{{"predictions", a.predictions},
                                   {"perplexity_float", a.perplexity_float()},
                                   {"perplexity_integer", a.perplexity_integer()},
                                   {"ratio", a.ratio()},
                                   {"kl", a.kl()},
                                   {"top1_agreement", a.top1()}};
  if (json) {
    fmt::print("{}\n", out.dump(2));
    return;
  }
  for (const auto& [key, value] : out.items()) fmt::print("{:<20}{}\n", key, value.dump());
}

struct Evaluated {
  compile::IntegerModel model;
  model::Tokenizer tokenizer;
};

base::Result<Evaluated, int> opened(const std::string& path) {
  auto loaded = load_model("avow model evaluate", path);
  if (!loaded) return base::Err{loaded.error()};
  return Evaluated{std::move(loaded.value().file.contents.model), std::move(loaded.value().tokenizer)};
}

base::Result<Evaluated, int> imported(const std::string& path, const model::Weights& weights) {
  auto tokenizer = model::load_tokenizer(path);
  if (!tokenizer) return base::Err{refuse_evaluation(exit_code_of(tokenizer.error()), to_text(tokenizer.error()))};
  auto model = quantise::quantise(weights, {});
  if (!model) return base::Err{refuse_evaluation(kNo, model.error().text)};
  return Evaluated{std::move(model).value(), std::move(tokenizer).value()};
}

}  // namespace

int evaluate_model(const EvaluateOptions& options) {
  const auto weights = model::Weights::open(options.original);
  if (!weights) return refuse_evaluation(exit_code_of(weights.error().cause), to_text(weights.error()));
  const auto evaluated = options.path.empty() ? imported(options.original, weights.value()) : opened(options.path);
  if (!evaluated) return evaluated.error();
  const auto& [model, tokenizer] = evaluated.value();
  if (weights.value().config().vocabulary != model.plan.vocabulary) {
    return refuse_evaluation(kWrongUse, "the original has another vocabulary: it is not the model that was imported");
  }
  auto original = model::FloatModel::load(weights.value());
  if (!original) return refuse_evaluation(kNo, to_text(original.error()));
  std::ifstream file(options.text, std::ios::binary);
  if (!file) return refuse_evaluation(kEnvironment, options.text + " cannot be read");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  auto ids = tokenizer.encode(text, {.unencodable = model::Unencodable::kUnknown});
  if (!ids) return refuse_evaluation(kWrongUse, ids.error().text);
  auto tokens = std::move(ids).value();
  if (options.most_tokens != 0 && tokens.size() > options.most_tokens) tokens.resize(options.most_tokens);
  if (tokens.size() < 2)
    return refuse_evaluation(kWrongUse, "the text has less than two tokens: nothing can be predicted");
  auto runtime = runtime::Runtime::create(model);
  if (!runtime) return refuse_evaluation(kNo, runtime.error().text);
  const std::size_t window = options.window == 0 ? model.plan.context : options.window;
  if (window > model.plan.context)
    return refuse_evaluation(kWrongUse, fmt::format("--window is at most {}", model.plan.context));
  const model::ModelConfig& config = weights.value().config();
  if (config.architecture == model::Architecture::kGpt2 && window > config.context)
    return refuse_evaluation(kWrongUse, fmt::format("the original has {} positions: --window is more", config.context));
  const auto agreement = compare(original.value(), runtime.value(), tokens, window);
  if (!agreement) return refuse_evaluation(kNo, agreement.error());
  print(agreement.value(), options.json);
  return kGood;
}

}  // namespace avow::app
