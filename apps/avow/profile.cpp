// SPDX-License-Identifier: Apache-2.0
#include "profile.hpp"

#include <fmt/format.h>

#include "base/hex.hpp"
#include "measure.hpp"

namespace avow::app {
namespace {

double in_seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

const char* end_name(answer::End end) { return end == answer::End::kStop ? "stop" : "length"; }

}  // namespace

nlohmann::ordered_json phases_of(const ProofProfile& profile) {
  const auto& t = profile.times.proof;
  return {{"answer", profile.run_seconds},
          {"witness", in_seconds(profile.times.witness)},
          {"virtuals", in_seconds(t.virtuals)},
          {"tuples", in_seconds(t.tuples)},
          {"commit", in_seconds(t.commit)},
          {"columns", in_seconds(t.columns)},
          {"lookups", in_seconds(t.lookups)},
          {"stages", in_seconds(t.stages)},
          {"open", in_seconds(t.open)},
          {"open_columns", in_seconds(t.open_parts.columns)},
          {"open_oracles", in_seconds(t.open_parts.encode)},
          {"open_sumchecks", in_seconds(t.open_parts.sumcheck)},
          {"open_grinding", in_seconds(t.open_parts.grinding)},
          {"open_rows", in_seconds(t.open_parts.rows)},
          {"check", in_seconds(profile.times.verify)}};
}

nlohmann::ordered_json bytes_of(const prover::ProofBytes& bytes) {
  return {{"lookups", bytes.lookups}, {"stages", bytes.stages}, {"opening", bytes.opening}, {"total", bytes.total}};
}

nlohmann::ordered_json summary_of(const ProofProfile& profile, const answer_prover::Proven& proven,
                                  std::size_t file_bytes) {
  nlohmann::ordered_json out{{"model_id", base::to_hex(proven.delivery.model_id)}};
  auto& answers = out["answers"] = nlohmann::ordered_json::array();
  for (const auto& given : proven.delivery.answers) {
    answers.push_back({{"prompt_ids", given.request.input}, {"ids", given.output}, {"end", end_name(given.end)}});
  }
  out["proof_bytes"] = proven.file.proof.size();
  out["file_bytes"] = file_bytes;
  out["seconds"] = profile.run_seconds + profile.prove_seconds;
  out["phases"] = phases_of(profile);
  out["bytes"] = bytes_of(profile.bytes);
  out["peak_rss_mib"] = peak_rss_mib();
  return out;
}

std::string format_profile(const ProofProfile& profile) {
  const auto phases = phases_of(profile), bytes = bytes_of(profile.bytes);
  std::string text = fmt::format("{:<18}{:>10}\n", "phase", "seconds");
  for (const auto& [name, value] : phases.items()) {
    text += fmt::format("{:<18}{:>10.3f}\n", name, value.get<double>());
  }
  text += fmt::format("{:<18}{:>10}\n", "part", "bytes");
  for (const auto& [name, value] : bytes.items()) {
    text += fmt::format("{:<18}{:>10}\n", name, value.get<std::size_t>());
  }
  return text + fmt::format("peak memory {:.0f} MiB\n", peak_rss_mib());
}

}  // namespace avow::app
