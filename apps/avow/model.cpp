// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "commands.hpp"
#include "model/unicode.hpp"
#include "prove.hpp"
#include "quantise/synthetic.hpp"
#include "registry.hpp"
#include "run.hpp"

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

// Of options that say whom something is for: an unset variable of a script must not mean anybody.
CLI::Validator not_empty() {
  return {[](const std::string& text) { return text.empty() ? std::string("is empty") : std::string(); }, ""};
}

}  // namespace

int exit_code_of(model::Cause cause) { return cause == model::Cause::kOpen ? kEnvironment : kNo; }

int exit_code_of(const model::TokenizerFileError& error) {
  const auto* cause = std::get_if<model::Cause>(&error.cause);
  return cause != nullptr ? exit_code_of(*cause) : kNo;
}

namespace {

// `keeps`: what is left as it is though it is no letter or sign.
std::string without_controls(std::string_view bytes, std::string_view keeps) {
  std::string out;
  while (!bytes.empty()) {
    const model::Char c = model::first_char(bytes);
    const std::string_view own = bytes.substr(0, c.size_bytes);
    const bool is_kept = own.size() == 1 && keeps.find(own[0]) != std::string_view::npos;
    if (is_kept || (is_shown(c.code_point) && c.code_point != '\\')) {
      out += own;
    } else if (c.code_point == '\n') {
      out += "\\n";
    } else if (c.code_point == '\\') {
      out += "\\\\";
    } else {
      for (const char byte : own) out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(byte));
    }
    bytes.remove_prefix(c.size_bytes);
  }
  return out;
}

}  // namespace

std::string printable(std::string_view bytes) { return without_controls(bytes, ""); }

std::string streamed(std::string_view bytes) {
  return ::isatty(STDOUT_FILENO) != 0 ? without_controls(bytes, "\n\t\\") : std::string(bytes);
}

void add_model(CLI::App& app, int& exit_code) {
  auto* model = app.add_subcommand("model", "Import model files, look at them, register them on a chain");
  model->require_subcommand(1);

  static ModelShowOptions show_options;
  auto* show = model->add_subcommand(
      "show",
      "Print a model's architecture, sizes, weights, tokenizer and chat template; fails if any part is refused");
  show->add_option("path", show_options.path,
                   "A .avow file, a GGUF file, or a folder with config.json, model.safetensors and tokenizer.json")
      ->required();
  show->add_flag("--json", show_options.json, "Print one JSON object");
  show->footer("Example:\n  avow model show models/stories260K/stories260K.gguf");
  show->callback([&exit_code] { exit_code = show_model(show_options); });

  static ImportOptions import_options;
  auto* importing = model->add_subcommand(
      "import", "Make the exact integer model of a model file: the .avow file that is run and proven");
  importing->add_option("path", import_options.path, "A GGUF file, or a Hugging Face folder")->required();
  importing->add_option("-o,--output", import_options.output, "The .avow file to write")->required();
  importing->add_option(
      "--context", import_options.context,
      "Most tokens of one run, rounded down to 2^k or 3 * 2^(k-1) (default: the model's, at most 1024)");
  importing->footer("Example:\n  avow model import models/stories260K/stories260K.gguf -o stories.avow");
  importing->callback([&exit_code] { exit_code = import_model(import_options); });

  static SynthOptions synth_options;
  auto* synth = model->add_subcommand("synth", "Make a .avow file of random weights, to measure with");
  synth
      ->add_option(
          "--shape", synth_options.shape,
          "260k: stories260K; 124m: LLaMA with GPT-2 small's sizes; 1b: TinyLlama; gpt2: GPT-2 small; long: one "
          "layer of one head, with a context of 4,096")
      ->required()
      ->check(CLI::IsMember(quantise::kSyntheticNames));
  synth->add_option("-o,--output", synth_options.output, "The .avow file to write")->required();
  synth->add_option("--seed", synth_options.seed, "Other weights for another seed")->capture_default_str();
  synth->add_option("--context", synth_options.context, "As of `avow model import`");
  synth->callback([&exit_code] { exit_code = synthesise_model(synth_options); });

  static ModelCommitOptions commit_options;
  auto* commit = model->add_subcommand(
      "commit", "Commit to a .avow model, once: print its ids, keep what proofs are made with beside it");
  commit->add_option("path", commit_options.path, "The .avow file")->required();
  add_commitment_options(*commit, commit_options.commitment);
  commit->add_option("--key", commit_options.key, "Write the verifying key to this file");
  commit->add_option(
      "--program", commit_options.program,
      "Write to this file what a contract carries out to check proofs: registering a model on a chain takes "
      "key and program");
  commit->add_flag("--json", commit_options.json, "Print one JSON object");
  commit->footer("Example:\n  avow model commit stories.avow");
  commit->callback([&exit_code] { exit_code = model_commit(commit_options); });

  static ModelCommitOptions verify_options;
  auto* verify = model->add_subcommand(
      "verify", "Whether an id is a model's: derives its ids from the file anew, trusting nothing that was kept");
  verify->add_option("id", verify_options.id, "A model id, 64 hexadecimal digits")->required();
  verify->add_option("path", verify_options.path, "The .avow file")->required();
  verify->add_flag("--content", verify_options.content, "A content id will do, by which files are found");
  verify->add_option("--level", verify_options.commitment.level, "The level that the id is of")
      ->check(CLI::IsMember({100, 128}))
      ->capture_default_str();
  add_usual_options(*verify, verify_options.commitment.usual);
  verify->add_flag("--json", verify_options.json, "Print one JSON object");
  verify->callback([&exit_code] { exit_code = model_verify(verify_options); });

  static EvaluateOptions evaluate_options;
  auto* evaluate = model->add_subcommand(
      "evaluate", "Compare a .avow file with its original in floating point: how well each predicts a text");
  evaluate->add_option("path", evaluate_options.path, "The .avow file (default: the original is imported for it)");
  evaluate->add_option("--original", evaluate_options.original, "What it was imported from")->required();
  evaluate->add_option("--text", evaluate_options.text, "A file with the text to predict")->required();
  evaluate->add_option("--tokens", evaluate_options.most_tokens, "Use so many tokens of the text at most");
  evaluate->add_option("--window", evaluate_options.window, "Start anew after so many tokens (default: the context)");
  evaluate->add_flag("--json", evaluate_options.json, "Print one JSON object");
  evaluate->footer(
      "Example:\n  avow model evaluate stories.avow --original models/stories260K/stories260K.gguf --text story.txt");
  evaluate->callback([&exit_code] { exit_code = evaluate_model(evaluate_options); });

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
  add_model_registry(*model, exit_code);
}

