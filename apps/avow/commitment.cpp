// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/hex.hpp"
#include "commands.hpp"
#include "compile/check.hpp"
#include "interrupt.hpp"
#include "progress.hpp"
#include "prove.hpp"
#include "reduction/program.hpp"
#include "runtime/runtime.hpp"
#include "write_file.hpp"

namespace avow::app {
namespace {

using answer_prover::Cause;
using answer_prover::ProvingModel;

int refuse_commit(const char* command, int code, const std::string& text) {
  fmt::print(stderr, "{}: {}\n", command, text);
  return code;
}

answer::ModelInfo info_of(const LoadedModel& loaded) {
  return {loaded.file.contents.model.plan, model::tokenizer_digest(loaded.file.contents.tokenizer),
          loaded.file.content};
}

std::filesystem::path cache_of(const std::string& path, const CommitmentOptions& options) {
  if (options.no_cache) return {};
  if (!options.cache.empty()) return options.cache;
  const compile::UsualProof& usual = options.usual;
  if (usual == compile::UsualProof()) return fmt::format("{}.{}.commitment", path, options.level);
  return fmt::format("{}.{}.{}x{}.commitment", path, options.level, usual.requests, usual.tokens);
}

void print_ids(const ProvingModel& model, bool json) {
  const auto& key = model.key();
  const std::string id = base::to_hex(key.id()), content = base::to_hex(key.info().content);
  if (json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"model_id", id},
                                              {"content_id", content},
                                              {"tokenizer", base::to_hex(key.info().tokenizer)},
                                              {"level", key.key().config.level},
                                              {"key_bytes", serialize(key.key()).size()}}
                           .dump(2));
    return;
  }
  fmt::print("model id   {}\ncontent id {}\nlevel      {} bits\nkey        {} bytes\n", id, content,
             key.key().config.level, serialize(key.key()).size());
}

}  // namespace

int exit_code_of(Cause cause) {
  switch (cause) {
    case Cause::kMemory:
    case Cause::kCancelled:
    case Cause::kProof:
      return kEnvironment;
    case Cause::kLevel:
    case Cause::kRequest:
      return kWrongUse;
    case Cause::kModel:
    case Cause::kRun:
    case Cause::kAnswer:
      break;
  }
  return kNo;
}

void add_usual_options(CLI::App& command, compile::UsualProof& usual) {
  constexpr std::uint64_t kMostTokens = 65536;
  command
      .add_option(
          "--usual-requests", usual.requests,
          "Requests that most proofs are expected to have, part of the model's id: proofs of about this size get "
          "smallest; others are possible")
      ->check(CLI::Range(std::uint64_t{1}, compile::kMostRequests))
      ->capture_default_str();
  command.add_option("--usual-tokens", usual.tokens, "Likewise, tokens of each request, the answer's included")
      ->check(CLI::Range(std::uint64_t{2}, kMostTokens))
      ->capture_default_str();
}

void add_commitment_options(CLI::App& command, CommitmentOptions& options) {
  command.add_option("--level", options.level, "Bits of security, part of the model's id: smaller proofs with 100")
      ->check(CLI::IsMember({100, 128}))
      ->capture_default_str();
  add_usual_options(command, options.usual);
  auto* cache = command.add_option("--cache", options.cache,
                                   "File that keeps the model's commitment (default: beside the model)");
  command.add_flag("--no-cache", options.no_cache, "Make the commitment in memory, each time")->excludes(cache);
  command
      .add_flag("--tree-only", options.tree_only,
                "Keep only the tree on disk (a tenth), and compute opened rows again for each proof; what models do "
                "anyway whose cache would take more than 16 GiB")
      ->excludes("--no-cache");
}

