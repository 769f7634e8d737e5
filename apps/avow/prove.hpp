// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "answer_prover/proving_model.hpp"
#include "request_options.hpp"
#include "run.hpp"

namespace avow::app {

/// How a model is committed to, and where that is kept.
struct CommitmentOptions {
  std::uint32_t level = 128;
  compile::UsualProof usual;
  std::string cache;  ///< empty: beside the model
  bool no_cache = false, tree_only = false;
  bool rebuild = false;  ///< make the cache anew, not believing one that is there
};
void add_commitment_options(CLI::App& command, CommitmentOptions& options);
/// Options for what proofs are expected, which a model's id depends on.
void add_usual_options(CLI::App& command, compile::UsualProof& usual);
/// What a cache keeps: codewords, too, unless these are large or not wanted.
pcs::CacheMode cache_mode(const compile::IntegerModel& model, const pcs::Config& config, bool tree_only);
/// The model with its commitment, made now if no cache has it. Says on stderr what is wrong, and gives the exit code.
base::Result<std::unique_ptr<answer_prover::ProvingModel>, int> commit_model(const char* command,
                                                                             const LoadedModel& loaded,
                                                                             const std::string& path,
                                                                             const CommitmentOptions& options,
                                                                             bool quiet);
/// kEnvironment for memory and files, kNo for what is refused.
int exit_code_of(answer_prover::Cause cause);

/// Bytes of memory that are free; 0 if the system does not say.
std::uint64_t available_memory();

struct ProveCommandOptions {
  std::string path, output;
  std::vector<std::string> prompts, files;  ///< a request each
  std::uint32_t tokens = 0;
  SamplingOptions sampling;
  PromptOptions chat;
  CommitmentOptions commitment;
  std::string chain_id, market, payee;
  std::vector<std::string> request_ids;
  double memory_gib = 0;
  bool profile = false, json = false;
};
/// Answers prompts and proves it; the exit code.
int prove_command(const ProveCommandOptions& options);

struct VerifyOptions {
  std::string path, model_id, tokenizer;
  bool explain = false, json = false;
};
/// Checks a proof file; the exit code.
int verify_command(const VerifyOptions& options);

struct ModelCommitOptions {
  std::string path, id, key, program;
  CommitmentOptions commitment;
  bool content = false;  ///< of model_verify: the content's id will do
  bool json = false;
};
/// Commits to a model and prints its ids; the exit code.
int model_commit(const ModelCommitOptions& options);
/// Whether an id is this model's, derived from its cells; the exit code.
int model_verify(const ModelCommitOptions& options);

}  // namespace avow::app
