// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <fmt/format.h>

#include "commands.hpp"
#include "model/unicode.hpp"

namespace avow::app {
namespace {

bool is_shown(std::uint32_t c) {
  const model::CharClass what = model::char_class(c);
  if (c == ' ') return true;
  if (c < 0x20 || (c >= 0x7f && c <= 0xa0) || what == model::CharClass::kUnassigned) return false;
  // Invisible signs, and those that turn the writing direction.
  const bool invisible = (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
                         c == 0xfeff || c == 0xad || c >= 0xe0000;
  return !invisible && what != model::CharClass::kSpace;
}

}  // namespace

int exit_code_of(model::Cause cause) { return cause == model::Cause::kOpen ? kEnvironment : kNo; }

int exit_code_of(const model::TokenizerFileError& error) {
  const auto* cause = std::get_if<model::Cause>(&error.cause);
  return cause != nullptr ? exit_code_of(*cause) : kNo;
}

std::string printable(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const model::Char c = model::first_char(bytes);
    if (is_shown(c.code_point) && c.code_point != '\\') {
      out += bytes.substr(0, c.size_bytes);
    } else if (c.code_point == '\n') {
      out += "\\n";
    } else if (c.code_point == '\\') {
      out += "\\\\";
    } else {
      for (const char byte : bytes.substr(0, c.size_bytes)) {
        out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(byte));
      }
    }
    bytes.remove_prefix(c.size_bytes);
  }
  return out;
}

void add_model(CLI::App& app, int& exit_code) {
  auto* model = app.add_subcommand("model", "Look at model files: GGUF files and Hugging Face folders");
  model->require_subcommand(1);

  static ModelShowOptions show_options;
  auto* show = model->add_subcommand(
      "show",
      "Print a model's architecture, sizes, weights, tokenizer and chat template; fails if any part is refused");
  show->add_option("path", show_options.path,
                   "A GGUF file, or a folder with config.json, model.safetensors and tokenizer.json")
      ->required();
  show->add_flag("--json", show_options.json, "Print one JSON object");
  show->footer("Example:\n  avow model show models/stories260K/stories260K.gguf");
  show->callback([&exit_code] { exit_code = show_model(show_options); });

  static ModelTokenizeOptions options;
  auto* tokenize =
      model->add_subcommand("tokenize", "Print a text's token ids, and the piece of text that each stands for");
  tokenize
      ->add_option("path", options.path, "A GGUF file (of a vocabulary alone will do), or a folder with tokenizer.json")
      ->required();
  auto* source = tokenize->add_option_group("the text", "Where it comes from: one of");
  source->add_option("--text", options.text, "The text itself");
  source->add_option("--file", options.file, "A file that holds it");
  source->require_option(1);
  auto* chat = tokenize->add_flag(
      "--chat", options.chat,
      "The text is a user's message: put it into the model's chat template (chatml, llama2, llama3, phi3 or zephyr)");
  tokenize->add_option("--system", options.system, "The system's message before it")->needs(chat);
  auto* parse = tokenize->add_flag("--parse-special", options.parse_special,
                                   "Names of control tokens in the text, such as </s>, become these tokens; never for "
                                   "text from others");
  parse->excludes(chat);
  tokenize->add_flag("--unknown", options.unknown,
                     "Characters that the vocabulary lacks become the unknown token instead of an error");
  tokenize->add_flag("--json", options.json, "Print one JSON object");
  tokenize->footer(
      "Examples:\n"
      "  avow model tokenize models/gpt2-tiny --text 'Once upon a time'\n"
      "  avow model tokenize model.gguf --chat --system 'Be brief.' --text 'Who was Euler?' --json");
  tokenize->callback([&exit_code] { exit_code = tokenize_text(options); });
}

}  // namespace avow::app
