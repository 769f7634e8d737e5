// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>

#include "answer_prover/proving_model.hpp"
#include "base/hex.hpp"
#include "commands.hpp"
#include "compile/check.hpp"
#include "model.hpp"
#include "model/summary.hpp"
#include "quantise/quantise.hpp"
#include "quantise/synthetic.hpp"
#include "run.hpp"
#include "write_file.hpp"

namespace avow::app {
namespace {

int refuse_import(int code, const std::string& text) {
  fmt::print(stderr, "avow model: {}\n", text);
  return code;
}

void step(const char* text) { fmt::print(stderr, "{} ..\n", text); }

// What the file says of itself must not depend on where it lay.
std::string about_of(const std::string& path) {
  std::filesystem::path name = std::filesystem::absolute(path).lexically_normal();
  if (!name.has_filename()) name = name.parent_path();
  std::string about = fmt::format("source: {}\n", printable(name.filename().string()));
  const auto summary = model::summarise_model(path);
  if (!summary) return about;
  if (!summary.value().name.empty()) about += fmt::format("name: {}\n", printable(summary.value().name));
  if (!summary.value().licence.empty()) about += fmt::format("licence: {}\n", printable(summary.value().licence));
  return about;
}

int finish(const model::Weights& weights, const model::TokenizerData& tokenizer, const std::string& about,
           std::uint64_t context, const std::string& output) {
  step("choosing scales by bounds, rounding weights");
  auto imported = quantise::import_model(weights, {context});
  if (!imported) return refuse_import(kNo, imported.error().text);
  const model_file::Contents contents{std::move(imported.value().model), tokenizer, about};
  step("checking that no prompt can make an integer wrap");
  if (const auto problem = compile::check_no_wrap(contents.model)) return refuse_import(kNo, problem->text);
  if (const auto problem = answer_prover::check_provable(contents.model.plan)) {
    return refuse_import(kNo, "no answer of this model could be proven, with this --context: " + problem->text);
  }
  step("writing");
  if (const auto problem = model_file::write(output, contents)) return refuse_import(kEnvironment, *problem);
  // What was written is what others will read.
  const auto opened = model_file::open(output);
  if (!opened) return refuse_import(kEnvironment, to_text(opened.error()));
  const std::string names = output + ".tokenizer";
  if (const auto problem = write_file(names, model::canonical_bytes(contents.tokenizer))) {
    return refuse_import(kEnvironment, *problem);
  }
  fmt::print("{}: {} bytes, id {}\n", output, std::filesystem::file_size(output), base::to_hex(opened.value().id));
  return kGood;
}

}  // namespace

int import_model(const ImportOptions& options) {
  step("reading weights and tokenizer");
  const auto weights = model::Weights::open(options.path);
  if (!weights) return refuse_import(exit_code_of(weights.error().cause), to_text(weights.error()));
  const auto tokenizer = model::load_tokenizer(options.path);
  if (!tokenizer) return refuse_import(exit_code_of(tokenizer.error()), to_text(tokenizer.error()));
  if (tokenizer.value().token_count() > weights.value().config().vocabulary) {
    return refuse_import(kNo, "the tokenizer has more tokens than the model has words");
  }
  return finish(weights.value(), tokenizer.value().data(), about_of(options.path), options.context, options.output);
}

int synthesise_model(const SynthOptions& options) {
  const auto shape = quantise::synthetic_shape(options.shape);
  if (!shape) return refuse_import(kWrongUse, "no shape of this name");
  step("drawing weights");
  const quantise::SyntheticModel synthetic(*shape, options.seed);
  const auto weights = synthetic.weights();
  if (!weights) return refuse_import(kNo, to_text(weights.error()));
  const std::string about = fmt::format("source: random weights of shape {}, seed {}\n", options.shape, options.seed);
  return finish(weights.value(), synthetic.tokenizer(), about, options.context, options.output);
}

}  // namespace avow::app
