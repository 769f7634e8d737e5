// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <openssl/evp.h>

#include <memory>

#include "base/random.hpp"
#include "bench_pcs.hpp"
#include "bench_prove.hpp"
#include "bench_run.hpp"
#include "bench_statement.hpp"
#include "commands.hpp"
#include "hash/keccak.hpp"
#include "measure.hpp"
#include "ntt/encoder.hpp"
#include "prove.hpp"
#include "quantise/synthetic.hpp"

namespace avow::app {
namespace {

void print(const nlohmann::ordered_json& figures, bool json) {
  if (json) {
    fmt::print("{}\n", figures.dump(1));
    return;
  }
  for (const auto& [key, value] : figures.items()) {
    if (value.is_object()) {
      fmt::print("{}:\n", key);
      for (const auto& [name, part] : value.items()) fmt::print("  {:<28}{:>12}\n", name, part.dump());
    } else {
      fmt::print("{:<30}{:>12}\n", key,
                 value.is_number_float() ? fmt::format("{:.3f}", value.get<double>()) : value.dump());
    }
  }
}

// Rows of 32 elements (256 bytes), the leaf of a 32-column commitment, one thread; against OpenSSL's sha3-256, which is
// the same permutation and rate, on the same rows and on one long message.
nlohmann::ordered_json bench_keccak(std::uint32_t repeat) {
  constexpr std::size_t kRows = 1 << 16;
  constexpr std::size_t kCols = 32;
  constexpr double kBytes = kRows * kCols * 8;
  std::vector<std::uint64_t> data(kRows * kCols);
  base::SplitMix64 random(1);
  for (auto& v : data) v = random();
  std::vector<base::Digest> digests(kRows);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> sha3(EVP_MD_fetch(nullptr, "SHA3-256", nullptr), EVP_MD_free);
  const auto openssl = [&](std::size_t piece) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(data.data());
    for (std::size_t i = 0; i < kRows * kCols * 8; i += piece) {
      EVP_DigestInit_ex2(context.get(), sha3.get(), nullptr);
      EVP_DigestUpdate(context.get(), bytes + i, piece);
      EVP_DigestFinal_ex(context.get(), digests[0].data(), nullptr);
    }
  };
  std::vector<double> batched, rows, longest;
  for (std::uint32_t i = 0; i < repeat; ++i) {
    batched.push_back(seconds_of([&] { hash::keccak256_rows(data.data(), kCols, kCols, kRows, digests.data()); }));
    rows.push_back(seconds_of([&] { openssl(kCols * 8); }));
    longest.push_back(seconds_of([&] { openssl(kRows * kCols * 8); }));
  }
  const auto rate = [](const std::vector<double>& seconds) { return kBytes / median(seconds) / 1e6; };
  return {{"batched_mb_per_second", rate(batched)},
          {"openssl_sha3_rows_mb_per_second", rate(rows)},
          {"openssl_sha3_long_mb_per_second", rate(longest)},
          {"ratio", rate(batched) / rate(longest)}};
}

nlohmann::ordered_json bench_ntt(std::uint32_t log2_size, std::uint32_t columns, std::uint32_t repeat) {
  std::vector<std::int16_t> cells(std::size_t{columns} << log2_size);
  base::SplitMix64 random(1);
  for (auto& v : cells) v = static_cast<std::int16_t>(random());
  std::vector<std::uint64_t> out(cells.size());
  const ntt::Encoder encoder(log2_size, 0, {field::MatrixView::of(std::span<const std::int16_t>(cells), columns)});
  encoder.encode(0, 1, out.data());  // first touch of the output's pages is the system's time
  std::vector<double> seconds;
  for (std::uint32_t i = 0; i < repeat; ++i) seconds.push_back(seconds_of([&] { encoder.encode(0, 1, out.data()); }));
  return {
      {"log2_size", log2_size}, {"columns", columns}, {"seconds", median(seconds)}, {"peak_rss_mib", peak_rss_mib()}};
}

}  // namespace

