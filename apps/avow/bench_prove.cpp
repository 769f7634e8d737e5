// SPDX-License-Identifier: Apache-2.0
#include "bench_prove.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "answer_prover/answer_prover.hpp"
#include "base/random.hpp"
#include "base/threads.hpp"
#include "bench_run.hpp"
#include "commands.hpp"
#include "measure.hpp"
#include "profile.hpp"
#include "prove.hpp"
#include "verifier/security.hpp"

namespace avow::app {
namespace {

using answer_prover::ProvingModel;

std::vector<answer::Request> random_requests(const ProveBenchOptions& options, std::uint64_t vocabulary) {
  base::SplitMix64 random(1);
  std::vector<answer::Request> requests(options.batch);
  for (auto& request : requests) {
    request.input.resize(options.tokens - options.tokens / 2);
    for (auto& id : request.input) id = static_cast<std::uint32_t>(random() % vocabulary);
    request.max_new_tokens = options.tokens / 2;
  }
  return requests;
}

// A file that is removed at the end, unless it is somebody's.
class CacheFile {
 public:
  explicit CacheFile(const std::string& given) : path_(given), is_own_(given.empty()) {
    if (is_own_) path_ = std::filesystem::temp_directory_path() / fmt::format("avow-bench-{}.tree", getpid());
  }
  ~CacheFile() {
    std::error_code ignored;
    if (is_own_) std::filesystem::remove(path_, ignored);
  }
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool is_own_;
};

// One run: answers, then their proof.
base::Result<answer_prover::Proven, answer_prover::Error> prove_once(const ProvingModel& model,
                                                                     const std::vector<answer::Request>& requests,
                                                                     ProofProfile& profile) {
  answer::Delivery delivery;
  std::optional<answer_prover::Error> error;
  profile.run_seconds = seconds_of([&] {
    for (const auto& request : requests) {
      auto answered = answer_prover::run(model.integers(), request);
      if (!answered) {
        error = answered.error();
        return;
      }
      delivery.answers.push_back(std::move(answered).value());
    }
  });
  if (error) return base::Err{*error};
  std::optional<base::Result<answer_prover::Proven, answer_prover::Error>> proven;
  answer_prover::ProveOptions options;
  options.times = &profile.times;
  profile.prove_seconds = seconds_of([&] { proven = answer_prover::prove(model, delivery, options); });
  if (*proven) profile.bytes = proven->value().bytes;
  return std::move(*proven);
}

// Median of a number of all runs.
template <typename Number>
double median_of(const std::vector<ProofProfile>& runs, const Number& number) {
  std::vector<double> values;
  for (const auto& run : runs) values.push_back(number(run));
  return median(values);
}

nlohmann::ordered_json median_phases(const std::vector<ProofProfile>& runs) {
  std::vector<nlohmann::ordered_json> all;
  for (const auto& run : runs) all.push_back(phases_of(run));
  nlohmann::ordered_json medians = all[0];
  for (auto it = medians.begin(); it != medians.end(); ++it) {
    std::vector<double> values;
    for (const auto& phases : all) values.push_back(phases[it.key()].get<double>());
    *it = median(values);
  }
  return medians;
}

}  // namespace

ProveBenchResult bench_prove(const ProveBenchOptions& options) {
  RunBenchOptions from;
  from.shape = options.shape;
  from.model = options.model;
  const auto integers = bench_model(from);
  if (!integers) return {{}, integers.error(), kEnvironment};
  const compile::Plan& plan = integers.value().plan;
  if (options.tokens > plan.context) {
    return {{}, fmt::format("the model takes {} tokens at most", plan.context), kWrongUse};
  }
  const auto config = answer_prover::config_of(plan, options.level, options.usual);
  if (!config) return {{}, config.error().text, kWrongUse};
  const CacheFile cache(options.cache);
  prover::CommitOptions commit;
  commit.cache = cache.path();
  commit.mode = cache_mode(integers.value(), config.value(), options.tree_only);
  std::optional<base::Result<std::unique_ptr<ProvingModel>, answer_prover::Error>> made;
  const double commit_seconds = seconds_of([&] {
    made = ProvingModel::create(integers.value(), {plan, {}, {}}, config.value(), commit);
  });
  if (!*made) return {{}, made->error().text, exit_code_of(made->error().cause)};
  const ProvingModel& model = *made->value();

  const auto requests = random_requests(options, plan.vocabulary);
  std::vector<ProofProfile> runs(options.repeat);
  answer::ProofFile file;
  for (auto& run : runs) {
    auto proven = prove_once(model, requests, run);
    if (!proven) return {{}, proven.error().text, exit_code_of(proven.error().cause)};
    file = std::move(proven.value().file);
  }
  std::vector<double> verify;
  constexpr int kVerifications = 9;
  for (int i = 0; i < kVerifications; ++i) {
    std::optional<answer::Rejection> rejection;
    verify.push_back(1000 * seconds_of([&] { rejection = model.key().verify(file.delivery, file.proof); }));
    if (rejection) return {{}, "the proof does not hold: " + to_string(*rejection), kNo};
  }
  const auto delivery = answer::parse(file.delivery, answer::id_bytes(plan.vocabulary));
  const auto setting = verifier::Setting::make(model.key().key(), answer::instance_of(delivery.value(), plan));

  nlohmann::ordered_json f{{"tokens", options.tokens}, {"batch", options.batch}, {"threads", base::thread_count()}};
  f["prove_seconds"] = median_of(runs, [](const auto& run) { return run.run_seconds + run.prove_seconds; });
  f["prove_seconds_per_request"] = f["prove_seconds"].get<double>() / options.batch;
  f["verify_ms"] = median(verify);
  f["proof_bytes"] = file.proof.size();
  f["proof_bytes_per_request"] = static_cast<double>(file.proof.size()) / options.batch;
  f["security_bits"] = verifier::security_bits(setting.value());
  f["peak_rss_mib"] = peak_rss_mib();
  f["model_commit_seconds"] = commit_seconds;
  f["model_cells"] = setting.value().model.cells;
  f["witness_cells"] = setting.value().witness.cells;
  f["phases"] = median_phases(runs);
  f["bytes"] = bytes_of(runs.back().bytes);
  return {f, "", kGood};
}

}  // namespace avow::app
