// SPDX-License-Identifier: Apache-2.0
#include "prove.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "answer_prover/answer_prover.hpp"
#include "base/hex.hpp"
#include "commands.hpp"
#include "interrupt.hpp"
#include "measure.hpp"
#include "model.hpp"
#include "profile.hpp"
#include "progress.hpp"
#include "write_file.hpp"

namespace avow::app {
namespace {

using answer::Delivery;
using base::Err;

int refuse_prove(int code, const std::string& text) {
  fmt::print(stderr, "avow prove: {}\n", text);
  return code;
}

// Leaves out what was not given.
template <typename Bytes>
bool fill(Bytes& out, const std::string& text,
          std::optional<std::vector<std::uint8_t>> (*read)(const std::string&, std::size_t)) {
  if (text.empty()) return true;
  const auto bytes = read(text, out.size());
  if (bytes) std::copy(bytes->begin(), bytes->end(), out.begin());
  return bytes.has_value();
}

base::Result<Delivery, std::string> delivery_of(const ProveCommandOptions& options) {
  Delivery delivery;
  if (!fill(delivery.chain_id, options.chain_id, bytes_of)) {
    return Err{std::string("--chain-id is a hexadecimal number of at most 64 digits")};
  }
  if (!fill(delivery.market, options.market, all_bytes_of)) {
    return Err{std::string("--market is an address: 40 hexadecimal digits")};
  }
  if (!fill(delivery.payee, options.payee, all_bytes_of)) {
    return Err{std::string("--payee is an address: 40 hexadecimal digits")};
  }
  return delivery;
}

base::Result<std::vector<std::string>, std::string> texts_of(const ProveCommandOptions& options) {
  std::vector<std::string> texts = options.prompts;
  for (const std::string& file : options.files) {
    auto text = read_text(file);
    if (!text) return Err{text.error()};
    texts.push_back(std::move(text).value());
  }
  return texts;
}

base::Result<std::vector<answer::Request>, std::string> requests_of(const ProveCommandOptions& options,
                                                                    const std::vector<std::string>& texts,
                                                                    const LoadedModel& loaded) {
  const auto sampling = sampling_of(options.sampling, loaded.file.contents.model.plan.vocabulary);
  if (!sampling) return Err{sampling.error()};
  if (!options.request_ids.empty() && options.request_ids.size() != texts.size()) {
    return Err{std::string("give a --request-id for each prompt, or none")};
  }
  std::vector<answer::Request> requests;
  for (const std::string& text : texts) {
    auto input = encode_prompt(options.chat, text, loaded.tokenizer);
    if (!input) return Err{input.error()};
    answer::Request request;
    request.input = std::move(input).value();
    request.max_new_tokens = options.tokens;
    request.sampling = sampling.value();
    request.stop_ids = stop_ids_of(loaded.tokenizer);
    if (!options.request_ids.empty() && !fill(request.id, options.request_ids[requests.size()], bytes_of)) {
      return Err{std::string("--request-id is a hexadecimal number of at most 64 digits")};
    }
    const auto is_same = [&](const answer::Request& other) { return other.id == request.id; };
    if (request.id != base::Digest{} && std::any_of(requests.begin(), requests.end(), is_same)) {
      return Err{std::string("two prompts have the same --request-id")};
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

// What the model says, shown as it says it; nothing where JSON is asked for.
class AnswerPrinter {
 public:
  AnswerPrinter(const model::Tokenizer& tokenizer, bool quiet)
      : tokenizer_(tokenizer), decoder_(tokenizer, model::DecodeFrom::kMiddle), quiet_(quiet) {}
  void put(std::uint32_t token) {
    if (quiet_ || token >= tokenizer_.token_count()) return;
    if (const auto text = decoder_.feed(token)) fmt::print("{}", streamed(text.value()));
    std::fflush(stdout);
  }
  void finish() {
    if (!quiet_) fmt::print("{}\n", streamed(decoder_.finish()));
    std::fflush(stdout);
  }

 private:
  const model::Tokenizer& tokenizer_;
  model::StreamDecoder decoder_;
  bool quiet_;
};

// What can be told before anything is computed, as if every answer had its most tokens.
std::optional<answer_prover::Error> check_before(const answer_prover::ProvingModel& model,
                                                 const std::vector<answer::Request>& requests, std::uint64_t memory) {
  compile::Lengths most{requests.size(), 1, 1};
  for (const answer::Request& request : requests) {
    if (const auto rejection = answer::check(request, model.integers().plan)) {
      std::string text = to_string(*rejection);
      if (rejection->check == answer::Check::kContext) {
        text += ": shorten the prompt, ask for fewer tokens, or import the model with a larger --context";
      }
      return answer_prover::Error{answer_prover::Cause::kRequest, std::move(text)};
    }
    const std::uint64_t read = request.input.size() + request.max_new_tokens - 1;
    most.tokens = std::max(most.tokens, read);
    most.steps = std::max<std::uint64_t>(most.steps, request.max_new_tokens);
  }
  if (requests.size() > compile::kMostRequests) {
    return answer_prover::Error{answer_prover::Cause::kRequest, fmt::format("{} prompts, of which one proof takes {}",
                                                                            requests.size(), compile::kMostRequests)};
  }
  if (memory == 0) return std::nullopt;
  return answer_prover::check_memory(model, compile::instance_lengths(most), memory);
}

}  // namespace

std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::uint64_t kibibytes = 0;
  while (file >> name >> kibibytes) {
    if (name == "MemAvailable:") return kibibytes << 10;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

int prove_command(const ProveCommandOptions& options) {
  if (is_same_file(options.path, options.output)) {
    return refuse_prove(kWrongUse, options.output + " is the model: give the proof another name");
  }
  if (!options.commitment.cache.empty() && is_same_file(options.commitment.cache, options.output)) {
    return refuse_prove(kWrongUse, options.output + " cannot be both the cache and the proof");
  }
  const auto loaded = load_model("avow prove", options.path);
  if (!loaded) return loaded.error();
  auto delivery = delivery_of(options);
  if (!delivery) return refuse_prove(kWrongUse, delivery.error());
  const auto texts = texts_of(options);
  if (!texts) return refuse_prove(kEnvironment, texts.error());
  const auto requests = requests_of(options, texts.value(), loaded.value());
  if (!requests) return refuse_prove(kWrongUse, requests.error());
  const auto& integers = loaded.value().file.contents.model;
  const auto model = commit_model("avow prove", loaded.value(), options.path, options.commitment, options.json);
  if (!model) return model.error();

  const auto fail = [](const answer_prover::Error& error) {
    return refuse_prove(exit_code_of(error.cause), error.text);
  };
  const bool has_limit = options.memory_gib > 0;
  const auto memory =
      has_limit ? static_cast<std::uint64_t>(options.memory_gib * (std::uint64_t{1} << 30)) : available_memory();
  if (auto error = check_before(*model.value(), requests.value(), memory)) {
    if (!has_limit && error->cause == answer_prover::Cause::kMemory)
      error->text += ", or say with --memory what it may use";
    return fail(*error);
  }
  if (const auto problem = check_writable(options.output)) return refuse_prove(kEnvironment, *problem);

  ProofProfile profile;
  for (const answer::Request& request : requests.value()) {
    AnswerPrinter printer(loaded.value().tokenizer, options.json);
    answer_prover::RunOptions run;
    run.cancelled = &cancelled_flag();
    run.on_token = [&](std::uint32_t token) { printer.put(token); };
    std::optional<base::Result<answer::Answer, answer_prover::Error>> answered;
    profile.run_seconds += seconds_of([&] { answered = answer_prover::run(integers, request, run); });
    printer.finish();
    if (!*answered) return fail(answered->error());
    delivery.value().answers.push_back(std::move(*answered).value());
  }

  Progress progress(options.json);
  answer_prover::ProveOptions proving;
  proving.memory_bytes = memory;
  proving.cancelled = &cancelled_flag();
  proving.progress = [&](std::string_view phase, std::uint64_t permille) {
    progress.show(phase, static_cast<double>(permille) / 1000);
  };
  proving.times = &profile.times;
  std::optional<base::Result<answer_prover::Proven, answer_prover::Error>> proven;
  profile.prove_seconds = seconds_of([&] { proven = answer_prover::prove(*model.value(), delivery.value(), proving); });
  progress.finish();
  if (!*proven) return fail(proven->error());
  profile.bytes = proven->value().bytes;

  const auto file = answer::encode(proven->value().file);
  if (const auto problem = write_file(options.output, file)) return refuse_prove(kEnvironment, *problem);
  const auto summary = summary_of(profile, proven->value(), file.size());
  if (options.json) {
    fmt::print("{}\n", summary.dump(2));
    return kGood;
  }
  fmt::print(stderr, "[{}: {} bytes, proven in {:.1f} s, model {}]\n", options.output, file.size(),
             profile.run_seconds + profile.prove_seconds, base::to_hex(model.value()->key().id()));
  if (options.profile) fmt::print(stderr, "{}", format_profile(profile));
  return kGood;
}

}  // namespace avow::app
