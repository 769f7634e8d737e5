// SPDX-License-Identifier: Apache-2.0
#include "bench_pcs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "base/random.hpp"
#include "commands.hpp"
#include "measure.hpp"
#include "pcs/parameters.hpp"
#include "pcs/security.hpp"
#include "pcs/verify.hpp"
#include "pcs_prover/cache.hpp"
#include "pcs_prover/open.hpp"

namespace avow::app {
namespace {

using field::Fp;
using field::Fp3;

// One matrix of random 16-bit integers and what commits to it.
struct Committed {
  std::vector<std::int16_t> cells;
  std::unique_ptr<pcs::Oracle> oracle;
  pcs::Opened opened;
};

std::vector<std::int16_t> random_cells(std::size_t count, std::uint64_t seed) {
  std::vector<std::int16_t> cells(count);
  base::SplitMix64 random(seed);
  for (std::size_t i = 0; i + 4 <= count; i += 4) {
    std::uint64_t bits = random();
    for (std::size_t k = 0; k < 4; ++k, bits >>= 16) cells[i + k] = static_cast<std::int16_t>(bits);
  }
  return cells;
}

void set_cells(Committed& c, std::uint32_t log_size, std::uint32_t log_rows, std::uint64_t seed) {
  c.cells = random_cells(std::size_t{1} << log_size, seed);
  const std::size_t cols = std::size_t{1} << (log_size - log_rows);
  c.opened.groups = {field::MatrixView::of(std::span<const std::int16_t>(c.cells), cols)};
  c.opened.key.log_groups = pcs::groups_of(cols);
}

Fp3 draw(base::SplitMix64& random) { return {Fp(random()), Fp(random()), Fp(random())}; }

// Claims as a prover of tensors makes them: a few about everything, most about aligned sub-cubes.
std::vector<pcs::Claim> random_claims(std::span<const pcs::Opened> opened, std::uint32_t log_rows,
                                      std::uint32_t count) {
  base::SplitMix64 random(17);
  std::vector<pcs::Claim> claims;
  for (std::uint32_t i = 0; i < count; ++i) {
    pcs::Term term;
    term.commitment = static_cast<std::uint32_t>(i % opened.size());
    term.coefficient = field::kOne3;
    const std::size_t variables = opened[term.commitment].key.log_groups[0] + log_rows;
    const std::size_t fixed = i < 2 * opened.size() ? 0 : random() % 10;
    for (std::size_t v = 0; v < variables; ++v) {
      term.factors.push_back(v + fixed >= variables ? field::bit_factor((random() & 1) != 0)
                                                    : field::eq_factor(draw(random)));
    }
    claims.push_back({{std::move(term)}, {}});
    claims.back().value = pcs::evaluate_claim(opened, claims.back());
  }
  return claims;
}

class Bench {
 public:
  explicit Bench(const PcsBenchOptions& options) : options_(options) {}

  PcsBenchResult run() {
    if (!configure() || !commit_model()) return std::move(result_);
    if (model_) opened_.push_back(model_->opened);
    opened_.emplace_back();  // the witness, made anew each time
    for (std::uint32_t i = 0; i < options_.repeat; ++i) {
      if (!once()) return std::move(result_);
    }
    report();
    return std::move(result_);
  }

 private:
  bool fail(int code, std::string text) {
    result_.exit_code = code;
    result_.error = std::move(text);
    return false;
  }

  bool configure() {
    const std::uint64_t model = options_.model_log2_size ? std::uint64_t{1} << *options_.model_log2_size : 0;
    const std::uint32_t log_rows = pcs::choose_log_rows(std::uint64_t{1} << options_.log2_size, model);
    const auto profile = model != 0 ? pcs::Profile::kModel : pcs::Profile::kWitness;
    const auto config = pcs::choose_parameters(log_rows, options_.level, profile);
    if (!config)
      return fail(kWrongUse, fmt::format("there are no parameters for level {}; take 128 or 100", options_.level));
    if (options_.log2_size < log_rows || (options_.model_log2_size && *options_.model_log2_size < log_rows)) {
      return fail(kWrongUse, fmt::format("sizes below 2^{} have no parameters", log_rows));
    }
    config_ = *config;
    return true;
  }