base::Result<std::unique_ptr<ProvingModel>, int> commit_model(const char* command, const LoadedModel& loaded,
                                                              const std::string& path, const CommitmentOptions& options,
                                                              bool quiet) {
  const auto fail = [&](const answer_prover::Error& error) {
    return base::Err{refuse_commit(command, exit_code_of(error.cause), error.text)};
  };
  if (const auto cache = cache_of(path, options); !cache.empty() && is_same_file(cache, path)) {
    return base::Err{refuse_commit(command, kWrongUse, cache.string() + " is the model: give the cache another name")};
  }
  if (const auto problem = runtime::check_model(loaded.file.contents.model)) {
    return base::Err{refuse_commit(command, kNo, path + " is no integer model: " + problem->text)};
  }
  catch_interrupts();
  const auto config = answer_prover::config_of(loaded.file.contents.model.plan, options.level, options.usual);
  if (!config) return fail(config.error());
  Progress progress(quiet);
  prover::CommitOptions commit;
  commit.cache = cache_of(path, options);
  commit.mode = cache_mode(loaded.file.contents.model, config.value(), options.tree_only);
  commit.report = [&](const pcs::CacheProblem& problem) {
    progress.finish();
    fmt::print(stderr, "{}: {}\n", command, problem.detail);
  };
  commit.progress = [&](std::size_t done, std::size_t total) {
    progress.show("committing to the model, once", static_cast<double>(done) / static_cast<double>(total));
    return !cancelled();
  };
  commit.rebuild = options.rebuild;
  auto model = ProvingModel::create(loaded.file.contents.model, info_of(loaded), config.value(), commit);
  progress.finish();
  if (!model) return fail(model.error());
  // A tree in memory is not made in parts between which it could stop.
  if (cancelled()) return fail({Cause::kCancelled, prover::kCancelled});
  return std::move(model).value();
}

pcs::CacheMode cache_mode(const compile::IntegerModel& model, const pcs::Config& config, bool tree_only) {
  // Reading opened rows saves seconds of a proof, but not at any price.
  constexpr std::uint64_t kMostCodewordBytes = std::uint64_t{1} << 34;
  std::uint64_t cells = 0;
  for (const auto& tensor : model.cells) cells += tensor.size();
  const bool is_large = 8 * cells << config.oracles[0].log_inv_rate > kMostCodewordBytes;
  return tree_only || is_large ? pcs::CacheMode::kTreeOnly : pcs::CacheMode::kFull;
}

int model_commit(const ModelCommitOptions& options) {
  constexpr const char* kCommand = "avow model commit";
  const auto loaded = load_model(kCommand, options.path);
  if (!loaded) return loaded.error();
  for (const std::string& written : {options.key, options.program}) {
    if (!written.empty() && is_same_file(written, options.path)) {
      return refuse_commit(kCommand, kWrongUse, written + " is the model: give what is written another name");
    }
  }
  if (!options.key.empty() && options.key == options.program) {
    return refuse_commit(kCommand, kWrongUse, "key and program need two files");
  }
  // The ids are for others: they rest on the cells, and on no file that may lie beside the model.
  CommitmentOptions commitment = options.commitment;
  commitment.rebuild = true;
  const auto model = commit_model(kCommand, loaded.value(), options.path, commitment, options.json);
  if (!model) return model.error();
  if (!options.key.empty()) {
    const auto problem = write_file(options.key, serialize(model.value()->key().key()));
    if (problem) return refuse_commit(kCommand, kEnvironment, *problem);
  }
  if (!options.program.empty()) {
    const auto program = reduction::make_program(model.value()->key().key().statement);
    if (!program) return refuse_commit(kCommand, kNo, "contracts cannot check its proofs: " + program.error());
    const auto problem = write_file(options.program, program.value());
    if (problem) return refuse_commit(kCommand, kEnvironment, *problem);
  }
  print_ids(*model.value(), options.json);
  return kGood;
}

int model_verify(const ModelCommitOptions& options) {
  constexpr const char* kCommand = "avow model verify";
  const auto id = all_bytes_of(options.id, 32);
  if (!id) return refuse_commit(kCommand, kWrongUse, "an id is 64 hexadecimal digits");
  const auto loaded = load_model(kCommand, options.path);
  if (!loaded) return loaded.error();
  // Nothing that was kept is trusted: the commitment is made from the cells, and the cells are checked.
  if (const auto problem = compile::check_no_wrap(loaded.value().file.contents.model)) {
    return refuse_commit(kCommand, kNo, "integers could wrap: " + problem->text);
  }
  CommitmentOptions commitment = options.commitment;
  commitment.no_cache = true;
  const auto model = commit_model(kCommand, loaded.value(), options.path, commitment, options.json);
  if (!model) return model.error();
  print_ids(*model.value(), options.json);
  const auto matches = [&](const base::Digest& own) { return std::equal(own.begin(), own.end(), id->begin()); };
  const bool is_content = matches(model.value()->key().info().content);
  if (matches(model.value()->key().id()) || (options.content && is_content)) return kGood;
  if (is_content) {
    return refuse_commit(kCommand, kNo,
                         "this is the content's id, by which files are found: proofs are bound to the model id above. "
                         "To compare the content alone give --content");
  }
  return refuse_commit(
      kCommand, kNo,
      fmt::format("{} is not the id of {} at {} bits for proofs of usually {} requests of {} tokens", options.id,
                  options.path, commitment.level, commitment.usual.requests, commitment.usual.tokens));
}

}  // namespace avow::app
