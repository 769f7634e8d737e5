// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "commands.hpp"

namespace avow::app {
namespace {

enum class Better { kLess, kMore };

// One promised figure: `key` of the JSON that `avow <command> --json` prints.
struct Figure {
  const char* what;
  const char* command;
  const char* key;
  Better better;
  double must;
  double aim;  // NAN: none
  const char* unit;
  /// Divides the figure: the key of another command's JSON, times a number. Without a command nothing does.
  const char* per_command = nullptr;
  double times = 1;
};

constexpr double kNoAim = std::numeric_limits<double>::quiet_NaN();
constexpr double kKiB = 1024;

constexpr const char* kWitness = "bench pcs --log2-size 24 --repeat 5";
constexpr const char* kModel = "bench pcs --log2-size 24 --model-log2-size 27 --repeat 3";
constexpr const char* kModel100 = "bench pcs --log2-size 24 --model-log2-size 27 --repeat 1 --level 100";
constexpr const char* kTree = "bench pcs --log2-size 24 --model-log2-size 27 --repeat 1 --tree-only";
constexpr const char* kLookups = "bench statement --case lookups --repeat 3";
constexpr const char* kMatmul = "bench statement --case matmul --repeat 5";
constexpr const char* kDepth = "bench statement --case depth --repeat 9";
constexpr const char* kStories =
    "model evaluate --original models/stories260K/stories260K.gguf --text models/stories.txt";
constexpr const char* kBaby =
    "model evaluate --original models/babyllama105/babyllama105-F16.gguf --text models/stories.txt";
constexpr const char* kGpt2 = "model evaluate --original models/gpt2-tiny --text models/stories.txt";
constexpr const char* kRun = "bench run --shape 124m --repeat 3";
constexpr const char* kCells = "bench statement --case cells --repeat 3";

constexpr const char* kProveSmall = "bench prove --shape 260k --repeat 5";
constexpr const char* kProve = "bench prove --shape 124m --repeat 3";
constexpr const char* kProve100 = "bench prove --shape 124m --level 100 --repeat 1";
constexpr const char* kProveGpt2 = "bench prove --shape gpt2 --repeat 3";
constexpr const char* kProveBatch = "bench prove --shape 124m --batch 8 --repeat 1";
constexpr const char* kProveLong = "bench prove --shape 124m --tokens 256 --repeat 1";
constexpr const char* kProve1b = "bench prove --shape 1b --tokens 16 --repeat 1";

const Figure kFigures[] = {
    {"2^24 16-bit values: commit + open", kWitness, "commit_and_open_seconds", Better::kLess, 6, kNoAim, "s"},
    {"  peak memory", kWitness, "peak_rss_mib", Better::kLess, 4096, kNoAim, "MiB"},
    {"  proof", kWitness, "proof_bytes", Better::kLess, 150 * kKiB, 120 * kKiB, "B"},
    {"  verify", kWitness, "verify_ms", Better::kLess, 10, kNoAim, "ms"},
    {"  security", kWitness, "security_bits", Better::kMore, 128, kNoAim, "bits"},
    {"  security of the other rounds", kWitness, "security_bits_other_rounds", Better::kMore, 128, kNoAim, "bits"},
    {"2^27 16-bit model values: one-time commit", kModel, "model_commit_seconds", Better::kLess, 150, 60, "s"},
    {"  peak memory, opening included", kModel, "peak_rss_mib", Better::kLess, 4096, kNoAim, "MiB"},
    {"  cache on disk", kModel, "cache_mib", Better::kLess, 9.1 * 1024, kNoAim, "MiB"},
    {"  opened with a 2^24 witness", kModel, "open_seconds", Better::kLess, 8, kNoAim, "s"},
    {"  proof at 128 bits", kModel, "proof_bytes", Better::kLess, 260 * kKiB, kNoAim, "B"},
    {"  security", kModel, "security_bits", Better::kMore, 128, kNoAim, "bits"},
    {"  proof at 100 bits", kModel100, "proof_bytes", Better::kLess, 200 * kKiB, kNoAim, "B"},
    {"  security", kModel100, "security_bits", Better::kMore, 100, kNoAim, "bits"},
    {"  tree alone on disk", kTree, "cache_mib", Better::kLess, 1.5 * 1024, kNoAim, "MiB"},
    {"  rows recomputed: added to an opening", kTree, "open_profile_seconds/rows", Better::kLess, 5, kNoAim, "s"},
    {"2^24 lookups, ranges and functions: whole proof", kLookups, "prove_seconds", Better::kLess, 8, kNoAim, "s"},
    {"  of which LogUp-GKR", kLookups, "profile_seconds/lookups", Better::kLess, 5, kNoAim, "s"},
    {"  peak memory", kLookups, "peak_rss_mib", Better::kLess, 8192, kNoAim, "MiB"},
    {"matmul 1024^3, requantised: whole proof", kMatmul, "prove_seconds", Better::kLess, 2.5, kNoAim, "s"},
    {"2^24 cells and 2^24 lookups: whole proof", kCells, "prove_seconds", Better::kLess, 12, kNoAim, "s"},
    {"  peak memory", kCells, "peak_rss_mib", Better::kLess, 10240, kNoAim, "MiB"},
    {"  verify", kCells, "verify_ms", Better::kLess, 20, kNoAim, "ms"},
    {"  sumcheck and lookup messages", kCells, "sumcheck_bytes", Better::kLess, 40 * kKiB, kNoAim, "B"},
    {"64 layers over 4: proof", kDepth, "proof_bytes_ratio", Better::kLess, 1.1, kNoAim, "x"},
    {"  verify", kDepth, "verify_ratio", Better::kLess, 1.1, kNoAim, "x"},
    {"stories260K: perplexity, integer over float", kStories, "ratio", Better::kLess, 1.005, kNoAim, "x"},
    {"  same likeliest token", kStories, "top1_agreement", Better::kMore, 0.99, kNoAim, ""},
    {"BabyLlama105: perplexity, integer over float", kBaby, "ratio", Better::kLess, 1.005, kNoAim, "x"},
    {"  same likeliest token", kBaby, "top1_agreement", Better::kMore, 0.99, kNoAim, ""},
    {"gpt2-tiny: perplexity, integer over float", kGpt2, "ratio", Better::kLess, 1.005, kNoAim, "x"},
    {"  same likeliest token", kGpt2, "top1_agreement", Better::kMore, 0.99, kNoAim, ""},
    {"124M parameters, LLaMA's shape: decoding", kRun, "decode_tokens_per_second", Better::kMore, 25, kNoAim, "/s"},
    {"  prompt", kRun, "prompt_tokens_per_second", Better::kMore, 150, kNoAim, "/s"},
    {"small model, 64 tokens: answer and proof", kProveSmall, "prove_seconds", Better::kLess, 3, 1, "s"},
    {"124M, LLaMA's shape, 64 tokens: answer, proof", kProve, "prove_seconds", Better::kLess, 25, 10, "s"},
    {"  peak memory", kProve, "peak_rss_mib", Better::kLess, 12288, 6144, "MiB"},
    {"  proof at 128 bits", kProve, "proof_bytes", Better::kLess, 300 * kKiB, 220 * kKiB, "B"},
    {"  security", kProve, "security_bits", Better::kMore, 128, kNoAim, "bits"},
    {"  verify", kProve, "verify_ms", Better::kLess, 40, 15, "ms"},
    {"  proof at 100 bits", kProve100, "proof_bytes", Better::kLess, 225 * kKiB, 160 * kKiB, "B"},
    {"124M, GPT-2's shape, 64 tokens: answer, proof", kProveGpt2, "prove_seconds", Better::kLess, 25, 10, "s"},
    {"  peak memory", kProveGpt2, "peak_rss_mib", Better::kLess, 12288, 6144, "MiB"},
    {"  proof at 128 bits", kProveGpt2, "proof_bytes", Better::kLess, 300 * kKiB, 220 * kKiB, "B"},
    {"  verify", kProveGpt2, "verify_ms", Better::kLess, 40, 15, "ms"},
    {"8 requests in one proof: bytes of each over one", kProveBatch, "proof_bytes_per_request", Better::kLess, 0.25,
     0.18, "x", kProve},
    {"  seconds of each over one", kProveBatch, "prove_seconds_per_request", Better::kLess, 0.9, 0.75, "x", kProve},
    {"256 tokens over 4 x 64: seconds", kProveLong, "prove_seconds", Better::kLess, 1.15, kNoAim, "x", kProve, 4},
    {"1B, LLaMA's shape, 16 tokens: answer and proof", kProve1b, "prove_seconds", Better::kLess, 3600, 120, "s"},
    {"  peak memory", kProve1b, "peak_rss_mib", Better::kLess, 20480, kNoAim, "MiB"},
    {"Keccak batched, over OpenSSL's sha3-256", "bench keccak --repeat 9", "ratio", Better::kMore, 2, kNoAim, "x"},
    {"NTT of 16 columns of 2^22", "bench ntt --log2-size 22 --columns 16 --repeat 5", "seconds", Better::kLess, 1.5,
     kNoAim, "s"},
};

// Runs this program again with the command, so that each figure has a process of its own (peak memory).
std::optional<nlohmann::json> run(const std::string& command) {
  const std::string line = fmt::format("\"$(readlink -f /proc/{}/exe)\" {} --json 2>/dev/null", getpid(), command);
  // The command is one of the constants above.
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(line.c_str(), "r"), pclose);  // NOLINT(cert-env33-c)
  if (!pipe) return std::nullopt;
  std::string output;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) output.append(buffer.data(), n);
  auto json = nlohmann::json::parse(output, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

std::string number(double value) { return value >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value); }

}  // namespace