  bool commit_model() {
    if (!options_.model_log2_size) return true;
    namespace fs = std::filesystem;
    model_ = std::make_unique<Committed>();
    set_cells(*model_, *options_.model_log2_size, config_.log_rows, 1);
    auto& opened = model_->opened;
    const fs::path path = options_.cache.empty()
                              ? fs::temp_directory_path() / fmt::format("avow-bench-{}.cache", ::getpid())
                              : fs::path(options_.cache);
    const std::uint32_t builds = options_.cache.empty() ? options_.repeat : 1;
    for (std::uint32_t i = 0; i < builds; ++i) {
      model_->oracle.reset();
      std::string problem;
      model_commit_.push_back(seconds_of([&] {
        const auto identity =
            pcs::identity_of(config_.log_rows, config_.oracles[0].log_inv_rate,
                             options_.tree_only ? pcs::CacheMode::kTreeOnly : pcs::CacheMode::kFull, opened.groups);
        const auto report = [](const pcs::CacheProblem& p) { fmt::print(stderr, "cache: {}; rebuilding\n", p.detail); };
        const auto progress = [](std::size_t done, std::size_t total) {
          if (::isatty(STDERR_FILENO) != 0) {
            fmt::print(stderr, "\rcommitting to the model: {:3}%{}", 100 * done / total, done == total ? "\n" : "");
          }
          return true;
        };
        auto oracle = options_.cache.empty()
                          ? pcs::CachedOracle::build(path, identity, opened.groups, progress)
                          : pcs::CachedOracle::open_or_build(path, identity, opened.groups, report, progress);
        if (!oracle.ok()) {
          problem = oracle.error().detail;
          return;
        }
        cache_bytes_ = oracle.value()->file_bytes();
        model_->oracle = std::move(oracle).value();
        opened.oracle = model_->oracle.get();
        opened.key.root = opened.oracle->root();
        const auto key = pcs::fixed_key(pcs::protocol_id(config_), opened.key.root, opened.key.log_groups, {});
        opened.key = key;
        opened.key.ood_value = pcs::ood_value(opened.groups, key.ood_point);
      }));
      // The mapping keeps the file's contents; its name is no longer needed.
      if (options_.cache.empty()) fs::remove(path);
      if (!problem.empty()) return fail(kEnvironment, problem);
    }
    return true;
  }

  bool once() {
    Committed witness;
    set_cells(witness, options_.log2_size, config_.log_rows, 2);
    pcs::Opened& opened = opened_.back();
    opened = witness.opened;
    const auto index = static_cast<std::uint32_t>(opened_.size() - 1);

    transcript::Transcript prover(pcs::protocol_id(config_), {}, {});
    commit_.push_back(seconds_of([&] {
      witness.oracle =
          std::make_unique<pcs::TreeOracle>(config_.log_rows, config_.oracles[0].log_inv_rate, opened.groups);
      opened.oracle = witness.oracle.get();
      opened.key = pcs::send_commitment(prover, *witness.oracle, opened.groups);
    }));
    const auto claims = random_claims(opened_, config_.log_rows, options_.claims);
    base::Bytes proof;
    pcs::OpenTimes times;
    open_.push_back(seconds_of([&] { proof = pcs::open(prover, config_, opened_, claims, &times); }));
    times_.push_back(times);
    proof_bytes_.push_back(static_cast<double>(proof.size()));

    std::vector<pcs::CommitmentKey> keys;
    for (const auto& o : opened_) keys.push_back(o.key);
    std::optional<pcs::Rejection> rejection;
    verify_ms_.push_back(1000 * seconds_of([&] {
                           transcript::Transcript verifier(pcs::protocol_id(config_), {}, {});
                           keys[index] = pcs::receive_commitment(verifier, opened.key.root, opened.key.log_groups,
                                                                 opened.key.ood_value);
                           rejection = pcs::verify_opening(verifier, config_, keys, claims, proof);
                         }));
    opened.oracle = nullptr;
    log_columns_ = pcs::joint_layout(keys).log_columns;
    if (rejection) return fail(kNo, "the proof does not verify: " + pcs::to_string(*rejection));
    return true;
  }

  void report() {
    const pcs::Shape shape{log_columns_, options_.claims + static_cast<std::uint32_t>(opened_.size())};
    const auto security = pcs::analyse_security(config_, shape);
    const auto part = [&](std::chrono::nanoseconds pcs::OpenTimes::*member) {
      std::vector<double> values;
      for (const auto& t : times_) values.push_back(std::chrono::duration<double>(t.*member).count());
      return median(values);
    };
    auto& f = result_.figures;
    f["log2_size"] = options_.log2_size;
    if (options_.model_log2_size) f["model_log2_size"] = *options_.model_log2_size;
    f["level"] = options_.level;
    f["log_rows"] = config_.log_rows;
    f["commit_seconds"] = median(commit_);
    f["model_commit_seconds"] = median(model_commit_);
    f["open_seconds"] = median(open_);
    f["commit_and_open_seconds"] = median(commit_) + median(open_);
    f["verify_ms"] = median(verify_ms_);
    f["proof_bytes"] = static_cast<std::uint64_t>(median(proof_bytes_));
    f["security_bits"] = security.soundcalc_bits(pcs::Regime::kJohnson);
    f["security_bits_other_rounds"] = security.other_bits(pcs::Regime::kJohnson);
    f["cache_mib"] = static_cast<double>(cache_bytes_) / (1 << 20);
    f["peak_rss_mib"] = peak_rss_mib();
    f["open_profile_seconds"] = {{"columns", part(&pcs::OpenTimes::columns)},
                                 {"encode", part(&pcs::OpenTimes::encode)},
                                 {"sumcheck", part(&pcs::OpenTimes::sumcheck)},
                                 {"grinding", part(&pcs::OpenTimes::grinding)},
                                 {"rows", part(&pcs::OpenTimes::rows)}};
  }

  const PcsBenchOptions& options_;
  PcsBenchResult result_;
  pcs::Config config_;
  std::unique_ptr<Committed> model_;
  std::vector<pcs::Opened> opened_;
  std::vector<double> commit_, model_commit_, open_, verify_ms_, proof_bytes_;
  std::vector<pcs::OpenTimes> times_;
  std::uint64_t cache_bytes_ = 0;
  std::uint32_t log_columns_ = 0;
};

}  // namespace

PcsBenchResult bench_pcs(const PcsBenchOptions& options) { return Bench(options).run(); }

}  // namespace avow::app