void add_run(CLI::App& app, int& exit_code) {
  static RunOptions options;
  auto* run = app.add_subcommand("run", "Let a .avow model go on with a text: exact, the same on every machine");
  run->add_option("path", options.path, "The .avow file (made by `avow model import`)")->required();
  auto* source = run->add_option_group("the prompt", "Where it comes from: one of");
  source->add_option("-p,--prompt", options.prompt, "The prompt itself");
  source->add_option("--file", options.file, "A file that holds it");
  source->require_option(1);
  run->add_option("-n,--tokens", options.most_tokens, "Most tokens to generate (default: as many as the context has)");
  add_sampling_options(*run, options.sampling);
  add_chat_options(*run, options.chat);
  run->add_flag("--json", options.json, "Print one JSON object when all is done");
  run->footer(
      "Examples:\n"
      "  avow run stories.avow -p 'Once upon a time' -n 64\n"
      "  avow run stories.avow -p 'Once upon a time' --temperature 0.8 --top-k 40 --seed 2a");
  run->callback([&exit_code] { exit_code = run_model(options); });
}

void add_prove(CLI::App& app, int& exit_code) {
  static ProveCommandOptions options;
  auto* prove = app.add_subcommand(
      "prove", "Let a .avow model answer prompts, and prove in one file that these are the model's answers");
  prove->add_option("path", options.path, "The .avow file (made by `avow model import`)")->required();
  auto* source = prove->add_option_group("the prompts", "A request each, at least one");
  source->add_option("-p,--prompt", options.prompts, "A prompt; several prove several answers together")
      ->allow_extra_args(false);
  source->add_option("--file", options.files, "A file that holds one")->allow_extra_args(false);
  source->require_option(1, 2);
  prove->add_option("-n,--tokens", options.tokens, "Tokens to generate, fewer if the model ends its answer")
      ->required()
      ->check(CLI::Range(1, 65536));
  prove->add_option("-o,--output", options.output, "The proof file to write")->required();
  add_sampling_options(*prove, options.sampling);
  add_chat_options(*prove, options.chat);
  add_commitment_options(*prove, options.commitment);
  prove->add_option("--chain-id", options.chain_id, "Bind the proof to this chain (hexadecimal; default: none)")
      ->check(not_empty());
  prove->add_option("--market", options.market, "Bind it to this market contract (an address, 40 hexadecimal digits)")
      ->check(not_empty());
  prove->add_option("--payee", options.payee, "Bind it to this address, which is paid for it (40 hexadecimal digits)")
      ->check(not_empty());
  prove->add_option("--request-id", options.request_ids, "Bind it to this request (hexadecimal); one for each prompt")
      ->allow_extra_args(false)
      ->check(not_empty());
  prove
      ->add_option("--memory", options.memory_gib,
                   "Refuse before the start what needs more memory, in GiB (default: what is free)")
      ->check(CLI::Range(0.001, 1e6));
  prove->add_flag("--profile", options.profile, "Say where seconds and bytes went");
  prove->add_flag("--json", options.json, "Print one JSON object when all is done");
  prove->footer(
      "Examples:\n"
      "  avow prove stories.avow -p 'Once upon a time' -n 32 -o story.proof\n"
      "  avow prove stories.avow -p 'One day' -p 'The cat' -n 32 --temperature 0.8 --seed 2a -o two.proof");
  prove->callback([&exit_code] { exit_code = prove_command(options); });
}

void add_verify(CLI::App& app, int& exit_code) {
  static VerifyOptions options;
  auto* verify = app.add_subcommand(
      "verify",
      "Check a proof file: needs neither the model nor trust; exit code 1 and the reason if it does not hold");
  verify->add_option("path", options.path, "The proof file (made by `avow prove`)")->required();
  verify->add_option("--model-id", options.model_id, "Accept this model alone (64 hexadecimal digits)")
      ->check(not_empty());
  verify->add_option("--tokenizer", options.tokenizer,
                     "The model's tokenizer file (made by `avow model import`): show text, not ids");
  auto* explain = verify->add_flag("--explain", options.explain, "Print the bits of security of every round");
  verify->add_flag("--json", options.json, "Print one JSON object")->excludes(explain);
  verify->footer(
      "A proof shows that these answers are the model's to the requests that are printed. Compare model id and "
      "requests\n"
      "with what you wanted: another prompt, seed or temperature has another answer, just as well proven. In texts,\n"
      "tokens that have none are shown as \\<id>, and backslashes are doubled.\n\n"
      "Example:\n  avow verify story.proof --tokenizer stories.avow.tokenizer");
  verify->callback([&exit_code] { exit_code = verify_command(options); });
}

}  // namespace avow::app