void add_figures(CLI::App& app, int& exit_code) {
  static std::string only;
  auto* figures = app.add_subcommand("figures", "Measure every promised figure and print must, aim and measured");
  figures->add_option("--only", only, "Measure only commands that contain this text");
  figures->callback([&exit_code] {
    std::map<std::string, std::optional<nlohmann::json>> outputs;
    fmt::print("{:<46}{:>12}{:>12}{:>12} {:<5}{}\n", "figure", "must", "aim", "measured", "unit", "verdict");
    for (const Figure& figure : kFigures) {
      if (std::string(figure.command).find(only) == std::string::npos) continue;
      const auto value = [&](const char* command) -> std::optional<double> {
        if (!outputs.contains(command)) outputs[command] = run(command);
        const auto& output = outputs[command];
        const nlohmann::json::json_pointer pointer(fmt::format("/{}", figure.key));
        if (output && output->contains(pointer)) return output->at(pointer).get<double>();
        return std::nullopt;
      };
      const auto own = value(figure.command);
      const auto per = figure.per_command == nullptr ? std::optional<double>(1) : value(figure.per_command);
      if (!own || !per) {
        fmt::print("{:<46} failed: avow {}\n", figure.what, figure.command);
        exit_code = kNo;
        continue;
      }
      const double measured = *own / (*per * figure.times);
      const auto reaches = [&](double limit) {
        return figure.better == Better::kLess ? measured <= limit : measured >= limit;
      };
      const bool good = reaches(figure.must);
      if (!good) exit_code = kNo;
      const bool aimed = !std::isnan(figure.aim) && reaches(figure.aim);
      fmt::print("{:<46}{:>12}{:>12}{:>12} {:<5}{}\n", figure.what, number(figure.must),
                 std::isnan(figure.aim) ? "" : number(figure.aim), number(measured), figure.unit,
                 !good   ? "MISSED"
                 : aimed ? "aim reached"
                         : "ok");
      std::fflush(stdout);
    }
  });
}

}  // namespace avow::app
