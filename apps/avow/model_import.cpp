// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>

#include "base/hex.hpp"
#include "commands.hpp"
#include "compile/check.hpp"
#include "measure.hpp"
#include "model.hpp"
#include "model/summary.hpp"
#include "quantise/quantise.hpp"
#include "run.hpp"

namespace avow::app {
namespace {

int refuse(int code, const std::string& text) {
  fmt::print(stderr, "avow model import: {}\n", text);
  return code;
}

void step(const char* text) { fmt::print(stderr, "{} ..\n", text); }

// What the file says of itself must not depend on where it lay.
std::string about_of(const std::string& path) {
  std::filesystem::path name = std::filesystem::path(path).lexically_normal();
  if (!name.has_filename()) name = name.parent_path();
  std::string about = fmt::format("source: {}\n", printable(name.filename().string()));
  const auto summary = model::summarise_model(path);
  if (!summary) return about;
  if (!summary.value().name.empty()) about += fmt::format("name: {}\n", printable(summary.value().name));
  if (!summary.value().licence.empty()) about += fmt::format("licence: {}\n", printable(summary.value().licence));
  return about;
}

}  // namespace

int import_model(const ImportOptions& options) {
  step("reading weights and tokenizer");
  const auto weights = model::Weights::open(options.path);
  if (!weights) return refuse(exit_code_of(weights.error().cause), to_text(weights.error()));
  const auto tokenizer = model::load_tokenizer(options.path);
  if (!tokenizer) return refuse(exit_code_of(tokenizer.error()), to_text(tokenizer.error()));
  if (tokenizer.value().token_count() > weights.value().config().vocabulary) {
    return refuse(kNo, "the tokenizer has more tokens than the model has words");
  }
  step("choosing scales by bounds, rounding weights");
  model_file::Contents contents;
  auto imported = quantise::import_model(weights.value(), {options.context});
  if (!imported) return refuse(kNo, imported.error().text);
  contents.model = std::move(imported.value().model);
  step("checking that no prompt can make an integer wrap");
  if (const auto problem = compile::check_no_wrap(contents.model)) return refuse(kNo, problem->text);
  contents.tokenizer = tokenizer.value().data();
  contents.about = about_of(options.path);
  step("writing");
  if (const auto problem = model_file::write(options.output, contents)) return refuse(kEnvironment, *problem);
  // What was written is what others will read.
  const auto opened = model_file::open(options.output);
  if (!opened) return refuse(kEnvironment, to_text(opened.error()));
  fmt::print("{}: {} bytes, id {}\n", options.output, std::filesystem::file_size(options.output),
             base::to_hex(opened.value().id));
  return kGood;
}

}  // namespace avow::app