void add_bench(CLI::App& app, int& exit_code) {
  auto* bench = app.add_subcommand("bench", "Measure: every figure that the project claims comes from here");
  bench->require_subcommand(1);

  static bool json = false;
  static std::uint32_t repeat = 3;
  const auto common = [](CLI::App* command) {
    command->add_flag("--json", json, "Print one JSON object");
    command->add_option("--repeat", repeat, "Runs; medians are printed")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
  };

  static PcsBenchOptions options;
  auto* pcs = bench->add_subcommand("pcs", "Commit to random 16-bit values, open claims about them, verify the proof");
  common(pcs);
  pcs->add_option("--log2-size", options.log2_size, "log2 of the witness's values")
      ->check(CLI::Range(15, 26))
      ->capture_default_str();
  pcs->add_option("--model-log2-size", options.model_log2_size,
                  "log2 of a model's values, committed once to a cache file and opened together with the witness")
      ->check(CLI::Range(15, 28));
  pcs->add_option("--level", options.level, "Bits of security")
      ->check(CLI::IsMember({100, 128}))
      ->capture_default_str();
  pcs->add_option("--claims", options.claims, "Claims opened together")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  pcs->add_option("--cache", options.cache, "File to keep the model's commitment in (default: a temporary one)");
  pcs->add_flag("--tree-only", options.tree_only,
                "Keep only the tree of the model's commitment; compute opened rows again");
  pcs->callback([&exit_code] {
    options.repeat = repeat;
    const PcsBenchResult result = bench_pcs(options);
    exit_code = result.exit_code;
    if (!result.error.empty()) {
      fmt::print(stderr, "avow bench pcs: {}\n", result.error);
    } else {
      print(result.figures, json);
    }
  });

  static StatementBenchOptions statement_options;
  auto* statement = bench->add_subcommand("statement", "Prove and verify a whole statement of one kind");
  common(statement);
  statement
      ->add_option(
          "--case", statement_options.which,
          "lookups: 2^24 cells in a 16-bit range and a function table; matmul: 1024 x 1024 x 1024, requantised; "
          "cells: 2^24 committed cells and as many lookups; depth: the same statement with 4 and with 64 layers")
      ->check(CLI::IsMember({"lookups", "matmul", "cells", "depth"}))
      ->capture_default_str();
  statement
      ->add_option("--log2-size", statement_options.log2_size,
                   "Another size than the figure's: log2 of the lookups (lookups, cells) or of the side (matmul)")
      ->check(CLI::Range(6, 26));
  statement->add_option("--level", statement_options.level, "Bits of security")
      ->check(CLI::IsMember({100, 128}))
      ->capture_default_str();
  statement->callback([&exit_code] {
    statement_options.repeat = repeat;
    const StatementBenchResult result = bench_statement(statement_options);
    exit_code = result.exit_code;
    if (!result.error.empty()) {
      fmt::print(stderr, "avow bench statement: {}\n", result.error);
    } else {
      print(result.figures, json);
    }
  });

  static RunBenchOptions run_options;
  auto* run = bench->add_subcommand("run", "Run an integer model: tokens per second of prompts and of decoding");
  common(run);
  run->add_option("--shape", run_options.shape, "A synthetic model of this shape, made and imported first")
      ->check(CLI::IsMember(quantise::kSyntheticNames))
      ->capture_default_str();
  run->add_option("--model", run_options.model, "A .avow file instead");
  run->add_option("--prompt-tokens", run_options.prompt_tokens, "Tokens of the prompt")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  run->add_option("--tokens", run_options.tokens, "Tokens generated after it")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  run->callback([&exit_code] {
    run_options.repeat = repeat;
    const RunBenchResult result = bench_run(run_options);
    exit_code = result.exit_code;
    if (!result.error.empty()) {
      fmt::print(stderr, "avow bench run: {}\n", result.error);
    } else {
      print(result.figures, json);
    }
  });

  static ProveBenchOptions prove_options;
  auto* prove = bench->add_subcommand(
      "prove", "Answer random prompts and prove it: seconds with inference and without the model's commitment");
  common(prove);
  prove->add_option("--shape", prove_options.shape, "A synthetic model of this shape, made and imported first")
      ->check(CLI::IsMember(quantise::kSyntheticNames))
      ->capture_default_str();
  prove->add_option("--model", prove_options.model, "A .avow file instead");
  prove->add_option("--tokens", prove_options.tokens, "Tokens of prompt and answer, half each")
      ->check(CLI::Range(2, 65536))
      ->capture_default_str();
  prove->add_option("--batch", prove_options.batch, "Requests in one proof")
      ->check(CLI::Range(std::uint64_t{1}, compile::kMostRequests))
      ->capture_default_str();
  prove->add_option("--level", prove_options.level, "Bits of security")
      ->check(CLI::IsMember({100, 128}))
      ->capture_default_str();
  add_usual_options(*prove, prove_options.usual);
  prove->add_flag("--tree-only", prove_options.tree_only, "Keep only the tree of it; compute opened rows again");
  prove->add_option("--cache", prove_options.cache,
                    "File that keeps the model's commitment (default: a temporary one)");
  prove->callback([&exit_code] {
    prove_options.repeat = repeat;
    const ProveBenchResult result = bench_prove(prove_options);
    exit_code = result.exit_code;
    if (!result.error.empty()) {
      fmt::print(stderr, "avow bench prove: {}\n", result.error);
    } else {
      print(result.figures, json);
    }
  });

  auto* keccak = bench->add_subcommand("keccak", "Batched Keccak-256 against OpenSSL's sha3-256, one core");
  common(keccak);
  keccak->callback([] { print(bench_keccak(repeat), json); });

  static std::uint32_t log2_size = 22;
  static std::uint32_t columns = 16;
  auto* ntt = bench->add_subcommand("ntt", "Number-theoretic transform of many columns");
  common(ntt);
  ntt->add_option("--log2-size", log2_size, "log2 of a column's length")
      ->check(CLI::Range(1, 26))
      ->capture_default_str();
  ntt->add_option("--columns", columns, "Columns")->check(CLI::Range(1, 4096))->capture_default_str();
  ntt->callback([] { print(bench_ntt(log2_size, columns, repeat), json); });
}

}  // namespace avow::app
